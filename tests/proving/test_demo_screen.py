"""The demo's screen in the narrowest terminal that people have: nothing is cut off."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from metering.parkfile import load_park
from metering.quantities import Utility
from proving.demo.plan import EXAMPLE
from proving.demo.screen import Scene, Where, draw

WHERE = Where(
    "http://127.0.0.1:40123",
    Path(".demo/reports"),
    "mqtt://127.0.0.1:40124",
    "http://127.0.0.1:40125",
    Path(".demo/env"),
)


def shown(scene: Scene) -> str:
    out = StringIO()
    Console(file=out, width=80, color_system=None).print(draw(load_park(EXAMPLE), scene, WHERE))
    return out.getvalue()


def test_large_numbers_and_long_addresses_fit_into_80_columns() -> None:
    today = {(tenant.id, utility.value): 23_456.7 for tenant in load_park(EXAMPLE).tenants for utility in Utility}
    text = shown(Scene(12_345_678, 12_345_678, 1_234, 4_321, 345.6, today))
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for place in (WHERE.dashboards, WHERE.broker, WHERE.database, ".demo/reports", ". .demo/env"):
        assert place in text


def test_amounts_are_whole_in_the_units_of_a_day_and_added_up() -> None:
    text = shown(Scene(today={("textile", "electricity"): 15_240.6, ("steel", "electricity"): 3_210.0}))
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.split()}
    assert lines["textile"] == ["15"]
    assert lines["steel"] == ["3.2"]
    assert lines["Together"][0] == "18"

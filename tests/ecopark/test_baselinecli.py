"""`ecopark baseline` as operators run it, on use that the service has computed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficiency.baseline.file import load_baselines
from efficiency.service.park import ParkUsage
from metering.park import Park
from proving.demo.baselines import LEAST_DAYS, freeze_baselines
from proving.servers import Influxd
from store.client import Store
from store.schema import reading_series
from tests.efficiency.smallpark import PARK, at, day, small_park, write_days

Run = Callable[..., Any]
PERIOD = ("--from", str(day(0)), "--to", str(day(19)))


@pytest.fixture
def park(tmp_path: Path) -> Park:
    return small_park(tmp_path)[1]


@pytest.fixture
async def call(store: Store, influx: Influxd, run: Run, park: Park, tmp_path: Path) -> Run:
    """The command on a park with 20 days of use."""
    await write_days(store, park, range(20))
    usage = ParkUsage(store, park)
    await usage.begin(at(park, 20, 1))
    await usage.cycle(at(park, 20, 1))

    def called(*arguments: str, where: Path | None = None) -> Any:
        return run("baseline", *arguments, ECOPARK_PARK=str(where or tmp_path), ECOPARK_INFLUX_URL=influx.url)

    return called


def last_line(done: Any) -> Any:
    return json.loads(done.stdout.splitlines()[-1])


def test_a_fit_is_shown_frozen_listed_and_explained(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "park.baselines.json"
    shown = call("fit", "textile", *PERIOD, "--json")
    assert shown.returncode == 0, shown.stderr
    assert "n = 20, R2 = 0.99" in shown.stdout
    assert "kWh/t * output" in shown.stdout
    assert "Offered" in shown.stdout
    assert last_line(shown)["offered"] is True
    assert not file.exists(), "only what is asked for is frozen"

    frozen = call("fit", "demo/textile", *PERIOD, "--reason", "first weeks", "--freeze", "--json")
    assert frozen.returncode == 0, frozen.stderr
    assert last_line(frozen)["frozen"]["holds_from"] == str(day(20))
    again = call("fit", "textile", *PERIOD, "--reason", "review", "--holds-from", str(day(5)), "--freeze")
    assert "textile-electricity, version 2" in again.stdout
    pump = call("fit", "--meter", "em-pump", "--driver", "wm-textile", *PERIOD, "--reason", "pump", "--freeze")
    assert "em-pump-electricity, version 1" in pump.stdout
    water = call("fit", "textile", "--utility", "water", *PERIOD, "--name", "w", "--reason", "water", "--freeze")
    assert "Frozen as w, version 1" in water.stdout

    listed = call("list", "--json")
    assert listed.returncode == 0, listed.stderr
    entries = last_line(listed)["baselines"]
    assert [(entry["id"], entry["version"]) for entry in entries] == [
        ("textile-electricity", 1),
        ("textile-electricity", 2),
        ("em-pump-electricity", 1),
        ("w", 1),
    ]
    told = call("show", "textile-electricity", "--json")
    assert "frozen on" in told.stdout
    assert "review" in told.stdout
    assert "positive is saving" in told.stdout
    assert [version["reason"] for version in last_line(told)["versions"]] == ["first weeks", "review"]


def test_what_cannot_be_fitted_is_reported_with_names(call: Run) -> None:
    def refused(*arguments: str) -> str:
        done = call("fit", *arguments)
        assert done.returncode == 2, done.stdout
        assert "Traceback" not in done.stderr
        return str(done.stderr)

    assert "has a tenant textil; there are demo/textile, demo/idle" in refused("textil", *PERIOD)
    assert "has a meter em-x; see ecopark check" in refused("--meter", "em-x", *PERIOD)
    assert "knows no driver outptu; name output, " in refused("textile", "--driver", "outptu", *PERIOD)
    assert "tenant idle has no meter of production; it has electricity" in refused("idle", *PERIOD)
    assert "belongs to no tenant; name meters" in refused("--meter", "em-pump", *PERIOD)
    assert "cannot be explained by itself" in refused("textile", "--driver", "electricity", *PERIOD)
    empty = refused("textile", "--from", "2026-01-01", "--to", "2026-02-01")
    assert "no use of em-textile is stored from 2026-01-01 to 2026-02-01" in empty
    assert "lies before --from" in refused("textile", "--from", "2026-10-22", "--to", "2026-10-21")
    assert "is not over yet" in refused("textile", "--from", "2026-10-22", "--to", "2999-01-01")
    assert "name a tenant, or a meter" in refused(*PERIOD)
    assert "--freeze needs a --reason" in refused("textile", *PERIOD, "--freeze")
    assert "a letter first" in refused("textile", *PERIOD, "--name", "1st")


async def test_an_output_of_zero_is_shown_and_never_frozen(call: Run, store: Store, park: Park, tmp_path: Path) -> None:
    await store.query("DELETE FROM production", "ecopark")
    head = reading_series(park.id, park.meter["pm-textile"])
    await store.write([f"{head} output=7 {at(park, 0, hour)}000000" for hour in range(481)], "ecopark")
    for measurement in ("usage", "usage_basis", "usage_cursor"):
        await store.query(f'DROP MEASUREMENT "{measurement}"', "ecopark")
    usage = ParkUsage(store, park)
    await usage.begin(at(park, 20, 2))
    await usage.cycle(at(park, 20, 2))
    shown = call("fit", "textile", *PERIOD)
    assert shown.returncode == 0, shown.stderr
    assert "output 0 to 0 t" in shown.stdout
    assert "does not vary" in shown.stdout
    assert "Refused" in shown.stdout
    frozen = call("fit", "textile", *PERIOD, "--reason", "no", "--freeze")
    assert frozen.returncode == 2
    assert "textile-electricity: no baseline from this fit" in frozen.stderr
    assert not (tmp_path / "park.baselines.json").exists()


def test_a_broken_file_and_a_tenant_that_is_gone_are_named(call: Run, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "park.baselines.json"
    assert call("fit", "textile", *PERIOD, "--reason", "first", "--freeze").returncode == 0
    sound = file.read_text(encoding="utf-8")
    (tmp_path / "park.yaml").write_text(
        PARK.replace("  - {id: textile,", "  - {id: other,").replace("tenant: textile", "tenant: other"), "utf-8"
    )
    gone = call("list")
    assert gone.returncode == 2
    assert "textile-electricity" in gone.stdout
    assert f"{file}: textile-electricity: version 1: demo has no tenant textile" in gone.stderr
    checked = run("check", str(tmp_path))
    assert checked.returncode == 2
    assert f"{file}: textile-electricity: version 1: demo has no tenant textile" in checked.stderr
    file.write_text(sound.replace('"version": 1', '"version": "one"'), encoding="utf-8")
    for arguments in (("list",), ("show", "textile-electricity")):
        broken = call(*arguments)
        assert broken.returncode == 2
        assert f"{file}: baselines.0.version: " in broken.stderr
    missing = call("show", "x", where=tmp_path / "nowhere")
    assert missing.returncode == 2


async def test_computing_a_window_by_hand_keeps_the_figures_of_baselines(
    call: Run, run: Run, store: Store, influx: Influxd, park: Park, tmp_path: Path
) -> None:
    frozen = call("fit", "textile", *PERIOD, "--holds-from", str(day(10)), "--reason", "first", "--freeze")
    assert frozen.returncode == 0, frozen.stderr
    usage = ParkUsage(store, park)
    usage.baselines = load_baselines(tmp_path / "park.baselines.json")
    await usage.begin(at(park, 20, 1))
    await usage.cycle(at(park, 20, 1))
    shown = 'SELECT "enpi","cusum_kwh","expected_kwh" FROM "efficiency" WHERE "tenant" = \'textile\' AND "enpi" > 0'
    before = await store.query(shown, "ecopark")
    assert len(before) > 10
    environment = {"ECOPARK_PARK": str(tmp_path), "ECOPARK_INFLUX_URL": influx.url}
    done = run("usage", "recompute", "--from", str(day(0)), "--to", str(day(19)), **environment)
    assert done.returncode == 0, done.stderr
    assert await store.query(shown, "ecopark") == before


async def test_the_demo_freezes_what_fits_once_and_nothing_in_a_short_past(
    call: Run, store: Store, park: Park, tmp_path: Path
) -> None:
    file = tmp_path / "park.yaml"
    assert await freeze_baselines(store, park, file, day(0), LEAST_DAYS - 1) == []
    assert not (tmp_path / "park.baselines.json").exists()
    assert await freeze_baselines(store, park, file, day(0), 20) == ["textile-electricity"], (
        "the idle one makes nothing"
    )
    assert await freeze_baselines(store, park, file, day(0), 20) == []
    assert "textile-electricity, version 1" in call("list").stdout

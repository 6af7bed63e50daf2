"""What a changed park file would rewrite is what the service then does rewrite: by tenant and month."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecopark.commands.check import rewrite_lines
from efficiency.service.park import ParkUsage
from efficiency.service.rewrites import Rewrites, rewrites
from metering.park import Park
from metering.parkfile import load_park
from proving.servers import Influxd
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from tests.efficiency.smallpark import at, small_park, write_days

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
NOVEMBER_3 = "2026-11-03T00:00:00+07:00"
DAYS = 20

Edit = Callable[[dict[str, Any]], None]
Expected = dict[str | None, set[date]]


def owner(raw: dict[str, Any]) -> None:
    raw["meters"][4].pop("tenant")
    raw["meters"][4]["belongs"] = [{"tenant": "idle"}, {"from": NOVEMBER_3, "tenant": "textile"}]


def ratio(raw: dict[str, Any]) -> None:
    raw["meters"][2]["multiplier"] = 2.0


def ratio_of_november(raw: dict[str, Any]) -> None:
    meter = raw["meters"][2]
    registers = meter.pop("registers")
    meter["instruments"] = [
        {"registers": registers},
        {"from": NOVEMBER_3, "registers": registers, "multiplier": 2.0, "continues": True},
    ]


def price(raw: dict[str, Any]) -> None:
    entries = [{"from": "2026-11-03", "value": 9000.0, "source": "invented"}]
    raw["tariffs"] = {"prices": {"water": entries}}


def area(raw: dict[str, Any]) -> None:
    raw["tenants"][0]["floor_area_m2"] = [{"value": 100.0}, {"from": "2026-11-03", "value": 200.0}]


def gone(raw: dict[str, Any]) -> None:
    raw["meters"] = [meter for meter in raw["meters"] if meter["id"] != "em-idle"]


def name(raw: dict[str, Any]) -> None:
    raw["meters"][0]["name"] = {"en": "Other", "vi": "Khác"}


BOTH = {OCTOBER, NOVEMBER}
EDITS: dict[str, tuple[Edit, Expected]] = {
    "an owner from November on": (owner, {"textile": {NOVEMBER}, "idle": {NOVEMBER}, None: {NOVEMBER}}),
    "a ratio since ever": (ratio, {"textile": BOTH, None: BOTH}),
    "a ratio from November on": (ratio_of_november, {"textile": {NOVEMBER}, None: {NOVEMBER}}),
    "a price from November on": (price, {"textile": {NOVEMBER}, None: {NOVEMBER}}),
    "a meter that is gone": (gone, {"idle": BOTH, None: BOTH}),
    "a name": (name, {}),
}


async def stored(store: Store, park: Park) -> set[tuple[str | None, date, str]]:
    """What is stored of use, by whose it is and the month; of each the whole content."""
    found = set()
    for row in await store.query('SELECT * FROM "usage"', OPERATOR_DATABASE):
        instant = datetime.fromtimestamp(row["time"] / NS_PER_MS / 1000, UTC).astimezone(park.zone)
        content = {key: value for key, value in row.items() if value not in (None, "") and key != "revised"}
        found.add((row["tenant"] or None, instant.date().replace(day=1), str(sorted(content.items()))))
    return found


async def computed(store: Store, park: Park, now: int) -> ParkUsage:
    usage = ParkUsage(store, park)
    await usage.begin(now)
    await usage.cycle(now)
    return usage


@pytest.mark.parametrize("said", EDITS)
async def test_what_is_announced_to_be_rewritten_is_rewritten(said: str, store: Store, tmp_path: Path) -> None:
    file, park = small_park(tmp_path)
    edit, expected = EDITS[said]
    now = at(park, DAYS, 1)
    await write_days(store, park, range(DAYS))
    usage = await computed(store, park, now)
    before = await stored(store, park)
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    edit(raw)
    file.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    park = load_park(file)

    found = await rewrites(store, park, (), now)

    assert found is not None
    assert {whose: set(months) for whose, months in found.months.items()} == expected
    assert await stored(store, park) == before, "asking changes nothing"
    usage.park = park
    await usage.cycle(now + 60_000)
    changed = {(whose, month) for whose, month, _ in before ^ await stored(store, park)}
    assert changed == {(whose, month) for whose, months in expected.items() if whose for month in months}
    again = await rewrites(store, park, (), now)
    assert again is not None
    assert again.months == {}


async def test_a_dated_value_of_a_tenant_changes_only_its_figures_and_only_from_then_on(
    store: Store, tmp_path: Path
) -> None:
    file, park = small_park(tmp_path)
    now = at(park, DAYS, 1)
    await write_days(store, park, range(DAYS))
    await computed(store, park, now)
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    raw["tenants"][0]["floor_area_m2"] = 100.0
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    first = await rewrites(store, load_park(file), (), now)
    assert first is not None
    assert first.months == {"textile": BOTH}
    await computed(store, load_park(file), now)
    area(raw)
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    second = await rewrites(store, load_park(file), (), now)
    assert second is not None
    assert second.months == {"textile": {NOVEMBER}}
    assert second.because == ("tenant textile",)


async def test_a_tenant_whose_only_meter_is_gone_keeps_no_figures_of_it(store: Store, tmp_path: Path) -> None:
    file, park = small_park(tmp_path)
    now = at(park, DAYS, 1)
    await write_days(store, park, range(DAYS))
    usage = await computed(store, park, now)
    asked = 'SELECT count("electricity_kwh") AS "days" FROM "efficiency" WHERE "tenant" = \'idle\''
    assert (await store.query(asked, OPERATOR_DATABASE))[0]["days"] > DAYS, "of days, and of months"
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    gone(raw)
    file.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    usage.park = load_park(file)
    for _ in range(3):
        await usage.cycle(now)
    assert await store.query(asked, OPERATOR_DATABASE) == []


async def test_a_park_that_was_never_computed_has_nothing_to_rewrite(store: Store, tmp_path: Path) -> None:
    _, park = small_park(tmp_path)
    await store.query(f'CREATE DATABASE "{OPERATOR_DATABASE}"', "")
    assert await rewrites(store, park, (), at(park, DAYS)) is None


def test_a_closed_month_is_named_as_closed(tmp_path: Path) -> None:
    _, park = small_park(tmp_path)
    found = Rewrites(("em-textile",), {"textile": frozenset(BOTH), None: frozenset({NOVEMBER})})
    lines = list(rewrite_lines(Path("park.yaml"), park, found, frozenset({date(2026, 9, 1), OCTOBER})))
    assert lines[0] == "park.yaml: the usage service will compute again, because of em-textile:"
    assert lines[1:3] == ["  tenant textile: 2026-10 (closed), 2026-11", "  the park: 2026-11"]
    assert lines[3].startswith("  2026-10: closed. What was stated stays;")
    assert len(list(rewrite_lines(Path("park.yaml"), park, found, frozenset()))) == 3


async def test_check_lists_rewrites_where_it_knows_the_database(
    store: Store, influx: Influxd, run: Any, tmp_path: Path
) -> None:
    file, park = small_park(tmp_path)
    await write_days(store, park, range(DAYS))
    await computed(store, park, at(park, DAYS, 1))
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    owner(raw)
    file.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    alone = run("check", str(file))
    assert alone.returncode == 0, alone.stderr
    assert "compute again" not in alone.stdout
    done = run("check", str(file), ECOPARK_INFLUX_URL=influx.url)
    assert done.returncode == 0, done.stderr
    told = done.stdout.split("compute again, because of ")[1].splitlines()
    assert told[0] == "em-idle, tenant idle, tenant textile:"
    for line, whose in zip(told[1:4], ("tenant textile", "tenant idle", "the park"), strict=True):
        assert line.startswith(f"  {whose}: 2026-11"), "and the months since, up to the clock's"

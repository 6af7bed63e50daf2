"""A register whose unit may have changed is in doubt until somebody answers; every quarter hour since is marked."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS
from metering.park import Park
from metering.parkfile import load_park
from store.answers import Row
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from tests.efficiency.service.test_meter_status import meter, park_of
from tests.efficiency.smallpark import PARK

BEGIN = 1_790_000_000_000 // DAY_MS * DAY_MS
MINUTE_MS = 60_000
CHANGED, BACK, END = 6 * 60, 30 * 60, 36 * 60
"""Minutes: the register counts tenths from the first on, units again from the second, if at all."""


def lines(first: int, last: int, back: int = END) -> list[str]:
    """Readings of each minute; from the change on the register counts tenths, and again units from `back` on."""
    found = []
    for minute in range(first, last):
        units = 1000.0 + 0.1 * minute
        shown = units * (10 if CHANGED <= minute < back else 1)
        found.append(f"electricity,park=demo,meter=m energy_kwh={shown:.1f} {BEGIN + minute * MINUTE_MS}000000")
    return found


def answered(folder: Path, *entries: dict[str, Any]) -> Park:
    raw = yaml.safe_load(PARK)
    own = meter("m", 60, rated=100.0)
    if entries:
        own["instruments"] = [{}, *entries]
    raw["meters"] = [own]
    (folder / "park.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_park(folder / "park.yaml")


def at(minute: int) -> int:
    return BEGIN + minute * MINUTE_MS


async def doubtful(store: Store) -> list[int]:
    """Starts of the quarter hours in doubt, in quarter hours since the beginning."""
    rows: list[Row] = await store.query('SELECT rule FROM "usage" WHERE rule =~ /unit/', OPERATOR_DATABASE)
    return sorted({(row["time"] // NS_PER_MS - BEGIN) // QUARTER_MS for row in rows})


async def kinds(store: Store) -> list[str]:
    rows = await store.query("SELECT text_en FROM \"events\" WHERE meter = 'm' GROUP BY kind", OPERATOR_DATABASE)
    return sorted(row["kind"] for row in rows)


async def usage_of(store: Store, park: Park, *minutes: int) -> ParkUsage:
    usage = ParkUsage(store, park)
    await usage.begin(at(minutes[0]))
    for minute in minutes:
        await usage.cycle(at(minute))
    return usage


async def test_it_is_in_doubt_until_the_park_file_says_what_it_was(store: Store, tmp_path: Path) -> None:
    park = park_of(tmp_path, meter("m", 60, rated=100.0))
    await store.write(lines(0, CHANGED + 60), OPERATOR_DATABASE)
    usage = await usage_of(store, park, CHANGED + 60)
    for minute in range(CHANGED + 60, END, 30):
        await store.write(lines(minute, minute + 30), OPERATOR_DATABASE)
        await usage.cycle(at(minute + 30))
    await usage.cycle(at(END) + 1000)
    assert await kinds(store) == ["rise", "unit"]
    along = await doubtful(store)
    assert along == list(range(CHANGED // 15, END // 15)), "hours later too, not only beside the jump"

    for measurement in ("usage", "events", "usage_cursor", "usage_basis"):
        await store.query(f'DROP MEASUREMENT "{measurement}"', OPERATOR_DATABASE)
    usage = await usage_of(store, park, END, END)
    assert await doubtful(store) == along, "as from scratch"

    changed = {"from": "2026-09-21T13:00:00+07:00", "multiplier": 0.1}
    assert at(CHANGED) == 1_789_970_400_000
    usage.park = answered(tmp_path, changed)
    for _ in range(3):
        await usage.cycle(at(END) + HOUR_MS)
    assert await kinds(store) == ["swap"]
    assert await doubtful(store) == []


async def test_a_change_back_ends_it(store: Store, tmp_path: Path) -> None:
    park = park_of(tmp_path, meter("m", 60, rated=100.0))
    await store.write(lines(0, END, BACK), OPERATOR_DATABASE)
    await usage_of(store, park, END, END, END)
    found = await doubtful(store)
    assert found[0] == CHANGED // 15
    assert set(range(CHANGED // 15, BACK // 15)) <= set(found)
    assert max(found) <= BACK // 15 + 7, "the quarter hours beside the second change"


@pytest.mark.parametrize(
    ("pause", "answer", "asked"), [(20, False, True), (20, True, False), (20 * 1440, False, False)]
)
async def test_real_changes_of_use_are_not_asked_about_again(
    pause: int, answer: bool, asked: bool, store: Store, tmp_path: Path
) -> None:
    """A machine ten times as strong began after a pause: only the operator can know.

    Weeks without readings are no evidence of a changed unit, for instance while a new park's history arrives.
    """
    paused = lines(0, CHANGED)
    rises = [1000.0 + 0.1 * CHANGED + 1.0 * minute for minute in range(240)]
    begins = CHANGED + pause
    after = [
        f"electricity,park=demo,meter=m energy_kwh={shown:.1f} {at(begins + minute)}000000"
        for minute, shown in enumerate(rises)
    ]
    await store.write([*paused, *after], OPERATOR_DATABASE)
    said = {"from": "2026-09-21T13:10:00+07:00", "continues": True}
    park = answered(tmp_path, *([said] if answer else []))
    await usage_of(store, park, begins + 240, begins + 240)
    assert ("unit" in await kinds(store)) is asked
    assert bool(await doubtful(store)) is asked

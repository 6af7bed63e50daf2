"""Months are computed group by group, and what was just computed is not read back for the figures made of it."""

import copy
from pathlib import Path
from typing import Any

import pytest

from efficiency.service import compute
from efficiency.service.park import ParkUsage
from efficiency.stored.amounts import KeptAmounts
from efficiency.usage.intervals import DAY_MS, HOUR_MS, Span
from metering.park import Park
from store.client import Store
from store.columns import Table
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE
from tests.efficiency.service.test_edits import METERS, NOW, UTILITY, everything, raw_park, written

FIRST = NOW - 53 * DAY_MS
"""The first of August; it is the 23rd of September."""
MONTHS = 2


def raw_with_export(park: str) -> dict[str, Any]:
    raw = copy.deepcopy(raw_park(park))
    (main,) = [each for each in raw["meters"] if each["id"] == "e-main"]
    main |= {"export": True, "registers": {"energy_kwh": {}, "energy_export_kwh": {}}}
    return raw


def lines(park: str, more: float = 0.0) -> list[str]:
    """Hourly registers of two months; e-2 begins late, e-3 is silent for a day, the main exports at times.

    From the fifth day on e-4 uses `more` each hour.
    """
    found = []
    for number, name in enumerate(METERS):
        measurement, field = UTILITY[name[0]]
        for hour in range((NOW - FIRST) // HOUR_MS + 1):
            if (name == "e-2" and hour < 300) or (name == "e-3" and 700 < hour < 724):
                continue
            shown = 1000.0 * number + hour * (10 + number) + hour % 3
            shown += more * max(0, hour - 100) if name == "e-4" else 0.0
            fields = f"{field}={shown}"
            if name == "e-main":
                fields += f",energy_export_kwh={float(hour // 24 + min(hour % 24, 5))}"
            found.append(f"{measurement},park={park},meter={name} {fields} {(FIRST + hour * HOUR_MS) * NS_PER_MS}")
    return found


async def computed(store: Store, file: Path, name: str) -> Park:
    park = written(file, raw_with_export(name))
    await store.write(lines(name), OPERATOR_DATABASE)
    await ParkUsage(store, park).recompute(Span(FIRST, NOW + 1), park.meters, NOW)
    return park


async def test_nothing_is_read_back_and_all_figures_are_as_made_of_what_is_stored(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = Store.tables
    asked: list[str] = []

    async def noted(self: Store, statement: str, database: str) -> list[Table]:
        if f'FROM "{USAGE}"' in statement:
            asked.append(statement)
        return await tables(self, statement, database)

    with monkeypatch.context() as patched:
        patched.setattr(compute, "AT_ONCE", 1)
        patched.setattr(Store, "tables", noted)
        await computed(store, tmp_path / "park.yaml", "together")
    assert len(asked) == MONTHS * len(METERS)  # what was there before, of each meter by itself

    with monkeypatch.context() as patched:
        patched.setattr(KeptAmounts, "keep", lambda *_: None)
        await computed(store, tmp_path / "park.yaml", "stored")
    along, wanted = await everything(store, "together"), await everything(store, "stored")
    assert along == wanted
    assert len(wanted[" balance"]) > 100
    assert any(row.get("export") or row.get("energy_export_kwh") for row in wanted[" usage"])


async def test_a_part_of_a_month_that_is_computed_again_gives_the_figures_of_what_is_stored_then(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Span(FIRST + 4 * DAY_MS + 5 * HOUR_MS, FIRST + 11 * DAY_MS + 7 * HOUR_MS)
    monkeypatch.setattr(compute, "AT_ONCE", 1)
    for name in ("together", "stored"):
        park = await computed(store, tmp_path / "park.yaml", name)
        await store.write(lines(name, more=7.0), OPERATOR_DATABASE)
        with monkeypatch.context() as patched:
            if name == "stored":
                patched.setattr(KeptAmounts, "keep", lambda *_: None)
            await ParkUsage(store, park).recompute(part, park.meters, NOW)
    assert await everything(store, "together") == await everything(store, "stored")

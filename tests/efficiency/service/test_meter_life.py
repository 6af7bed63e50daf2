"""Meters that begin and end: figures and balances are of the time of each, also once the park file says so later."""

from pathlib import Path
from typing import Any

import pytest

from efficiency.indicators.balance import BALANCE_FIGURES, INCOMING, LOSS
from efficiency.indicators.figure import Figure, figures_in
from efficiency.service.park import ParkUsage
from efficiency.service.progress import Cursor, Progress
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS
from efficiency.valuation.valued import NOTHING
from metering.park import Park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series
from tests.efficiency.service.test_meter_status import meter, park_of

FIRST = 1_793_466_000_000
"""The first of November 2026 in the park."""
EXCHANGED = FIRST + 4 * DAY_MS + 10 * HOUR_MS + 2 * QUARTER_MS
NOW = FIRST + 9 * DAY_MS + 5 * HOUR_MS
PER_QUARTER_HOUR = {"old": 30.0, "new-1": 20.0, "new-2": 10.0, "line": 12.0}
LIVES = {"old": (FIRST, EXCHANGED), "new-1": (EXCHANGED, NOW), "new-2": (EXCHANGED, NOW), "line": (FIRST, NOW)}


def replaced(folder: Path) -> Park:
    def main(name: str, **life: Any) -> dict[str, Any]:
        return meter(name, 900, role="main", tenant="textile", **life)

    at = "2026-11-05T10:30:00+07:00"
    closing = {"energy_kwh": PER_QUARTER_HOUR["old"] * (EXCHANGED - FIRST) / QUARTER_MS}
    below = [{"tenant": "textile", "parent": "old"}, {"from": at, "tenant": "textile", "parent": "new-1"}]
    return park_of(
        folder,
        main("old", until=at, instruments=[{"closing": closing}]),
        main("new-1", **{"from": at}),
        main("new-2", **{"from": at}),
        meter("line", 900, belongs=below),
    )


async def write(store: Store, park: Park) -> None:
    for name, (since, end) in LIVES.items():
        head = reading_series(park.id, park.meter[name])
        shown = range(since, end + 1, QUARTER_MS)
        per_ms = PER_QUARTER_HOUR[name] / QUARTER_MS
        lines = [f"{head} energy_kwh={(ms - since) * per_ms!r} {ms * NS_PER_MS}" for ms in shown]
        await store.write(lines, OPERATOR_DATABASE)


async def balance(store: Store, main: str, period: str) -> dict[str, Figure]:
    rows = await store.query(
        f'SELECT * FROM "balance" WHERE "main" = \'{main}\' AND "period" = \'{period}\'', OPERATOR_DATABASE
    )
    return figures_in(rows[-1], BALANCE_FIGURES)


async def test_nothing_is_missing_of_a_month_in_which_a_main_meter_is_replaced_by_two(
    store: Store, tmp_path: Path
) -> None:
    park = replaced(tmp_path)
    await write(store, park)
    usage = ParkUsage(store, park)
    await usage.begin(NOW)
    await usage.cycle(NOW)
    (month,) = await store.query(
        'SELECT * FROM "efficiency" WHERE "tenant" = \'textile\' AND "period" = \'month\'', OPERATOR_DATABASE
    )
    found = figures_in(month)
    assert found["electricity_kwh"].value == pytest.approx(30.0 * (NOW - FIRST) / QUARTER_MS)
    assert found["peak_demand_kw"].value == pytest.approx(120.0)
    for name in ("electricity_kwh", "peak_demand_kw", "base_load_kw"):
        assert (found[name].completeness, found[name].estimated, found[name].reasons) == (1, 0, NOTHING), name
    for main in ("old", "new-1"):
        since, end = LIVES[main]
        lasted = (end - since) / QUARTER_MS
        for period in ("month", "year"):
            of_main = await balance(store, main, period)
            assert of_main[INCOMING].value == pytest.approx(lasted * PER_QUARTER_HOUR[main])
            assert of_main[LOSS].value == pytest.approx(lasted * (PER_QUARTER_HOUR[main] - PER_QUARTER_HOUR["line"]))
            if period == "month":
                assert {(each.completeness, each.reasons) for each in of_main.values()} == {(1, NOTHING)}


async def test_a_meter_whose_beginning_is_moved_later_leaves_no_months_before_it(store: Store, tmp_path: Path) -> None:
    """The months before have figures without a value, because all months were made anew after a restart."""
    early, late = meter("early", 3600, tenant="textile"), meter("late", 3600, tenant="idle")
    park = park_of(tmp_path, early, late)
    for name, since in (("early", FIRST - 40 * DAY_MS), ("late", FIRST)):
        head = reading_series(park.id, park.meter[name])
        shown = range(since, NOW + 1, HOUR_MS)
        await store.write([f"{head} energy_kwh={ms / HOUR_MS!r} {ms * NS_PER_MS}" for ms in shown], OPERATOR_DATABASE)
    usage = ParkUsage(store, park)
    await usage.begin(NOW)
    await usage.cycle(NOW)
    await Progress(store, park.id).save(Cursor(NOW * NS_PER_MS, NOW, FIRST - 40 * DAY_MS), NOW + 1)
    usage = ParkUsage(store, park)
    await usage.begin(NOW)
    await usage.cycle(NOW)
    months = 'SELECT * FROM "efficiency" WHERE "tenant" = \'idle\' AND "period" = \'month\''
    assert len(await store.query(months, OPERATOR_DATABASE)) == 3
    usage.park = park_of(tmp_path, early, {**late, "from": "2026-11-01"})
    await usage.cycle(NOW + 60_000)
    (month,) = await store.query(months, OPERATOR_DATABASE)
    assert month["time"] == FIRST * NS_PER_MS

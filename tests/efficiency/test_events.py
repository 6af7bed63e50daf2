"""Events: one an occurrence, at its instant, the same when computed again, gone when no longer found."""

from ecopark.plant.events import FIELD_EVENTS, Swap
from efficiency.intervals import DAY_MS, HOUR_MS, Span
from efficiency.parkusage import ParkUsage
from store.client import Row, Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, tenant_database
from tests.efficiency.conftest import Field

GAP = "sm-brewery"


async def events(store: Store, database: str = OPERATOR_DATABASE) -> list[Row]:
    rows = await store.query('SELECT * FROM "events"', database)
    return sorted(rows, key=lambda row: (row["meter"] or "", row["time"], row["kind"]))


async def test_a_gap_and_a_swap_are_told_once_and_a_gap_that_is_filled_is_told_no_more(
    song_xanh_field: Field, store: Store
) -> None:
    field = song_xanh_field
    swap = next(event for event in FIELD_EVENTS if isinstance(event, Swap))
    at = field.plant.at(swap)
    now = max(at, field.ms(days=1)) + 6 * HOUR_MS
    await field.write(store, [swap.meter], at - 6 * HOUR_MS, now)
    gap = (now - 14 * HOUR_MS, now - 11 * HOUR_MS)
    await field.write(store, [GAP], now - 24 * HOUR_MS, gap[0])
    await field.write(store, [GAP], gap[1], now)
    usage = ParkUsage(store, field.park)
    await usage.begin(now)
    await usage.cycle(now)
    found = await events(store)
    of_swap = [row for row in found if row["meter"] == swap.meter and row["kind"] == "swap"]
    assert [row["time"] // NS_PER_MS for row in of_swap] == [at]
    assert "chỉ số tháo" in of_swap[0]["text_vi"]
    told = [row for row in found if row["meter"] == GAP and row["kind"] == "gap"]
    assert [row["text_en"] for row in told if row["time"] // NS_PER_MS <= gap[0]]
    tenant = field.park.meter[GAP].tenant
    assert tenant is not None
    there = await events(store, tenant_database(field.park.id, tenant))
    assert there == [row for row in found if row["tenant"] == tenant]
    again = ParkUsage(store, field.park)
    await again.begin(now)
    await again.recompute(_day(now), field.park.meters, now)
    assert await events(store) == found
    await field.write(store, [GAP], *gap)
    await again.recompute(_day(now), [field.park.meter[GAP]], now)
    assert await events(store) == [row for row in found if row not in told]


def _day(now: int) -> Span:
    return Span(now - 2 * DAY_MS, now)

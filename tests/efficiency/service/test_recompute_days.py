"""Days of a tenant that are computed again, by hand or for late readings, and the months above them."""

from pathlib import Path
from typing import Any

import pytest

from efficiency.service import compute
from efficiency.service.park import ParkUsage
from efficiency.stored.meteruse import MeterRegister, MeterUse
from efficiency.usage.intervals import HOUR_MS, Span
from ingest.arrivals import ArrivalSource, Extent, Trace
from metering.park import Park
from store.client import Store
from store.schema import OPERATOR_DATABASE, reading_series
from tests.efficiency.conftest import usage_rows
from tests.efficiency.service.test_aside import lines, park_of
from tests.efficiency.smallpark import at, small_park, write_days


async def test_a_day_that_is_recomputed_changes_its_month_as_if_all_of_it_were(store: Store, tmp_path: Path) -> None:
    _, park = small_park(tmp_path)
    now = at(park, 6, 1)
    await write_days(store, park, range(6))
    await _computed(store, park, Span(at(park, 0), now), now)
    wrong = await store.query('SELECT * FROM "efficiency"', OPERATOR_DATABASE)
    await write_days(store, park, [2], ["em-textile"], more={"em-textile": 100.0})  # its midnights are moved, too
    await _computed(store, park, Span(at(park, 1), at(park, 4)), now)
    await _computed(store, park, Span(at(park, 2), at(park, 3)), now)
    of_a_day = await store.query('SELECT * FROM "efficiency"', OPERATOR_DATABASE)
    await store.query('DROP MEASUREMENT "efficiency"', OPERATOR_DATABASE)
    await _computed(store, park, Span(at(park, 0), now), now)
    assert await store.query('SELECT * FROM "efficiency"', OPERATOR_DATABASE) == of_a_day != wrong
    assert {row["period"] for row in of_a_day if row["tenant"] == "textile"} == {"day", "month", "year"}


async def _computed(store: Store, park: Park, window: Span, now_ms: int) -> None:
    await ParkUsage(store, park).recompute(window, park.meters, now_ms)


async def test_meters_of_a_tenant_that_are_corrected_at_different_times_are_all_taken_in(
    store: Store, tmp_path: Path
) -> None:
    _, park = small_park(tmp_path)
    await write_days(store, park, range(12))
    now = at(park, 12, 1)
    usage = ParkUsage(store, park)
    await usage.begin(now)
    await usage.cycle(now)
    late = {"em-textile": 2, "pm-textile": 5, "wm-textile": 8}
    for meter, number in late.items():
        head, counter = reading_series(park.id, park.meter[meter]), park.meter[meter].counter
        await store.write([f"{head} {counter}=1.5 {at(park, number, 6)}000000"], OPERATOR_DATABASE)
    spans = {
        ArrivalSource(park.id, meter): Extent(at(park, number, 6), at(park, number, 6))
        for meter, number in late.items()
    }
    await store.write(Trace("ingest-1").lines(spans, now), OPERATOR_DATABASE)
    now += 600_000  # months are computed again only now and then
    await usage.cycle(now)
    corrected = [await store.query(f'SELECT * FROM "{name}"', OPERATOR_DATABASE) for name in ("usage", "efficiency")]
    await _computed(store, park, Span(at(park, 0), now), now)
    found = [await store.query(f'SELECT * FROM "{name}"', OPERATOR_DATABASE) for name in ("usage", "efficiency")]
    assert found == corrected
    assert any(row["revised"] for row in corrected[0])


async def test_a_day_at_whose_end_meters_fell_silent_is_computed_together_as_one_by_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A park that stands still since midnight, a meter that did since the evening, and one that goes on."""
    park = park_of(tmp_path, ["midnight", "evening", "on", "back"])
    midnight = at(park, 5)
    ends = {"midnight": 0, "evening": -3, "on": 7, "back": -3}
    for meter, hours in ends.items():
        await store.write(lines(park, meter, at(park, 4, -5), midnight + hours * HOUR_MS), OPERATOR_DATABASE)
    await store.write(lines(park, "back", at(park, 5, 6), at(park, 5, 7)), OPERATOR_DATABASE)
    by_itself: list[str] = []
    steps = MeterUse.steps

    async def noted(self: MeterUse, register: MeterRegister, *others: Any) -> Any:
        by_itself.append(register.meter.id)
        return await steps(self, register, *others)

    with monkeypatch.context() as patched:
        patched.setattr(MeterUse, "steps", noted)
        await _computed(store, park, Span(at(park, 4), midnight), at(park, 5, 8))
    assert {*by_itself} == {"back"}
    together = await usage_rows(store)
    await store.query('DROP MEASUREMENT "usage"', OPERATOR_DATABASE)
    with monkeypatch.context() as patched:
        patched.setattr(compute, "plain_uses", lambda *_: {})
        await _computed(store, park, Span(at(park, 4), midnight), at(park, 5, 8))
    assert await usage_rows(store) == together
    assert sum(row["amount"] or 0.0 for row in together if row["meter"] == "evening") == pytest.approx(21 * 4)

"""Registers at the ends of a month against the quarter hours between them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from efficiency.closing.monthuse import MonthUse, PointSpan, month_span
from efficiency.closing.obstacle import faults_of
from efficiency.closing.registers import StretchReader
from efficiency.closing.statement import RegisterAt, Stretch
from efficiency.stored.meteruse import MeterUse
from efficiency.stored.readings import RegisterReader
from efficiency.stored.usage import usage_of_rows
from efficiency.usage.intervals import HOUR_MS, quarters_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import slots_over
from efficiency.valuation.rows import rows_of
from metering.park import Park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series
from tests.efficiency.closing.monthpark import OCTOBER, month_park

ROLLS = {
    "registers: {energy_kwh: {resolution: 0.01}}\n    parent: em-grid\n    belongs": (
        "registers: {energy_kwh: {resolution: 0.01, rollover: 100000}}\n    parent: em-grid\n    belongs"
    )
}


async def stretch(store: Store, park: Park, meter: str, shown: dict[float, float]) -> Stretch:
    """The stretch of October from registers at so many hours after its begin."""
    span, head = month_span(park, OCTOBER), reading_series(park.id, park.meter[meter])
    counter = park.meter[meter].counter
    at = {span.start + round(hours * HOUR_MS): each for hours, each in shown.items()}
    await store.write([f"{head} {counter}={each} {ms * NS_PER_MS}" for ms, each in at.items()], OPERATOR_DATABASE)
    reader = RegisterReader(store, park.id)
    await reader.find_first([park.meter[meter]])
    use = MeterUse(reader, span.end + 100 * HOUR_MS, park.zone)
    (found,) = await StretchReader(park, use).of(PointSpan(park.meter[meter], "", span))
    return found


async def test_a_register_between_two_readings_is_interpolated_and_says_so(store: Store, tmp_path: Path) -> None:
    found = await stretch(
        store, month_park(tmp_path), "wm-alpha", {-2: 10.0, 6: 18.0, 700: 700.0, 744: 790.0, 750: 795.0}
    )
    assert found.opening is not None
    assert (found.opening.shown, found.opening.interpolated) == (12.0, True)
    assert found.closing is not None
    assert (found.closing.shown, found.closing.interpolated) == (790.0, False)
    assert found.use == 778.0


async def test_a_register_that_rolled_over_counts_its_range(store: Store, tmp_path: Path) -> None:
    park = month_park(tmp_path, ROLLS)
    found = await stretch(store, park, "em-beta", {0: 99000.0, 10: 99900.0, 12: 100.0, 744: 1000.0, 745: 1001.0})
    assert found.use == 2000.0


@pytest.mark.parametrize(("said", "differs"), [(1000.0, False), (1000.9, False), (1010.0, True), (None, False)])
def test_registers_that_contradict_the_quarter_hours_prevent_closing(
    tmp_path: Path, said: float | None, differs: bool
) -> None:
    park = month_park(tmp_path)
    span, meter = month_span(park, OCTOBER), park.meter["wm-alpha"]
    start = quarters_in(span)
    hours = QuarterHours.of(start, np.full(len(start), 1000 / len(start)))
    usage = usage_of_rows(rows_of(park, meter, hours, {}, slots_over(span, park.zone)))
    point = PointSpan(meter, "alpha", span)
    begin = RegisterAt(at=datetime(2026, 10, 1, tzinfo=UTC), shown=0.0)
    found = Stretch(counter="volume_m3", since=begin.at, until=begin.at, opening=begin, multiplier=1.0, use=said)
    month = MonthUse(park, OCTOBER, {meter.id: usage}, {(meter.id, span): (found,)})
    faults = [each.text.en for each in faults_of(month, month.passed(point))]
    assert faults == (
        ["registers at the ends say 1,010 m³, the quarter hours between them 1,000 m³"] if differs else []
    )

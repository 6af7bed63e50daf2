"""Of meters that are valued together, only differing rows are written; a meter that would lose a number is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from efficiency.service.plainrows import PlainGroup, PlainMeter, PlainUse, RowChanges, changed_rows
from efficiency.usage.intervals import EVER, QUARTER_MS, Span, quarters_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.rows import NUMBERS, AlikeMeters, places_in
from tests.efficiency.service.test_edits import BEGIN, raw_park, written

WINDOW = Span(BEGIN, BEGIN + 4 * QUARTER_MS)
NOW = WINDOW.end + 60_000
USE = QuarterHours.of(quarters_in(WINDOW), np.array([1.0, 2.0, 3.0, 4.0]))


def found(tmp_path: Path, before: QuarterHours, now: QuarterHours) -> RowChanges:
    park = written(tmp_path / "park.yaml", raw_park())
    (place,) = places_in(park, park.meter["w-1"], EVER)
    group = PlainGroup(WINDOW, NOW, AlikeMeters.of(["volume_m3"], place))
    some = [PlainMeter("w-1", place, PlainUse(WINDOW, NOW, {"volume_m3": before}))]
    return changed_rows(park, group, some, {"w-1": {"volume_m3": now}}, WINDOW, NOW)


def test_only_what_differs_is_written_and_what_was_complete_is_revised(tmp_path: Path) -> None:
    assert found(tmp_path, USE, USE).rows.meters == []
    changed = replace(USE, amount=np.array([1.0, 2.0, 3.5, 4.0]))
    rows = found(tmp_path, USE, changed).rows
    assert rows.rows.start.tolist() == [BEGIN + 2 * QUARTER_MS]
    assert rows.rows.numbers[0, NUMBERS.index("cost_vnd")] == 35_000
    assert [key.tenant for key in rows.keys] == ["smith"]
    assert rows.revised.tolist() == [NOW]


def test_a_meter_that_loses_a_number_is_left_out_for_that_cannot_be_overwritten(tmp_path: Path) -> None:
    coarse = replace(USE, error=np.full(4, 50.0))
    assert found(tmp_path, USE, coarse).meters == {"w-1"}
    lost = found(tmp_path, coarse, USE)
    assert (lost.meters, lost.rows.meters) == (frozenset(), [])

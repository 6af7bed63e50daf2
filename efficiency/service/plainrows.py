"""Finds, for many plain meters at once, the rows of `usage` that differ from those of the last cycle.

Pure. A row depends only on the use in its quarter hour, the time and the park file. So only quarter hours whose use
differs from that of the last cycle can have other rows than those in the store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficiency.stored.usage import WORTH, SeriesKey, SeriesRows, unequal
from efficiency.usage.intervals import QUARTER_MS, Bools, Floats, Span, Times
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, slots_over
from efficiency.valuation.rows import BAND_NAMES, COMPLETENESS, AlikeMeters, BandRows, Rows, ValuedPlace, band_rows
from metering.park import Park

Uses = Mapping[str, QuarterHours]
"""Use of a meter by register."""


@dataclass(frozen=True, slots=True)
class PlainUse:
    """The use of a plain meter in `window`, as computed and stored at `now_ms`."""

    window: Span
    now_ms: int
    uses: Uses


class PlainGroup(NamedTuple):
    """What plain meters share that are valued together: when they were last computed, and how they are `alike`."""

    window: Span
    now_ms: int
    alike: AlikeMeters


@dataclass(frozen=True, slots=True)
class PlainMeter:
    """A meter, its place in the park during the whole window, and its use as of the last cycle."""

    meter: str
    place: ValuedPlace
    plain: PlainUse


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows to write for `meters`. Other meters are missing: some row of theirs must be deleted."""

    meters: frozenset[str]
    rows: SeriesRows


@dataclass(frozen=True, slots=True)
class _Grid:
    """Numbers of one register by meter and quarter hour: use, completeness and error."""

    amount: Floats
    completeness: Floats
    error: Floats

    @classmethod
    def of(cls, uses: Sequence[QuarterHours], first: int, width: int) -> "_Grid":
        """From the quarter hour `first` on; those after the last are unknown."""

        def grid(columns: Sequence[Floats]) -> Floats:
            found = np.full((len(columns), width), np.nan)
            rows = np.stack(columns)[:, first:]
            found[:, : rows.shape[1]] = rows
            return found

        return cls(
            grid([use.amount for use in uses]),
            grid([use.completeness for use in uses]),
            grid([use.error for use in uses]),
        )

    def differs_from(self, other: "_Grid") -> Bools:
        return (
            unequal(self.amount, other.amount)
            | unequal(self.completeness, other.completeness)
            | unequal(self.error, other.error)
        )

    def hours(self, cells: "_Cells") -> QuarterHours:
        """Some of the cells as quarter hours, one after the other."""
        place, start = (cells.meter, cells.hour), cells.when.start
        none, rules = np.zeros(len(start)), np.zeros(len(start), dtype=np.uint32)
        return QuarterHours(
            start, self.amount[place], none, completeness=self.completeness[place], error=self.error[place], rules=rules
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Some quarter hours of many meters: index of the meter and of the quarter hour, its time, the meter's rating."""

    meter: NDArray[np.intp]
    hour: NDArray[np.intp]
    when: Slots
    rated: Floats


def changed_rows(
    park: Park, group: PlainGroup, some: Sequence[PlainMeter], now: Mapping[str, Uses], window: Span, now_ms: int
) -> RowChanges:
    """What differs from the last cycle in a window, for the meters of one `group`."""
    width = (window.end - window.start) // QUARTER_MS
    first, known = ((ms - window.start) // QUARTER_MS for ms in (group.window.start, group.window.end))
    grids = {
        register: (
            _Grid.of([each.plain.uses[register] for each in some], -first, width),
            _Grid.of([now[each.meter][register] for each in some], 0, width),
        )
        for register in group.alike.registers
    }
    changed = np.logical_or.reduce([before.differs_from(after) for before, after in grids.values()])
    changed[:, known:] = True
    meter, hour = np.nonzero(changed)
    when = slots_over(window, park.zone).cut(hour)
    rated = np.array([park.meter[each.meter].rated for each in some])[meter]
    cells = _Cells(meter, hour, when, rated)
    old = _valued(park, some[0], {name: before for name, (before, _) in grids.items()}, cells)
    new = _valued(park, some[0], {name: after for name, (_, after) in grids.items()}, cells)
    start, of_meter = when.start[new.hour], meter[new.hour]
    there = (hour[new.hour] < known) & has_row(start, old.numbers, group.now_ms)
    holds = has_row(start, new.numbers, now_ms)
    lost = there & (~holds | (np.isnan(new.numbers) & ~np.isnan(old.numbers)).any(axis=1))
    differs = unequal(new.numbers, old.numbers)
    simple = ~np.isin(np.arange(len(some)), of_meter[lost])
    written = np.flatnonzero(holds & simple[of_meter] & (~there | differs.any(axis=1)))
    revised = there & (old.numbers[:, COMPLETENESS] == 1) & differs[:, WORTH].any(axis=1)
    numbers = new.numbers[written]
    rows = Rows(start[written], numbers, np.zeros(len(written), dtype=np.int64))
    keys = [[SeriesKey.of(each.place, band) for band in BAND_NAMES] for each in some]
    pairs = list(zip(of_meter[written].tolist(), new.band[written].tolist(), strict=True))
    return RowChanges(
        frozenset(each.meter for each, one in zip(some, simple.tolist(), strict=True) if one),
        SeriesRows(
            [some[place].meter for place, _ in pairs],
            [keys[place][band] for place, band in pairs],
            rows,
            np.where(revised[written], now_ms, 0),
        ),
    )


def _valued(park: Park, one: PlainMeter, grids: Mapping[str, _Grid], cells: _Cells) -> BandRows:
    counter = park.meter[one.meter].counter
    uses = {name: grid.hours(cells) for name, grid in grids.items()}
    further = {name: use for name, use in uses.items() if name != counter}
    return band_rows(park, one.place, uses[counter], further, cells.when, rated=cells.rated)


def has_row(start: Times, numbers: Floats, now_ms: int) -> Bools:
    """Which rows are stored: a running quarter hour in which nothing was read yet is not missing."""
    return np.asarray((start + QUARTER_MS <= now_ms) | (numbers[:, COMPLETENESS] > 0))

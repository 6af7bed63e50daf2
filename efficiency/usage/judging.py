"""Judges a step from one register to the next: use, a roll-over, a reset, or something impossible.

A step is judged by the rating of the metering point, the range of the register, and the instruments on both sides. A
register that may have rolled over more than once, or that was perhaps reset instead, leaves its use open; so does a
fall. What lies around such a step decides afterwards (`efficiency.usage.settling`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.counters import Counter, Counts
from efficiency.usage.intervals import DAY_MS, HOUR_MS, Bools, Floats, Times
from efficiency.usage.line import Line


class StepMeaning(IntEnum):
    """What a step is. Up to `KNOWN` its use is known; from `AMBIGUOUS` on it is estimated."""

    GOOD = 0
    ROLLOVER = 1
    EXPORT = 2
    AMBIGUOUS = 3
    SPLIT = 4
    DAILY = 5
    RESET = 6
    RESTORED = 7
    BOUND = 8
    WRAPS = 9
    SWAP = 10
    LOST = 11


KNOWN = StepMeaning.DAILY
Kinds = NDArray[np.uint8]
Pick = slice | NDArray[np.intp]

_LONGEST_DAY_MS = DAY_MS + HOUR_MS
_SURE = 0.1
"""A fall is a roll-over beyond doubt where no more than this share of the range can pass in its time: that a register
was reset just then would be a coincidence."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Steps between readings: `delta` in the point's unit (NaN where nothing can be said), and `kind`."""

    delta: Floats
    kind: Kinds


def judged_next(counter: Counter, line: Line) -> Judged:
    """Judge the step from each reading to the next."""
    return judged(counter, line, slice(None, -1), slice(1, None))


def judged(counter: Counter, line: Line, begin: Pick, end: Pick) -> Judged:
    """Judge the step from each reading in `begin` to that in `end`."""
    before, after = line.values[begin], line.values[end]
    delta = after - before
    instrument = line.instrument[end]
    most = (line.times[end] - line.times[begin]) * counter.most_per_ms + counter.step(after, instrument)
    kind = np.zeros(len(delta), dtype=np.uint8)
    odd = (delta < 0) | (delta > most)
    if counter.rolls:
        odd |= delta + counter.rollover[instrument] <= most
    if not counter.simple:
        odd |= line.epoch[begin] != line.epoch[end]
    places = np.flatnonzero(odd)
    if len(places):
        found = _odd(counter, before[places], after[places], most[places], instrument[places])
        delta[places], kind[places] = found.delta, found.kind
        if not counter.simple:
            first, last = (np.arange(len(line.times))[pick] for pick in (begin, end))
            for place in places[line.epoch[first[places]] != line.epoch[last[places]]].tolist():
                delta[place], kind[place] = _across(counter, line, int(first[place]), int(last[place]))
    return Judged(delta, kind)


def impossible(line: Line, kind: Kinds) -> Bools:
    """Steps between consecutive readings that no use can explain, unless readings beside them are wrong."""
    fell = line.values[1:] < line.values[:-1]
    return np.asarray(
        (kind >= StepMeaning.RESET) & ((kind <= StepMeaning.BOUND) | ((kind == StepMeaning.WRAPS) & fell))
    )


def _odd(counter: Counter, before: Floats, after: Floats, most: Floats, instrument: Times) -> Judged:
    delta = after - before
    fell = delta < 0
    kind = np.where(fell, np.where(np.abs(after) <= most, StepMeaning.RESET, StepMeaning.RESTORED), StepMeaning.BOUND)
    kind[(delta >= 0) & (delta <= most)] = StepMeaning.GOOD
    exported = np.zeros(len(delta), dtype=np.bool_)
    if counter.signed:
        exported = fell & (-delta <= most) & counter.may_fall[instrument]
        kind[exported] = StepMeaning.EXPORT
    if counter.rolls:
        size = counter.rollover[instrument]
        within = np.isfinite(size) & (np.abs(before) <= size) & (np.abs(after) <= size) & ~exported
        fewest = np.where(fell & within, 1, 0)
        ways = np.where(within, np.floor((most - delta) / size) - fewest + 1, 0)
        sure = fell & (ways == 1) & (most <= _SURE * size)
        open_ = ((fell & (ways >= 1)) | (ways >= 2)) & ~sure  # noqa: PLR2004 (one way, or several)
        delta = np.where(fell & (ways == 1), delta + size, np.where(open_, np.nan, delta))
        kind[sure] = StepMeaning.ROLLOVER
        kind[open_] = StepMeaning.WRAPS
    return Judged(delta, kind.astype(np.uint8))


class _JudgedStep(NamedTuple):
    """The use of one step, and what kind of step it is."""

    delta: float
    kind: StepMeaning


def _across(counter: Counter, line: Line, begin: int, end: int) -> _JudgedStep:
    """A step from one epoch to another."""
    old, new = int(line.instrument[begin]), int(line.instrument[end])
    start, stop = int(line.times[begin]), int(line.times[end])
    if old == new:
        if counter.instruments[old].counts is not Counts.DAILY:
            return _JudgedStep(np.nan, StepMeaning.LOST)
        # The epoch of a day is its midnight: only the step to the opening of the next day can be estimated.
        next_day = line.epoch[end] - line.epoch[begin] <= _LONGEST_DAY_MS
        opens = line.values[end] == 0 and stop - start <= _LONGEST_DAY_MS
        return _JudgedStep(np.nan, StepMeaning.DAILY if next_day and opens else StepMeaning.LOST)
    between = counter.instruments[old + 1 : new + 1]
    if not all(fitted.continues for fitted in between):
        return _JudgedStep(np.nan, StepMeaning.SWAP)
    return _continued(counter, line, begin, end)


def _continued(counter: Counter, line: Line, begin: int, end: int) -> _JudgedStep:
    """The same register goes on with another ratio: the power that gives its rise, with each ratio for its time."""
    old, new = int(line.instrument[begin]), int(line.instrument[end])
    edges = [int(line.times[begin]), *(each.since for each in counter.instruments[old + 1 : new + 1])]
    edges.append(int(line.times[end]))
    factors = counter.factor[old : new + 1]
    per_unit = float(np.sum(np.diff(edges) / factors))
    rise = float(line.values[end] / factors[-1] - line.values[begin] / factors[0])
    rollover = counter.instruments[new].rollover
    if rise < 0 < per_unit and rollover is not None and (rise + rollover) / per_unit <= counter.most_per_ms:
        rise += rollover
    step = float(counter.count[old : new + 1].max())
    elapsed = edges[-1] - edges[0]
    if not per_unit or abs(rise / per_unit) * elapsed > counter.most_per_ms * elapsed + step:
        return _JudgedStep(np.nan, StepMeaning.SWAP)
    delta = rise / per_unit * elapsed
    if delta < 0 and not counter.may_fall[new]:
        return _JudgedStep(np.nan, StepMeaning.SWAP)
    if (factors != factors[0]).any():
        return _JudgedStep(delta, StepMeaning.SPLIT)
    return _JudgedStep(delta, StepMeaning.EXPORT if delta < 0 else StepMeaning.GOOD)

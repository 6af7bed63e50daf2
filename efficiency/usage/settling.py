"""Decides about open steps by what lies around them: a roll-over or a reset, one unit or another.

The usual use is that of the good steps within `NEAR_MS` on either side, or of the nearest one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import DAY_MS, HOUR_MS, Floats
from efficiency.usage.judging import Judged, Kinds, StepMeaning
from efficiency.usage.line import Line
from efficiency.usage.resolution import counted_step

NEAR_MS = HOUR_MS
"""How far the usual use around a step is looked for."""

_FITS = 0.25
"""How far the use of an ambiguous step may be from what was usual before and after it."""
_COUNTS = 5.0
"""Use of fewer counts says nothing about its size."""
_DECADES = 3
_JUMPED, _PAUSED = 0.07, 0.02
"""How near to a power of ten use must have changed, in decades: where the register jumped, and where it only paused."""
_PAUSE = 3.0
"""A gap of so many intervals may be a restart after an update, which takes a day at the most."""
_STEADY_MS = HOUR_MS // 2
_STEADY = 0.2


@dataclass(frozen=True, slots=True)
class Usual:
    """Use around a step: per ms, how much it was, how long, and how far its halves lie apart as a share of it."""

    rate: float
    rise: float
    lasted: int
    uneven: float
    count: float


class Settled(NamedTuple):
    """Steps: `delta`, `kind`, and the power of ten by which use changed across each, 0 nearly everywhere."""

    delta: Floats
    kind: Kinds
    unit: NDArray[np.int8]


def settle(counter: Counter, line: Line, found: Judged, unsure: list[int]) -> Settled:
    """Decide about open steps; `unsure` are the starts of those with several explanations."""
    delta, kind = found.delta, found.kind
    unit = np.zeros(len(kind), dtype=np.int8)
    for start in unsure:
        place = int(np.searchsorted(line.times, start))
        if place < len(kind) and line.times[place] == start and kind[place] == StepMeaning.GOOD:
            kind[place] = StepMeaning.AMBIGUOUS
    gap = line.times[1:] - line.times[:-1]
    paused = (gap > _PAUSE * counter.interval_ms) & (gap <= DAY_MS)
    odd = np.flatnonzero((kind >= StepMeaning.DAILY) & (kind <= StepMeaning.WRAPS) | paused)
    if not len(odd):
        return Settled(delta, kind, unit)
    judged_kind = found.kind.copy()
    for place in odd.tolist():
        if kind[place] > StepMeaning.WRAPS or line.instrument[place] != line.instrument[place + 1]:
            continue  # an exchange or a lost message is known, or somebody has explained the change there
        before, after = (
            usual_before(counter, line, judged_kind, place),
            usual_after(counter, line, judged_kind, place + 1),
        )
        elapsed = int(line.times[place + 1] - line.times[place])
        if kind[place] == StepMeaning.WRAPS and _fits(float(delta[place]), elapsed, before, after):
            kind[place] = StepMeaning.AMBIGUOUS
        elif kind[place] == StepMeaning.DAILY:
            if before is None or elapsed > max(NEAR_MS, _PAUSE * counter.interval_ms):
                kind[place] = StepMeaning.LOST
            else:
                delta[place] = max(0.0, before.rate) * elapsed
        else:
            unit[place] = _decade(before, after, jumped=kind[place] > StepMeaning.DAILY)
    return Settled(delta, kind, unit)


def usual_before(counter: Counter, line: Line, kind: Kinds, place: int) -> Usual | None:
    """Use up to the reading at `place`; None where nothing good lies before it."""
    first = min(int(np.searchsorted(line.times, line.times[place] - NEAR_MS)), place - 1)
    if first < 0:
        return None
    bad = np.flatnonzero(kind[first:place] != StepMeaning.GOOD)
    return _usual(counter, line, first + int(bad[-1]) + 1 if len(bad) else first, place)


def usual_after(counter: Counter, line: Line, kind: Kinds, place: int) -> Usual | None:
    """Use from the reading at `place` on; None where nothing good lies after it."""
    last = max(int(np.searchsorted(line.times, line.times[place] + NEAR_MS, side="right")) - 1, place + 1)
    if last >= len(line.times):
        return None
    bad = np.flatnonzero(kind[place:last] != StepMeaning.GOOD)
    return _usual(counter, line, place, place + int(bad[0]) if len(bad) else last)


def _usual(counter: Counter, line: Line, first: int, last: int) -> Usual | None:
    lasted = int(line.times[last] - line.times[first])
    if first >= last or not lasted:
        return None
    rise = float(line.values[last] - line.values[first])
    middle = (first + last) // 2
    half = float(line.values[middle] - line.values[first]) / max(1, int(line.times[middle] - line.times[first]))
    rate = rise / lasted
    uneven = abs(half - rate) / rate if rate > 0 and first < middle < last else np.inf
    part = slice(first, last + 1)
    count = float(counted_step(counter, line.values[part], line.instrument[part]).min())
    return Usual(rate, rise, lasted, uneven, count)


def _fits(delta: float, elapsed: int, before: Usual | None, after: Usual | None) -> bool:
    """Whether a roll-over would be about the use that is usual before and after it."""
    expected = [usual.rate * elapsed for usual in (before, after) if usual is not None]
    return bool(expected) and all(abs(delta - each) <= _FITS * delta for each in expected)


def _decade(before: Usual | None, after: Usual | None, *, jumped: bool) -> int:
    """The power of ten by which use changed, if it did."""
    if before is None or after is None or min(before.rise, after.rise) <= 0:
        return 0
    if before.rise < _COUNTS * before.count or after.rise < _COUNTS * after.count:
        return 0
    if not jumped and any(each.lasted < _STEADY_MS or each.uneven > _STEADY for each in (before, after)):
        return 0
    decades = float(np.log10(after.rate / before.rate))
    power = round(decades)
    near = abs(decades - power) <= (_JUMPED if jumped else _PAUSED)
    return power if near and 0 < abs(power) <= _DECADES else 0

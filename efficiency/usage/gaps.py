"""Long gaps: the total between two good registers is known, its shape is borrowed from the weeks before.

The same quarter hour of the same weekday one, two and three weeks earlier gives the shape, as far as it was measured
itself; the shape is scaled so that the gap's total is exact. Where the past cannot tell, or the result would be
physically impossible, and over more than three weeks, the total is spread evenly.
"""

from dataclasses import dataclass

import numpy as np

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import QUARTER_MS, WEEK_MS, Floats, Span, Times, quarters_in
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours

SHAPE_WEEKS = 3


@dataclass(frozen=True, slots=True)
class Past:
    """Measured use to take shapes from: starts of quarter hours, ascending, and amounts; only whole measured ones."""

    start: Times
    amount: Floats

    def at(self, starts: Times) -> Floats:
        """Amount of each quarter hour, NaN where it was not measured."""
        if not len(self.start):
            return np.full(len(starts), np.nan)
        place = np.minimum(np.searchsorted(self.start, starts), len(self.start) - 1)
        return np.where(self.start[place] == starts, self.amount[place], np.nan)


def past_of(use: QuarterHours) -> Past:
    """What shapes may be borrowed from."""
    return Past(use.start[use.measured], use.amount[use.measured])


def joined(pasts: list[Past]) -> Past:
    """Pasts of spans that follow one another."""
    if not pasts:
        return NO_PAST
    return Past(np.concatenate([past.start for past in pasts]), np.concatenate([past.amount for past in pasts]))


NO_PAST = Past(np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(frozen=True, slots=True)
class Filled:
    """A gap's quarter hours: `start`, the part of each that lies in the gap (ms), its use, and the rule."""

    start: Times
    inside_ms: Times
    delta: Floats
    rule: Rule


def shaped(gap: Span) -> bool:
    """Whether the past may give a gap its shape: of a longer one no week before was measured."""
    return gap.end - gap.start <= SHAPE_WEEKS * WEEK_MS


def histories(gap: Span) -> tuple[Span, ...]:
    """Where the past of a gap lies: as long as the gap, in each of the weeks before."""
    if not shaped(gap):
        return ()
    whole = gap.outward()
    return tuple(Span(whole.start - week * WEEK_MS, whole.end - week * WEEK_MS) for week in range(1, SHAPE_WEEKS + 1))


def filled(counter: Counter, gap: Span, delta: float, past: Past, within: Span) -> Filled:
    """Spread `delta` over the quarter hours of a gap; at least those that lie `within` whole quarter hours."""
    if shaped(gap):
        start = quarters_in(gap.outward())
        inside = np.minimum(start + QUARTER_MS, gap.end) - np.maximum(start, gap.start)
        share = inside / (gap.end - gap.start)
        spread = _shaped(counter, start, inside, delta * share, past)
        if spread is not None:
            return Filled(start, inside, spread, Rule.GAP_SHAPED)
    start = quarters_in(Span(max(gap.start, within.start), min(gap.end, within.end)).outward())
    inside = np.minimum(start + QUARTER_MS, gap.end) - np.maximum(start, gap.start)
    return Filled(start, inside, delta * (inside / (gap.end - gap.start)), Rule.GAP_LINEAR)


def _shaped(counter: Counter, start: Times, inside: Times, even: Floats, past: Past) -> Floats | None:
    """The even spread reshaped like the past; None where the past cannot tell or would be impossible."""
    shape = _shape(start, past) * (inside / QUARTER_MS)
    if not np.isfinite(shape).all():
        return None
    if counter.signed:
        # A shape with both signs cannot be scaled: it is moved by the same power everywhere.
        spread = shape + (even.sum() - shape.sum()) * (inside / inside.sum())
    elif shape.sum() > 0:
        spread = shape * (even.sum() / shape.sum())
    else:
        return None
    most = inside * counter.most_per_ms + counter.count.max()
    return spread if (np.abs(spread) <= most).all() else None


def _shape(start: Times, past: Past) -> Floats:
    """Mean of the weeks that were measured; where none was, the mean of the rest of the gap; NaN where none is."""
    weeks = np.stack([past.at(start - week * WEEK_MS) for week in range(1, SHAPE_WEEKS + 1)])
    seen = np.isfinite(weeks)
    count = seen.sum(axis=0)
    total = np.zeros(len(start))
    for week, there in zip(weeks, seen, strict=True):
        total += np.where(there, week, 0.0)
    mean: Floats = np.divide(total, count, out=np.full(len(start), np.nan), where=count > 0)
    if count.any():
        mean[count == 0] = mean[count > 0].mean()
    return mean

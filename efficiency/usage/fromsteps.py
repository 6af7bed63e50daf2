"""15-minute use of one counter, every quarter hour with its quality.

The register at a quarter hour's edge is interpolated between the readings around it; that of a coarse counter between
the readings at which it changed. A quarter hour holds what is known to have passed in it and nothing else: what a reset
or an impossible step hides is not invented, it is missing from `completeness`. A gap with good registers on both sides
keeps its exact total, however long it is; what had to be spread over several quarter hours is `estimated`, and so is
all use that has another explanation.

A quarter hour depends on the good readings around it, on those within `REACH_MS` of these, on those within `MARGIN_MS`
(for stuck meters and changed units), and, in a gap of over an hour, on the measured use of the three weeks before:
`efficiency.usage.affected` has the inverse.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from efficiency.usage.counters import Counter
from efficiency.usage.gaps import NO_PAST, Past, filled, histories
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, Bools, Floats, Span, Times, merged, quarters_in
from efficiency.usage.judging import KNOWN, Kinds, StepMeaning
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.resolution import resolution
from efficiency.usage.steps import Steps
from efficiency.usage.stuck import MOST_RUN, stuck

MARGIN_MS = (MOST_RUN - 1) * QUARTER_MS
"""What is this close to a quarter hour may mark it as stuck, or in a changed unit."""

GAP_FACTOR = 1.5
"""A step longer than so many intervals is a gap."""
COARSE = 2.0
"""A counter that rises by no more than so many counts after it stood still is interpolated from when it stood still."""
_STEP_RULES = {
    StepMeaning.ROLLOVER: Rule.ROLLOVER,
    StepMeaning.EXPORT: Rule.EXPORT,
    StepMeaning.AMBIGUOUS: Rule.AMBIGUOUS,
    StepMeaning.SPLIT: Rule.SPLIT,
    StepMeaning.DAILY: Rule.DAILY,
    StepMeaning.RESET: Rule.RESET,
    StepMeaning.RESTORED: Rule.RESTORED,
    StepMeaning.BOUND: Rule.BOUND,
    StepMeaning.WRAPS: Rule.WRAPS,
    StepMeaning.SWAP: Rule.SWAP,
    StepMeaning.LOST: Rule.LOST,
}


def long_gap(counter: Counter, steps: Steps) -> Bools:
    """Steps of known use that are gaps of over an hour."""
    elapsed = steps.end - steps.start
    return np.asarray(steps.known & (elapsed > HOUR_MS) & (elapsed > GAP_FACTOR * counter.interval_ms))


def history_needed(counter: Counter, steps: Steps, window: Span) -> list[Span]:
    """Where the past must be known for the quarter hours of `window`; nowhere as long as there is no long gap."""
    long = long_gap(counter, steps) & (steps.end > window.start) & (steps.start < window.end)
    gaps = [Span(int(a), int(b)) for a, b in zip(steps.start[long], steps.end[long], strict=True)]
    return merged([past for gap in gaps for past in histories(gap)])


class Enough(NamedTuple):
    """Whether the readings that were loaded suffice before and after a window; else load more there."""

    before: bool
    after: bool

    @property
    def both(self) -> bool:
        """On both sides."""
        return self.before and self.after


def enough(steps: Steps, window: Span) -> Enough:
    """Whether what was loaded suffices for the quarter hours of `window`."""
    whole, certain = window.outward(), steps.certain
    return Enough(certain.start <= whole.start - MARGIN_MS, certain.end >= whole.end + MARGIN_MS)


def usage_of(counter: Counter, steps: Steps, window: Span, past: Past = NO_PAST) -> QuarterHours:
    """Use of the quarter hours of `window`, from steps."""
    whole = window.outward()
    sums = _Sums(Span(whole.start - MARGIN_MS, whole.end + MARGIN_MS))
    count = resolution(counter, steps.raw, sums.start)
    parts = _parts(counter, steps, sums, count)
    first, last = sums.index(parts.start), sums.index(parts.end - 1)
    plain = parts.known & ~parts.long
    inside = plain & (first == last)
    elapsed = parts.end - parts.start
    sums.add(first[inside], parts.delta[inside], elapsed[inside])
    open_ = inside & parts.open
    if open_.any():
        sums.estimate(first[open_], elapsed[open_])
    across = np.flatnonzero(plain & (first != last))
    if len(across):
        _add_across(sums, counter, parts, across)
    for place in np.flatnonzero(parts.long):
        gap = Span(int(parts.start[place]), int(parts.end[place]))
        spread = filled(counter, gap, float(parts.delta[place]), past, sums.span)
        at = sums.index(spread.start)
        sums.add(at, spread.delta, spread.inside_ms)
        sums.estimate(at, spread.inside_ms)
        sums.touch(at, spread.rule)
    for odd in np.unique(parts.kind[parts.kind != StepMeaning.GOOD]):
        alike = parts.kind == odd
        sums.touch_all(first[alike], last[alike], _STEP_RULES[StepMeaning(int(odd))])
    _touch_events(sums, counter, steps)
    return _weighed(sums, counter, steps, count)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The steps near a window: as `Steps`; `gap`: longer than quarter hours need; `open`: with another explanation.

    `coarse`: interpolated over readings at which the counter stood still.
    """

    start: Times
    end: Times
    delta: Floats
    kind: Kinds
    known: Bools
    gap: Bools
    long: Bools
    open: Bools
    coarse: Bools


def _parts(counter: Counter, steps: Steps, sums: "_Sums", count: Floats) -> _Parts:
    near = slice(*np.searchsorted(steps.end, (sums.span.start + 1, sums.span.end + 1)))
    near = slice(near.start, int(np.searchsorted(steps.start, sums.span.end)))
    start, end, delta, kind = steps.start[near], steps.end[near], steps.delta[near], steps.kind[near]
    elapsed = end - start
    gap = elapsed > GAP_FACTOR * min(counter.interval_ms, QUARTER_MS)
    still = (delta == 0) & (kind == StepMeaning.GOOD) & ~gap
    coarse = np.zeros(len(start), dtype=np.bool_)
    if still.any() and not counter.signed:
        slot = np.clip(sums.index(end - 1), 0, len(count) - 1)
        rises = (delta > 0) & (kind == StepMeaning.GOOD) & ~gap
        begun = _between_counts(start, end, still, rises=rises, delta=delta, count=count[slot])
        keep = begun.keep
        coarse = (begun.start != start)[keep]
        start, end, delta, kind, gap = begun.start[keep], end[keep], delta[keep], kind[keep], gap[keep]
        elapsed = end - start
    known = kind <= KNOWN
    long = known & (elapsed > HOUR_MS) & (elapsed > GAP_FACTOR * counter.interval_ms)
    return _Parts(
        start,
        end,
        delta,
        kind=kind,
        known=known,
        gap=gap,
        long=long,
        open=known & (kind >= StepMeaning.AMBIGUOUS),
        coarse=coarse,
    )


class _BegunSteps(NamedTuple):
    """New starts of steps, and which of the steps remain."""

    start: Times
    keep: Bools


def _between_counts(start: Times, end: Times, still: Bools, rises: Bools, delta: Floats, count: Floats) -> _BegunSteps:
    """Begin the step of one or two counts where the counter changed before, up to an hour earlier.

    What it shows in between would turn steady use into quarter hours of nothing and of twice as much. Between two
    changes the line is less than the step from what passed, which becomes the error of the quarter hours it crosses.
    """
    keep = np.ones(len(start), dtype=np.bool_)
    coarse = np.flatnonzero(rises[1:] & still[:-1] & (delta[1:] <= COARSE * count[1:] * (1 + 1e-6))) + 1
    if not len(coarse):
        return _BegunSteps(start, keep)
    places = np.arange(len(start))
    moved = np.maximum.accumulate(np.where(still, -1, places + 1))  # first step after the last one that was not still
    first = np.maximum(moved[coarse - 1], 0)
    near = end[coarse] - start[first] <= HOUR_MS
    coarse, first = coarse[near], first[near]
    begun = start.copy()
    begun[coarse] = start[first]
    edges = np.zeros(len(start) + 1, dtype=np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, coarse, -1)
    keep &= np.cumsum(edges)[:-1] == 0
    return _BegunSteps(begun, keep)


def _add_across(sums: "_Sums", counter: Counter, parts: _Parts, across: Times) -> None:
    """Cut steps at the edges they cross, each part in proportion to its time."""
    start, end = parts.start[across], parts.end[across]
    first = np.maximum(sums.index(start), 0)
    count = np.minimum(sums.index(end - 1), len(sums.start) - 1) - first + 1
    step = np.repeat(np.arange(len(start)), count)
    place = np.repeat(first, count) + (np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count))
    edge = sums.span.start + place * QUARTER_MS
    part = np.minimum(edge + QUARTER_MS, end[step]) - np.maximum(edge, start[step])
    elapsed = (end - start)[step]
    delta, coarse = parts.delta[across][step], parts.coarse[across][step]
    sums.add(place, delta * (part / elapsed), part)
    sums.doubt(place[coarse], delta[coarse])
    gap, open_ = parts.gap[across][step], parts.open[across][step]
    sums.estimate(place[gap | open_], part[gap | open_])
    usual = elapsed <= GAP_FACTOR * counter.interval_ms
    sums.touch(place[gap & usual], Rule.SPARSE)
    sums.touch(place[gap & ~usual], Rule.GAP_INTERPOLATED)


def _touch_events(sums: "_Sums", counter: Counter, steps: Steps) -> None:
    for rule in np.unique(steps.aside.rules):
        sums.touch(sums.index(steps.aside.times[steps.aside.rules == rule]), Rule(int(rule)))
    exchanged = [fitted.since for fitted in counter.instruments[1:] if not fitted.continues]
    if exchanged:
        sums.touch(sums.index(np.array(exchanged, dtype=np.int64)), Rule.SWAP)
    changed = sums.index(steps.end[steps.unit != 0])
    if len(changed):
        sums.touch_all(changed, changed + MOST_RUN - 2, Rule.UNIT)
    if counter.doubt:
        begins = np.array([span.start for span in counter.doubt], dtype=np.int64)
        lasts = np.array([span.end - 1 for span in counter.doubt], dtype=np.int64)
        sums.touch_all(sums.index(begins), sums.index(lasts), Rule.UNIT)


def _weighed(sums: "_Sums", counter: Counter, steps: Steps, count: Floats) -> QuarterHours:
    known = sums.known_ms > 0
    amount = np.where(known, sums.delta, np.nan)
    completeness = sums.known_ms / QUARTER_MS
    estimated = sums.estimated_ms / QUARTER_MS
    able = (sums.estimated_ms == 0) & (sums.known_ms == QUARTER_MS)
    if counter.interval_ms <= QUARTER_MS:
        repeated = stuck(amount, able, _assumed(counter, steps, sums.start))
        sums.rules[repeated] |= np.uint32(Rule.STUCK)
    margin = MARGIN_MS // QUARTER_MS
    cut = slice(margin, len(amount) - margin)
    return QuarterHours(
        sums.start[cut],
        amount[cut],
        estimated[cut],
        completeness=completeness[cut],
        error=np.where(known, np.maximum(count, sums.error), 0.0)[cut],
        rules=sums.rules[cut],
    )


def _assumed(counter: Counter, steps: Steps, start: Times) -> Floats:
    """One count of the register that was shown after each instant, or last, as the park file says."""
    if not len(steps.raw.times):
        return np.zeros(len(start))
    place = np.minimum(np.searchsorted(steps.raw.times, start), len(steps.raw.times) - 1)
    return counter.step(steps.raw.values[place], steps.raw.instrument[place])


class _Sums:
    """Sums per quarter hour while they grow; what falls outside the span is left out."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.start = quarters_in(span)
        size = len(self.start)
        self.delta = np.zeros(size)
        self.known_ms = np.zeros(size, dtype=np.int64)
        self.estimated_ms = np.zeros(size, dtype=np.int64)
        self.rules = np.zeros(size, dtype=np.uint32)
        self.error = np.zeros(size)

    def index(self, times: Times) -> Times:
        return (times - self.span.start) // QUARTER_MS

    def add(self, place: Times, delta: Floats, ms: Times) -> None:
        inside = (place >= 0) & (place < len(self.start))
        place, delta, ms = place[inside], delta[inside], ms[inside]
        size = len(self.start)
        self.delta += np.bincount(place, weights=delta, minlength=size)
        self.known_ms += np.bincount(place, weights=ms, minlength=size).astype(np.int64)

    def estimate(self, place: Times, ms: Times) -> None:
        inside = (place >= 0) & (place < len(self.start))
        np.add.at(self.estimated_ms, place[inside], ms[inside])

    def doubt(self, place: Times, error: Floats) -> None:
        """Use may have at least this error here."""
        inside = (place >= 0) & (place < len(self.start))
        np.maximum.at(self.error, place[inside], error[inside])

    def touch_all(self, first: Times, last: Times, rule: Rule) -> None:
        """Apply a rule from each first up to and including its last."""
        size = len(self.start)
        edges = np.zeros(size + 1, dtype=np.int64)
        np.add.at(edges, np.clip(first, 0, size), 1)
        np.add.at(edges, np.clip(last + 1, 0, size), -1)
        self.rules[np.cumsum(edges[:-1]) > 0] |= np.uint32(rule)

    def touch(self, place: Times, rule: Rule) -> None:
        self.rules[place[(place >= 0) & (place < len(self.start))]] |= np.uint32(rule)

"""15-minute use of one counter, every interval with its worth.

The register at an interval's edge is interpolated between the readings around it. An interval holds what is known to
have passed in it and nothing else: what a reset or an impossible step hides is not invented, it is missing from
`completeness`. A gap with good registers on both sides keeps its exact total; the parts that had to be spread over
several intervals are `estimated`.

An interval depends on the good readings around it, on those within `REACH_MS` of these, on those within
`MARGIN_MS` (for stuck meters), and, in a gap of over an hour, on the measured use of the three weeks before:
`efficiency.usage.affected` turns that round.
"""

import numpy as np

from efficiency.usage.counters import Counter
from efficiency.usage.gaps import NO_PAST, Past, filled, histories
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, Bools, Floats, Span, Times, merged, quarters_in
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.registers import Kind, Readings, Steps, steps_of
from efficiency.usage.stuck import MOST_RUN, stuck

MARGIN_MS = (MOST_RUN - 1) * QUARTER_MS
"""What lies beside an interval and may make it one of a stuck meter."""

_GAP_FACTOR = 1.5
_STEP_RULES = {
    Kind.ROLLOVER: Rule.ROLLOVER,
    Kind.EXPORT: Rule.EXPORT,
    Kind.RESET: Rule.RESET,
    Kind.NEGATIVE: Rule.NEGATIVE,
    Kind.BOUND: Rule.BOUND,
    Kind.UNKNOWN: Rule.SWAP,
}


def long_gap(counter: Counter, steps: Steps) -> Bools:
    """Steps of known use that are gaps of over an hour."""
    elapsed = steps.end - steps.start
    return np.asarray(steps.known & (elapsed > HOUR_MS) & (elapsed > _GAP_FACTOR * counter.interval_ms))


def history_needed(counter: Counter, steps: Steps, window: Span) -> list[Span]:
    """Where the past must be known for the intervals of `window`; nowhere as long as there is no long gap."""
    long = long_gap(counter, steps) & (steps.end > window.start) & (steps.start < window.end)
    gaps = [Span(int(a), int(b)) for a, b in zip(steps.start[long], steps.end[long], strict=True)]
    return merged([past for gap in gaps for past in histories(gap)])


def usage(counter: Counter, readings: Readings, window: Span, past: Past = NO_PAST) -> QuarterHours:
    """Use of the quarter hours of `window` (outward to whole ones), from readings and the past of long gaps.

    The answer is final where `enough(steps_of(counter, readings), window)` holds on both sides.
    """
    return usage_of(counter, steps_of(counter, readings), window, past)


def enough(steps: Steps, window: Span) -> tuple[bool, bool]:
    """Whether what was loaded (before, after) suffices for the intervals of `window`; else load more on that side."""
    whole, certain = window.outward(), steps.certain
    return certain.start <= whole.start - MARGIN_MS, certain.end >= whole.end + MARGIN_MS


def usage_of(counter: Counter, steps: Steps, window: Span, past: Past = NO_PAST) -> QuarterHours:
    """Use of the quarter hours of `window`, from steps."""
    whole = window.outward()
    work = _Work(Span(whole.start - MARGIN_MS, whole.end + MARGIN_MS))
    near = (steps.end > work.span.start) & (steps.start < work.span.end)
    start, end, delta, kind = steps.start[near], steps.end[near], steps.delta[near], steps.kind[near]
    long = long_gap(counter, steps)[near]
    first, last = work.index(start), work.index(end - 1)
    known = kind < Kind.RESET
    inside = known & (first == last)
    work.add(first[inside], delta[inside], (end - start)[inside])
    across = np.flatnonzero(known & ~long & (first != last))
    if len(across):
        _add_across(work, counter, start[across], end[across], delta[across])
    for step in np.flatnonzero(long & (first != last)):
        gap = filled(counter, Span(int(start[step]), int(end[step])), float(delta[step]), past)
        place = work.index(gap.start)
        work.add(place, gap.delta, gap.inside_ms, estimated=True)
        work.touch(place, gap.rule)
    for odd in np.unique(kind[kind != Kind.GOOD]):
        alike = kind == odd
        work.touch_all(first[alike], last[alike], _STEP_RULES[Kind(int(odd))])
    _touch_events(work, counter, steps)
    return _weighed(work, counter, counter.step(_shown(steps, work.start)), MARGIN_MS // QUARTER_MS)


def _add_across(work: "_Work", counter: Counter, start: Times, end: Times, delta: Floats) -> None:
    """Cut steps at the edges they cross, each part in proportion to its time."""
    count = work.index(end - 1) - work.index(start) + 1
    step = np.repeat(np.arange(len(start)), count)
    place = np.repeat(work.index(start), count) + (np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count))
    edge = work.span.start + place * QUARTER_MS
    part = np.minimum(edge + QUARTER_MS, end[step]) - np.maximum(edge, start[step])
    elapsed = (end - start)[step]
    gap = elapsed > _GAP_FACTOR * counter.interval_ms
    work.add(place, delta[step] * (part / elapsed), part)
    work.estimate(place[gap], part[gap])
    work.touch(place[gap], Rule.GAP_INTERPOLATED)


def _touch_events(work: "_Work", counter: Counter, steps: Steps) -> None:
    for rule in np.unique(steps.aside_rule):
        work.touch(work.index(steps.aside[steps.aside_rule == rule]), Rule(int(rule)))
    if counter.swaps:
        work.touch(work.index(np.array([swap.at for swap in counter.swaps], dtype=np.int64)), Rule.SWAP)


def _shown(steps: Steps, start: Times) -> Floats:
    """What the register showed after each instant, or last."""
    if not len(steps.raw.times):
        return np.zeros(len(start))
    place = np.searchsorted(steps.raw.times, start)
    return steps.raw.values[np.minimum(place, len(steps.raw.times) - 1)]


def _weighed(work: "_Work", counter: Counter, step: Floats, margin: int) -> QuarterHours:
    factor = counter.factor(work.start)
    known = work.known_ms > 0
    undated = known & np.isnan(factor)
    work.rules[undated] |= np.uint32(Rule.NO_MULTIPLIER)
    known &= ~undated
    amount = np.where(known, work.delta * factor, np.nan)
    completeness = np.where(known, work.known_ms / QUARTER_MS, 0.0)
    estimated = np.where(known, work.estimated_ms / QUARTER_MS, 0.0)
    able = (estimated == 0) & (completeness == 1) & (counter.interval_ms <= QUARTER_MS)
    repeated = stuck(amount, able, step * factor)
    error = np.where(known, step * np.abs(factor), 0.0)
    work.rules[repeated] |= np.uint32(Rule.STUCK)
    cut = slice(margin, len(amount) - margin)
    return QuarterHours(work.start[cut], amount[cut], estimated[cut], completeness[cut], error[cut], work.rules[cut])


class _Work:
    """Sums per quarter hour while they grow; what falls outside the span is left out."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.start = quarters_in(span)
        size = len(self.start)
        self.delta = np.zeros(size)
        self.known_ms = np.zeros(size, dtype=np.int64)
        self.estimated_ms = np.zeros(size, dtype=np.int64)
        self.rules = np.zeros(size, dtype=np.uint32)

    def index(self, times: Times) -> Times:
        return (times - self.span.start) // QUARTER_MS

    def add(self, place: Times, delta: Floats, ms: Times, *, estimated: bool = False) -> None:
        inside = (place >= 0) & (place < len(self.start))
        place, delta, ms = place[inside], delta[inside], ms[inside]
        size = len(self.start)
        self.delta += np.bincount(place, weights=delta, minlength=size)
        self.known_ms += np.bincount(place, weights=ms, minlength=size).astype(np.int64)
        if estimated:
            self.estimate(place, ms)

    def estimate(self, place: Times, ms: Times) -> None:
        inside = (place >= 0) & (place < len(self.start))
        np.add.at(self.estimated_ms, place[inside], ms[inside])

    def touch_all(self, first: Times, last: Times, rule: Rule) -> None:
        """Touch from each first up to and including its last."""
        edges = np.zeros(len(self.start) + 1, dtype=np.int64)
        np.add.at(edges, np.maximum(first, 0), 1)
        np.add.at(edges, np.minimum(last + 1, len(self.start)), -1)
        self.rules[np.cumsum(edges[:-1]) > 0] |= np.uint32(rule)

    def touch(self, place: Times, rule: Rule) -> None:
        self.rules[place[(place >= 0) & (place < len(self.start))]] |= np.uint32(rule)

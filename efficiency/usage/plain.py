"""The running hours of many registers at once, of those that are plain: nearly all of them, nearly always.

A register is plain where it was read as often as it should be and only rose by what can have passed, as one instrument
that counts the total. Then nothing has to be judged, and its quarter hours are the same, bit for bit, as `usage_of`
makes them one register at a time. Computing two thousand registers together takes a tenth of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from efficiency.usage.counters import Counter
from efficiency.usage.fromsteps import COARSE, GAP_FACTOR, MARGIN_MS
from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, QUARTER_MS, Bools, Floats, Span, Times, quarters_in
from efficiency.usage.line import MEASURING, Readings
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.resolution import AROUND, seen_step
from efficiency.usage.steps import REACH_MS
from efficiency.usage.stuck import stuck

_LONGEST_MS = int(GAP_FACTOR * QUARTER_MS)
"""No step of a plain register is longer."""
_AROUND_MS = AROUND * QUARTER_MS


def plain_window(changed: Span, now_ms: int) -> Span:
    """What is computed where readings within `changed` are new: with what they may show to be stuck."""
    return Span(changed.start - _LONGEST_MS - MARGIN_MS, min(changed.end, now_ms)).outward()


def plain_hours(counters: Sequence[Counter], readings: Sequence[Readings], window: Span) -> dict[int, QuarterHours]:
    """Quarter hours of `window` (on whole ones) of those registers that are plain, by their place.

    `readings` are all there are from some hours before `window` on. Only new readings may have come since the quarter
    hours before `window` were computed. A register that is not here must be computed by itself.
    """
    whole = Span(window.start - MARGIN_MS, window.end + MARGIN_MS)
    places = [
        place
        for place, (counter, each) in enumerate(zip(counters, readings, strict=True))
        if counter.plain and _enough(counter, each, whole)
    ]
    if not places:
        return {}
    newest = [counters[place].newest for place in places]
    flat = _Flat.of(newest, [readings[place] for place in places], whole.start - _BEFORE_MS)
    table = _Table.of(flat, whole)
    found = _hours(flat, table, MARGIN_MS // QUARTER_MS)
    return {places[row]: hours for row, hours in found.items()}


_BEFORE_MS = REACH_MS + _LONGEST_MS


def _enough(counter: Counter, readings: Readings, whole: Span) -> bool:
    """Whether readings of the newest instrument reach back far enough, and forward far enough or up to now."""
    since = whole.start - _BEFORE_MS
    if len(readings.times) <= 1 or not _goes_on(readings, whole.end):
        return False
    if counter.instruments[-1].since > int(readings.times[max(0, int(np.searchsorted(readings.times, since)) - 1)]):
        return False
    return readings.span.start <= ALWAYS_BEFORE or int(readings.times[0]) <= since


def _goes_on(readings: Readings, until: int) -> bool:
    """Whether later readings cannot change the result up to `until`."""
    if readings.span.end >= ALWAYS_AFTER:
        return True
    after, last = np.searchsorted(readings.times, (until, int(readings.times[-1]) - REACH_MS)).tolist()
    # A register that repeats one value from before may have been frozen, which shows when it jumps.
    return 0 < after <= last and bool(readings.values[after - 1] != readings.values[last - 1])


@dataclass(frozen=True)
class _Flat:
    """Readings of many registers behind one another; `row` is the register of each, `odd` by register."""

    counters: Sequence[Counter]
    times: Times
    values: Floats
    row: Times
    odd: Bools

    @classmethod
    def of(cls, counters: Sequence[Counter], readings: Sequence[Readings], since: int) -> "_Flat":
        parts = []
        for each in readings:
            first = int(np.searchsorted(each.times, since))
            parts.append(slice(max(0, first - 1), None))
        pairs = list(zip(readings, parts, strict=True))
        times = np.concatenate([each.times[part] for each, part in pairs])
        values = np.concatenate([each.values[part] for each, part in pairs])
        states = np.concatenate([each.states[part] for each, part in pairs])
        size = np.array([len(each.times) - (part.start or 0) for each, part in pairs])
        row = np.repeat(np.arange(len(pairs)), size)
        bad = (states != MEASURING) | ~np.isfinite(values)
        odd = np.bincount(row[bad], minlength=len(pairs)) > 0
        factor = np.array([counter.factor[0] for counter in counters])
        if (factor != 1).any():
            values = values * factor[row]
        return cls(counters, times, values, row, odd)


@dataclass(frozen=True)
class _Table:
    """Steps of many registers, and by register and quarter hour: one count, which is seen or assumed."""

    span: Span
    start: Times
    row: Times
    begin: Times
    elapsed: Times
    delta: Floats
    count: Floats
    odd: Bools

    @classmethod
    def of(cls, flat: _Flat, span: Span) -> "_Table":
        counters = flat.counters
        most_per_ms = np.array([counter.most_per_ms for counter in counters])
        assumed = np.array([counter.count[0] for counter in counters])
        relative = np.array([counter.relative[0] for counter in counters])
        range_ = np.array([counter.rollover[0] for counter in counters])
        longest = np.array([GAP_FACTOR * min(counter.interval_ms, QUARTER_MS) for counter in counters])
        next_ = flat.row[1:] == flat.row[:-1]
        row, begin = flat.row[1:][next_], flat.times[:-1][next_]
        elapsed = (flat.times[1:] - flat.times[:-1])[next_]
        delta = (flat.values[1:] - flat.values[:-1])[next_]
        most = elapsed * most_per_ms[row] + (assumed[row] + relative[row] * np.abs(flat.values[1:][next_]))
        wrong = (delta < 0) | (delta > most) | (elapsed > longest[row]) | (elapsed <= 0)
        wrong |= delta + range_[row] <= most
        start = quarters_in(span)
        count = _counts(flat, start, assumed, relative)
        rises = np.flatnonzero((delta[1:] > 0) & (delta[:-1] == 0) & (row[1:] == row[:-1])) + 1
        slot = np.clip((begin[rises] + elapsed[rises] - 1 - span.start) // QUARTER_MS, 0, len(start) - 1)
        coarse = rises[delta[rises] <= COARSE * count[row[rises], slot] * (1 + 1e-6)]
        odd = flat.odd.copy()
        odd[row[wrong]] = True
        odd[row[coarse]] = True
        return cls(span, start, row, begin=begin, elapsed=elapsed, delta=delta, count=count, odd=odd)


def _counts(flat: _Flat, start: Times, assumed: Floats, relative: Floats) -> Floats:
    """As `resolution`, by register and quarter hour."""
    size = len(flat.counters), len(start)
    # The first reading at or after each start, or the last one.
    first = np.searchsorted(flat.row, np.arange(size[0]))
    last = np.searchsorted(flat.row, np.arange(size[0]), side="right") - 1
    order = flat.times + flat.row * _STRIDE
    place = np.searchsorted(order, (start[np.newaxis, :] + np.arange(size[0])[:, np.newaxis] * _STRIDE).ravel())
    place = np.clip(place.reshape(size), first[:, np.newaxis], last[:, np.newaxis])
    shown = flat.values[place]
    count = assumed[:, np.newaxis] + relative[:, np.newaxis] * np.abs(shown)
    seen = np.array([bool(counter.seen[0]) for counter in flat.counters])
    if not seen.any():
        return np.asarray(count)
    factor = np.array([counter.factor[0] for counter in flat.counters])
    begin = int(start[0]) - _AROUND_MS
    near = np.flatnonzero(
        seen[flat.row] & (flat.times >= begin) & (flat.times < int(start[-1]) + QUARTER_MS + _AROUND_MS)
    )
    row = flat.row[near]
    steps = seen_step(flat.values[near] / factor[row]) * np.abs(factor[row])
    finest = np.full((size[0], size[1] + 2 * AROUND), np.inf)
    np.minimum.at(finest, (row, (flat.times[near] - begin) // QUARTER_MS), steps)
    around = sliding_window_view(finest, 2 * AROUND + 1, axis=1).min(axis=2)
    own = np.isinf(around) & seen[:, np.newaxis]
    if own.any():
        at = np.nonzero(own)
        around[at] = seen_step(shown[at] / factor[at[0]]) * np.abs(factor[at[0]])
    return np.where(seen[:, np.newaxis], around, count)


_STRIDE = 2**44
"""More than any time of today in ms: sorts by register, then by time."""


def _hours(flat: _Flat, table: _Table, margin: int) -> dict[int, QuarterHours]:
    plain = ~table.odd
    near = plain[table.row] & (table.begin + table.elapsed > table.span.start) & (table.begin < table.span.end)
    row, begin, elapsed, delta = table.row[near], table.begin[near], table.elapsed[near], table.delta[near]
    width = len(table.start)
    size = len(flat.counters) * width
    first = (begin - table.span.start) // QUARTER_MS
    last = (begin + elapsed - 1 - table.span.start) // QUARTER_MS
    inside = first == last
    amount, known = np.zeros(size), np.zeros(size)
    _add(amount, known, row[inside] * width + first[inside], delta[inside], elapsed[inside])
    across = ~inside
    rows, begins, took, rise = row[across], begin[across], elapsed[across], delta[across]
    start, end = np.maximum(first[across], 0), np.minimum(last[across], width - 1)
    count = end - start + 1
    step = np.repeat(np.arange(len(start)), count)
    place = np.repeat(start, count) + (np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count))
    edge = table.span.start + place * QUARTER_MS
    part = np.minimum(edge + QUARTER_MS, (begins + took)[step]) - np.maximum(edge, begins[step])
    _add(amount, known, rows[step] * width + place, rise[step] * (part / took[step]), part)
    amounts, shares = amount.reshape(-1, width), known.reshape(-1, width)
    amounts[shares == 0] = np.nan
    return _rows(flat, table, amounts, shares, slice(margin, width - margin))


def _add(amount: Floats, known: Floats, at: Times, delta: Floats, ms: Times) -> None:
    amount += np.bincount(at, weights=delta, minlength=len(amount))
    known += np.bincount(at, weights=ms, minlength=len(known))


def _rows(flat: _Flat, table: _Table, amounts: Floats, shares: Floats, cut: slice) -> dict[int, QuarterHours]:
    whole = shares == QUARTER_MS
    same = (amounts[:, 1:] == amounts[:, :-1]) | (
        np.abs(amounts[:, 1:] - amounts[:, :-1]) <= _NEARLY * np.abs(amounts[:, 1:])
    )
    repeats = (same[:, 1:] & same[:, :-1]).any(axis=1)
    rules = np.zeros(amounts.shape, dtype=np.uint32)
    for row in np.flatnonzero(repeats & ~table.odd).tolist():
        counter = flat.counters[row]
        if counter.interval_ms <= QUARTER_MS:
            part = slice(*np.searchsorted(flat.row, (row, row + 1)))
            times, values = flat.times[part], flat.values[part]
            at = np.minimum(np.searchsorted(times, table.start), len(times) - 1)
            assumed = counter.step(values[at], np.zeros(len(at), dtype=np.int64))
            rules[row, stuck(amounts[row], whole[row], assumed)] |= np.uint32(Rule.STUCK)
    completeness = shares / QUARTER_MS
    error = np.where(np.isnan(amounts), 0.0, table.count)
    start, none = table.start[cut], np.zeros(len(table.start[cut]))
    return {
        row: QuarterHours(
            start,
            amounts[row, cut],
            none,
            completeness=completeness[row, cut],
            error=error[row, cut],
            rules=rules[row, cut],
        )
        for row in np.flatnonzero(~table.odd).tolist()
    }


_NEARLY = 1e-8
"""Looser than equality: only a first look at which registers may be stuck."""

"""Readings become steps: what a counter did between one good reading and the next.

Which readings are good is decided from what lies around them, never from anything further away than `REACH_MS` or the
next reading: so the answer is the same whether a day or a year was loaded (`certain` says how far it can be trusted).

A reading is set aside when its instrument was being calibrated or at fault, when it stands in an impossible excursion
(up and back, or down and back: a single reading, or several within an hour), when it is part of a dip that the register
makes up for, or when it repeats an old register value that then catches up. What remains is cut into steps; a step is
good, or its use is unknown.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from efficiency.counters import Counter
from efficiency.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, EVER, HOUR_MS, Bools, Floats, Span, Times
from efficiency.quality import Rule

States = NDArray[np.uint8]
MEASURING, CALIBRATING, FAULT = 0, 1, 2
"""Codes of the wire's reading states in arrays."""

REACH_MS = 2 * HOUR_MS
"""A reading changes what is thought of others no further away than this, or of the nearest one on either side."""

_EXCURSION_MS = HOUR_MS
_HELD_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class Readings:
    """Every reading of one register within `span`: times in ms, ascending and unique; values; states by code."""

    times: Times
    values: Floats
    states: States
    span: Span = EVER


class Kind(IntEnum):
    """What a step is; from RESET on, its use is unknown."""

    GOOD = 0
    ROLLOVER = 1
    EXPORT = 2
    RESET = 3
    NEGATIVE = 4
    BOUND = 5
    UNKNOWN = 6


Kinds = NDArray[np.uint8]


@dataclass(frozen=True)
class Steps:
    """From each good reading to the next: `start` and `end` in ms, `delta` in register units, `kind`.

    `aside` are the readings set aside, with `aside_rule`. `candidates` are the times of all readings that were weighed.
    """

    start: Times
    end: Times
    delta: Floats
    kind: Kinds
    aside: Times
    aside_rule: NDArray[np.uint16]
    candidates: Times
    span: Span

    @property
    def known(self) -> Bools:
        """Whether the use of each step is known."""
        return self.kind < Kind.RESET

    @cached_property
    def certain(self) -> Span:
        """Where steps would not change if more were loaded; starts and ends with a good reading, or is empty."""
        if not len(self.start):
            return self.span if self.span == EVER else Span(0, 0)
        first, last = int(self.candidates[0]), int(self.candidates[-1])
        begin, end = ALWAYS_BEFORE, ALWAYS_AFTER
        if self.span.start > ALWAYS_BEFORE:
            trusted = self.start[self.start >= first + REACH_MS]
            begin = int(trusted[0]) if len(trusted) else ALWAYS_AFTER
        if self.span.end < ALWAYS_AFTER:
            trusted = self.end[self.end <= last - REACH_MS]
            end = int(trusted[-1]) if len(trusted) else ALWAYS_BEFORE
        return Span(begin, end) if begin < end else Span(0, 0)


def steps_of(counter: Counter, readings: Readings) -> Steps:
    """Weigh the readings and cut them into steps."""
    finite = np.isfinite(readings.values)
    good = finite & (readings.states == MEASURING)
    aside = [
        (
            readings.times[finite & ~good],
            np.where(readings.states[finite & ~good] == FAULT, Rule.FAULT, Rule.CALIBRATING),
        )
    ]
    line = _Line(readings.times[good], readings.values[good], np.zeros(int(good.sum()), dtype=np.int64))
    if counter.swaps:
        line = _with_swaps(line, counter, readings.span)
    candidates = line.times
    delta, kind = _judged(counter, line, _EARLIER, _LATER)
    for rule, found in ((Rule.SPIKE, _excursions), (Rule.HELD, _held)):
        if not _impossible(kind).any():
            break
        out = found(counter, line, kind)
        if out.any():
            aside.append((line.times[out], np.full(int(out.sum()), rule)))
            line = line.where(~out)
            delta, kind = _judged(counter, line, _EARLIER, _LATER)
    whole = line.times[1:] > line.times[:-1]
    return Steps(
        start=line.times[:-1][whole],
        end=line.times[1:][whole],
        delta=delta[whole],
        kind=kind[whole],
        aside=np.concatenate([times for times, _ in aside]),
        aside_rule=np.concatenate([rules for _, rules in aside]).astype(np.uint16),
        candidates=candidates,
        span=readings.span,
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """Readings that count so far; `epoch` is the number of the instrument that was read."""

    times: Times
    values: Floats
    epoch: Times

    def where(self, keep: Bools) -> "_Line":
        return _Line(self.times[keep], self.values[keep], self.epoch[keep])


Pick = slice | NDArray[np.intp]
_EARLIER, _LATER = slice(None, -1), slice(1, None)


def _with_swaps(line: _Line, counter: Counter, span: Span) -> _Line:
    """Put the closing and opening registers among the readings; a reading at that very instant gives way to them."""
    swaps = [swap for swap in counter.swaps if span.start <= swap.at < span.end]
    at = np.array([swap.at for swap in swaps], dtype=np.int64)
    order = np.arange(len(swaps), dtype=np.int64)
    keep = ~np.isin(line.times, at)
    times = np.concatenate((line.times[keep], at, at))
    values = np.concatenate((line.values[keep], [swap.closing for swap in swaps], [swap.opening for swap in swaps]))
    epoch = np.concatenate((np.searchsorted(at, line.times[keep], side="right"), order, order + 1))
    sorting = np.lexsort((epoch, times))
    return _Line(times[sorting], values[sorting], epoch[sorting]).where(np.isfinite(values[sorting]))


def _judged(counter: Counter, line: _Line, begin: Pick, end: Pick) -> tuple[Floats, Kinds]:
    """Rise from each reading in `begin` to that in `end`, and what kind of step it is."""
    before, after = line.values[begin], line.values[end]
    elapsed = line.times[end] - line.times[begin]
    delta = after - before
    most = counter.most(line.times[end], elapsed, after)
    kind = np.zeros(len(delta), dtype=np.uint8)
    odd = np.flatnonzero((delta < 0) | (delta > most) | (line.epoch[begin] != line.epoch[end]))
    if len(odd):
        delta[odd], kind[odd] = _odd_steps(counter, before[odd], after[odd], most[odd])
        kind[odd[line.epoch[begin][odd] != line.epoch[end][odd]]] = Kind.UNKNOWN
    return delta, kind


def _odd_steps(counter: Counter, before: Floats, after: Floats, most: Floats) -> tuple[Floats, Kinds]:
    delta = after - before
    fell = delta < 0
    kind = np.where(fell, np.where(after <= most, Kind.RESET, Kind.NEGATIVE), Kind.BOUND)
    kind[(delta >= 0) & (delta <= most)] = Kind.GOOD
    if counter.export:
        kind[fell & (-delta <= most)] = Kind.EXPORT
    if counter.rollover is not None:
        wrapped = delta + counter.rollover
        over = fell & (before >= counter.rollover / 2) & (before < counter.rollover) & (wrapped <= most)
        delta = np.where(over, wrapped, delta)
        kind[over] = Kind.ROLLOVER
    return delta, kind.astype(np.uint8)


def _impossible(kind: Kinds) -> Bools:
    return np.asarray((kind >= Kind.RESET) & (kind != Kind.UNKNOWN))


def _excursions(counter: Counter, line: _Line, kind: Kinds) -> Bools:
    """Readings between two impossible steps whose neighbours outside fit together, and dips."""
    out = np.zeros(len(line.times), dtype=np.bool_)
    breaks = np.flatnonzero(_impossible(kind))
    before, after = breaks[:-1], breaks[1:] + 1
    short = (after == before + 2) | (line.times[after] - line.times[before] <= _EXCURSION_MS)
    before, after = before[short], after[short]
    if len(before):
        _, outside = _judged(counter, line, before, after)
        fits = outside < Kind.RESET
        _mark(out, before[fits] + 1, after[fits])
    for fall in np.flatnonzero(kind == Kind.NEGATIVE):
        _mark_dip(counter, line, out, int(fall))
    return out


def _mark_dip(counter: Counter, line: _Line, out: Bools, fall: int) -> None:
    """What lies below a register that fell, until it is reached again: that rise was counted before."""
    end = max(int(np.searchsorted(line.times, line.times[fall] + _EXCURSION_MS, side="right")), fall + 3)
    again = np.flatnonzero(line.values[fall + 2 : end] >= line.values[fall])
    if len(again):
        after = fall + 2 + int(again[0])
        _, kind = _judged(counter, line, slice(fall, fall + 1), slice(after, after + 1))
        out[fall + 1 : after] |= bool(kind[0] < Kind.RESET)


def _held(counter: Counter, line: _Line, kind: Kinds) -> Bools:
    """Readings that repeat a value from which the register then rises faster than it can, unless it had been held."""
    out = np.zeros(len(line.times), dtype=np.bool_)
    jumps = np.flatnonzero(kind == Kind.BOUND)
    if not len(jumps):
        return out
    fresh = np.ones(len(line.times), dtype=np.bool_)
    fresh[1:] = (line.values[1:] != line.values[:-1]) | (line.epoch[1:] != line.epoch[:-1])
    since = np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))[jumps]
    since = np.maximum(since, np.searchsorted(line.times, line.times[jumps + 1] - _HELD_MS))
    held = since < jumps
    since, jumps = since[held], jumps[held]
    _, whole = _judged(counter, line, since, jumps + 1)
    fits = whole < Kind.RESET
    _mark(out, since[fits] + 1, jumps[fits] + 1)
    return out


def _mark(out: Bools, begin: NDArray[np.intp], end: NDArray[np.intp]) -> None:
    """Set `out` from each `begin` up to but not including its `end`."""
    edges = np.zeros(len(out) + 1, dtype=np.int64)
    np.add.at(edges, begin, 1)
    np.add.at(edges, end, -1)
    out |= np.cumsum(edges)[:-1] > 0

"""Readings become steps: what a counter did between one good reading and the next.

Which readings are good is decided from what lies around them: nothing further away than `REACH_MS`, the next reading
or, where a register repeats one value and then jumps, `HELD_MS`. So the answer is the same whether a day or a
year was loaded, and `Steps.certain` says how far it can be trusted.

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

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, DAY_MS, EVER, HOUR_MS, Bools, Floats, Span, Times
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import Masks

States = NDArray[np.uint8]
MEASURING, CALIBRATING, FAULT = 0, 1, 2
"""Codes of the wire's reading states in arrays."""

REACH_MS = 2 * HOUR_MS
"""A reading changes what is thought of others no further away than this, or of the nearest one on either side; only
what repeats one value until it jumps hangs together for longer."""

_EXCURSION_MS = HOUR_MS
HELD_MS = DAY_MS
"""A register may have repeated its value for this long before it catches up."""


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


@dataclass(frozen=True, slots=True)
class Line:
    """Readings that count so far; `epoch` is the number of the instrument that was read."""

    times: Times
    values: Floats
    epoch: Times

    def where(self, keep: Bools) -> "Line":
        """Some of the readings."""
        return Line(self.times[keep], self.values[keep], self.epoch[keep])

    @property
    def fresh(self) -> Bools:
        """Whether each reading differs from the one before."""
        changed = np.ones(len(self.times), dtype=np.bool_)
        changed[1:] = (self.values[1:] != self.values[:-1]) | (self.epoch[1:] != self.epoch[:-1])
        return changed

    def run(self, place: int) -> tuple[int, int]:
        """First and last of the readings that repeat the value at `place` without a break."""
        changes = np.flatnonzero(self.fresh)
        after = int(np.searchsorted(changes, place, side="right"))
        return int(changes[after - 1]), (int(changes[after]) if after < len(changes) else len(self.times)) - 1


@dataclass(frozen=True)
class Steps:
    """From each good reading to the next: `start` and `end` in ms, `delta` in register units, `kind`.

    `aside` are the readings set aside, with `aside_rule`. `raw` are all readings that were weighed; `settled` what is
    left without excursions, with held ones still among them; `jump` whether the register rises impossibly after each.
    """

    start: Times
    end: Times
    delta: Floats
    kind: Kinds
    aside: Times
    aside_rule: Masks
    raw: Line
    settled: Line
    jump: Bools
    span: Span

    @property
    def known(self) -> Bools:
        """Whether the use of each step is known."""
        return self.kind < Kind.RESET

    @cached_property
    def certain(self) -> Span:
        """Where steps would not change if more were loaded; from one good reading to another, or nowhere."""
        if not len(self.start):
            return EVER if self.span == EVER else Span(ALWAYS_AFTER, ALWAYS_BEFORE)
        begin = ALWAYS_BEFORE if self.span.start <= ALWAYS_BEFORE else self._certain_from()
        end = ALWAYS_AFTER if self.span.end >= ALWAYS_AFTER else self._certain_until()
        return Span(begin, end)

    def _certain_from(self) -> int:
        times = self.settled.times
        place = int(np.searchsorted(times, self.raw.times[0] + REACH_MS))
        if place < len(times):
            _, last = self.settled.run(place)
            if last + 1 < len(times) and self.jump[last]:
                place = last + 1  # how long the value had been held is not known
        return int(times[place]) if place < len(times) else ALWAYS_AFTER

    def _certain_until(self) -> int:
        times, last = self.settled.times, int(self.raw.times[-1])
        place = int(np.searchsorted(times, last - REACH_MS, side="right")) - 1
        if place < 0:
            return ALWAYS_BEFORE
        first, _ = self.settled.run(place)  # the rest of the run may turn out to have been held
        return int(times[max(first, int(np.searchsorted(times, last - HELD_MS, side="right")) - 1)])


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
    line = Line(readings.times[good], readings.values[good], np.zeros(int(good.sum()), dtype=np.int64))
    if counter.swaps:
        line = _with_swaps(line, counter, readings.span)
    raw = line
    delta, kind = _judged(counter, line, _EARLIER, _LATER)
    for rule, found in ((Rule.SPIKE, _excursions), (Rule.HELD, _held)):
        settled, jump = line, kind == Kind.BOUND
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
        aside_rule=np.concatenate([rules for _, rules in aside]).astype(np.uint32),
        raw=raw,
        settled=settled,
        jump=jump,
        span=readings.span,
    )


Pick = slice | NDArray[np.intp]
_EARLIER, _LATER = slice(None, -1), slice(1, None)


def _with_swaps(line: Line, counter: Counter, span: Span) -> Line:
    """Put the closing and opening registers among the readings; a reading at that very instant gives way to them."""
    swaps = [swap for swap in counter.swaps if span.start <= swap.at < span.end]
    at = np.array([swap.at for swap in swaps], dtype=np.int64)
    order = np.arange(len(swaps), dtype=np.int64)
    keep = ~np.isin(line.times, at)
    times = np.concatenate((line.times[keep], at, at))
    values = np.concatenate((line.values[keep], [swap.closing for swap in swaps], [swap.opening for swap in swaps]))
    epoch = np.concatenate((np.searchsorted(at, line.times[keep], side="right"), order, order + 1))
    sorting = np.lexsort((epoch, times))
    return Line(times[sorting], values[sorting], epoch[sorting]).where(np.isfinite(values[sorting]))


def _judged(counter: Counter, line: Line, begin: Pick, end: Pick) -> tuple[Floats, Kinds]:
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
        over = fell & (before >= counter.rollover / 2) & (before <= counter.rollover) & (wrapped <= most)
        delta = np.where(over, wrapped, delta)
        kind[over] = Kind.ROLLOVER
    return delta, kind.astype(np.uint8)


def _impossible(kind: Kinds) -> Bools:
    return np.asarray((kind >= Kind.RESET) & (kind != Kind.UNKNOWN))


def _excursions(counter: Counter, line: Line, kind: Kinds) -> Bools:
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


def _mark_dip(counter: Counter, line: Line, out: Bools, fall: int) -> None:
    """What lies below a register that fell, until it is reached again: that rise was counted before."""
    end = max(int(np.searchsorted(line.times, line.times[fall] + _EXCURSION_MS, side="right")), fall + 3)
    again = np.flatnonzero(line.values[fall + 2 : end] >= line.values[fall])
    if len(again):
        after = fall + 2 + int(again[0])
        _, kind = _judged(counter, line, slice(fall, fall + 1), slice(after, after + 1))
        out[fall + 1 : after] |= bool(kind[0] < Kind.RESET)


def _held(counter: Counter, line: Line, kind: Kinds) -> Bools:
    """Readings that repeat a value from which the register then rises faster than it can, unless it had been held."""
    out = np.zeros(len(line.times), dtype=np.bool_)
    jumps = np.flatnonzero(kind == Kind.BOUND)
    if not len(jumps):
        return out
    since = np.maximum.accumulate(np.where(line.fresh, np.arange(len(line.times)), 0))[jumps]
    since = np.maximum(since, np.searchsorted(line.times, line.times[jumps + 1] - HELD_MS))
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

"""Readings become steps: what a counter did between one good reading and the next.

Which readings are good is decided from what lies around them: nothing further away than `REACH_MS`, the next reading
or, where a register repeats one value and then jumps, the whole time that it repeats it. So the answer is the same
whether a day or a year was loaded, and `Steps.certain` says how far it can be trusted.

A reading is set aside when its instrument was being calibrated or at fault, when it belongs to an impossible excursion
(up and back, or down and back: within an hour, or one value however long it is repeated), or when it repeats an old
value that then catches up. A register that falls and counts on from there was reset or restored from an older value:
one step is unknown, and what follows is known. A step of known use that has another explanation is `AMBIGUOUS`, and
never called measured.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, EVER, HOUR_MS, Bools, Floats, Span, Times
from efficiency.usage.judging import KNOWN, Judged, Kinds, StepMeaning, impossible, judged, judged_next
from efficiency.usage.line import Line, Readings, SetAsideReading, line_of
from efficiency.usage.quality import Rule
from efficiency.usage.settling import settle, usual_before

REACH_MS = 2 * HOUR_MS
"""A reading changes what is thought of others no further away than this, or of the nearest one on either side; only
what repeats one value hangs together for longer."""

EXCURSION_MS = HOUR_MS
_USUAL = 0.5
"""Use is as usual where it differs from what was used before by no more than this share."""


@dataclass(frozen=True)
class Steps:
    """From each good reading to the next: `start` and `end` in ms, `delta` in the point's unit, `kind`.

    `before` and `after` are the registers on both sides as the instrument showed them. `refitted`: across a change of
    what is said of an instrument, not of the instrument. `unit` is the power of ten by
    which use changed across a step, 0 where it did not. `aside` are the readings set aside. `raw` are all readings that
    were weighed; `settled` what is left without excursions, with held ones still among them; `jump` whether the
    register does something impossible after each.
    """

    start: Times
    end: Times
    delta: Floats
    kind: Kinds
    before: Floats
    after: Floats
    unit: NDArray[np.int8]
    refitted: Bools
    aside: SetAsideReading
    raw: Line
    settled: Line
    jump: Bools
    span: Span

    @property
    def unfit(self) -> Bools:
        """Steps across a change of the ratio that the register does not go on across."""
        return np.asarray(self.refitted & (self.kind == StepMeaning.SWAP))

    @property
    def known(self) -> Bools:
        """Whether the use of each step is known."""
        return np.asarray(self.kind <= KNOWN)

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
            last = self.settled.run(place).last
            if last + 1 < len(times) and self.jump[last]:
                place = last + 1  # since when the value had been repeated is not known
        return int(times[place]) if place < len(times) else ALWAYS_AFTER

    def _certain_until(self) -> int:
        times = self.settled.times
        place = int(np.searchsorted(times, int(self.raw.times[-1]) - REACH_MS, side="right")) - 1
        if place < 0:
            return ALWAYS_BEFORE
        return int(times[self.since(place)])

    def since(self, place: int) -> int:
        """First reading of what hangs together with the one at `place`: its run, and those before each jump."""
        first = self.settled.run(place).first
        while first > 0 and self.jump[first - 1]:
            first = self.settled.run(first - 1).first
        return first


def steps_of(counter: Counter, readings: Readings) -> Steps:
    """Weigh the readings and cut them into steps."""
    line, aside = line_of(counter, readings)
    raw = line
    found = judged_next(counter, line)
    settled, jump = line, impossible(line, found.kind)
    unsure: list[int] = []
    if jump.any():
        excursions = _excursions(counter, line, found)
        unsure = excursions.unsure
        if excursions.out.any():
            aside.append(SetAsideReading.of(line.times[excursions.out], Rule.SPIKE))
            line = line.where(~excursions.out)
            found = judged_next(counter, line)
        settled, jump = line, impossible(line, found.kind)
        out = _held(counter, line, found.kind)
        if out.any():
            aside.append(SetAsideReading.of(line.times[out], Rule.HELD))
            line = line.where(~out)
            found = judged_next(counter, line)
    delta, kind, unit = settle(counter, line, found, unsure)
    whole: slice | Bools = slice(None)
    if not (line.times[1:] > line.times[:-1]).all():
        whole = line.times[1:] > line.times[:-1]
    registers = line.values if counter.one_to_one else line.values / counter.factor[line.instrument]
    return Steps(
        start=line.times[:-1][whole],
        end=line.times[1:][whole],
        delta=delta[whole],
        kind=kind[whole],
        before=registers[:-1][whole],
        after=registers[1:][whole],
        unit=unit[whole],
        refitted=_refitted(counter, line)[whole],
        aside=_all(aside),
        raw=raw,
        settled=settled,
        jump=jump,
        span=readings.span,
    )


def _refitted(counter: Counter, line: Line) -> Bools:
    """Steps from one instrument of the park file to another that is the same device."""
    if len(counter.instruments) <= 1:
        return np.zeros(max(0, len(line.times) - 1), dtype=np.bool_)
    continues = np.array([fitted.continues for fitted in counter.instruments])
    return np.asarray((line.instrument[1:] > line.instrument[:-1]) & continues[line.instrument[1:]])


def _all(parts: list[SetAsideReading]) -> SetAsideReading:
    if not parts:
        return SetAsideReading.of(np.empty(0, dtype=np.int64), Rule.SPIKE)
    return SetAsideReading(
        np.concatenate([part.times for part in parts]), np.concatenate([part.rules for part in parts])
    )


class _Excursions(NamedTuple):
    """Readings to set aside, and where steps start that have more than one explanation."""

    out: Bools
    unsure: list[int]


def _excursions(counter: Counter, line: Line, found: Judged) -> _Excursions:
    out = np.zeros(len(line.times), dtype=np.bool_)
    breaks = np.flatnonzero(impossible(line, found.kind))
    run = np.cumsum(line.fresh)
    before, after = breaks[:-1], breaks[1:] + 1
    short = (run[before + 1] == run[after - 1]) | (line.times[after] - line.times[before] <= EXCURSION_MS)
    rises = line.values[1:] > line.values[:-1]
    short &= (rises[before] != rises[after - 1]) | (line.values[after] < line.values[before])  # there and back
    before, after = before[short], after[short]
    if len(before):
        fits = judged(counter, line, before, after).kind <= KNOWN
        _mark(out, before[fits] + 1, after[fits])
    unsure: list[int] = []
    for fall in breaks[(line.values[breaks + 1] < line.values[breaks]) & ~out[breaks] & ~out[breaks + 1]].tolist():
        start = _came_back(counter, line, out, found.kind, fall)
        if start is not None:
            unsure.append(start)
    return _Excursions(out, unsure)


def _came_back(counter: Counter, line: Line, out: Bools, kind: Kinds, fall: int) -> int | None:
    """Set aside what lies below a register that fell and then jumped back, though no further than can pass.

    A register that counts its way back was restored from an older value: nothing is set aside. One that jumps back may
    have been read wrong while it was low, or just before; the use across all of that is the same either way. Returns
    where that step starts, None where nothing came back, or nothing else explains it.
    """
    high, low = line.values[fall], line.values[fall + 1]
    last = line.run(fall + 1).last
    end = max(int(np.searchsorted(line.times, line.times[fall] + EXCURSION_MS, side="right")), last + 2)
    again = np.flatnonzero(line.values[fall + 2 : end] >= high)
    if not len(again):
        return None
    after = fall + 2 + int(again[0])
    if high - line.values[after - 1] < (high - low) / 2:
        return None
    first = np.array([fall - 1, fall]) if fall else np.array([fall])
    fits = judged(counter, line, first, np.full(len(first), after)).kind <= KNOWN
    if not fits[-1]:
        return None
    if high - low <= counter.step(line.values[fall : fall + 1], line.instrument[fall : fall + 1])[0] or _as_usual(
        counter, line, kind, fall, after
    ):
        out[fall + 1 : after] = True
        return None
    begin = first[fits][0]
    out[begin + 1 : after] = True
    return int(line.times[begin])


def _as_usual(counter: Counter, line: Line, kind: Kinds, fall: int, after: int) -> bool:
    """Whether use is as usual with the low readings left out, and out of the ordinary with the last of them."""
    usual = usual_before(counter, line, kind, max(0, fall - 1))
    if usual is None or usual.rate <= 0:
        return False
    expected = usual.rate * float(line.times[after] - line.times[fall])
    back = float(line.values[after] - line.values[after - 1])
    ordinary = usual.rate * float(line.times[after] - line.times[after - 1])
    return bool(abs(line.values[after] - line.values[fall] - expected) <= _USUAL * expected) and back >= 2 * ordinary


def _held(counter: Counter, line: Line, kind: Kinds) -> Bools:
    """Readings that repeat a value from which the register then rises faster than it can, unless it had been held."""
    out = np.zeros(len(line.times), dtype=np.bool_)
    jumps = np.flatnonzero(kind == StepMeaning.BOUND)
    if not len(jumps):
        return out
    since = np.maximum.accumulate(np.where(line.fresh, np.arange(len(line.times)), 0))[jumps]
    repeated = since < jumps
    since, jumps = since[repeated], jumps[repeated]
    fits = judged(counter, line, since, jumps + 1).kind <= KNOWN
    _mark(out, since[fits] + 1, jumps[fits] + 1)
    return out


def _mark(out: Bools, begin: NDArray[np.intp], end: NDArray[np.intp]) -> None:
    """Set `out` from each `begin` up to but not including its `end`."""
    edges = np.zeros(len(out) + 1, dtype=np.int64)
    np.add.at(edges, begin, 1)
    np.add.at(edges, end, -1)
    out |= np.cumsum(edges)[:-1] > 0

"""The readings of a counter in the point's unit, each with the instrument it was read from.

Between readings of one `epoch` the register counts on, so that their difference is use. Another instrument begins an
epoch, a register that restarts each day one at each local midnight, and for a register that shows what passed since the
message before each message is one. Closing and opening registers are treated as readings.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.counters import Counter, Counts
from efficiency.usage.intervals import EVER, Bools, Floats, Span, Times
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import Masks
from metering.instants import local_day, midnight_ms

States = NDArray[np.uint8]
MEASURING, CALIBRATING, FAULT = 0, 1, 2
"""Codes of the wire's reading states in arrays."""

_DAYS = 2**40
"""Epochs of local days are numbered from here on; those of messages by their instant, of instruments from zero."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Every reading of one register within `span`: times in ms, ascending and unique; values; states by code."""

    times: Times
    values: Floats
    states: States
    span: Span = EVER


class ValueRun(NamedTuple):
    """The places of the first and the last reading of some that repeat a value."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Line:
    """Readings that count: times in ms, ascending; `values` in the point's unit; `instrument` by number."""

    times: Times
    values: Floats
    epoch: Times
    instrument: Times

    def where(self, keep: Bools | NDArray[np.intp]) -> "Line":
        """Some of the readings."""
        return Line(self.times[keep], self.values[keep], self.epoch[keep], self.instrument[keep])

    @property
    def fresh(self) -> Bools:
        """Whether each reading differs from the one before."""
        changed = np.ones(len(self.times), dtype=np.bool_)
        changed[1:] = (self.values[1:] != self.values[:-1]) | (self.epoch[1:] != self.epoch[:-1])
        return changed

    def run(self, place: int) -> ValueRun:
        """The readings that repeat the value at `place` without a break."""
        changes = np.flatnonzero(self.fresh)
        after = int(np.searchsorted(changes, place, side="right"))
        end = int(changes[after]) if after < len(changes) else len(self.times)
        return ValueRun(int(changes[after - 1]), end - 1)


@dataclass(frozen=True, slots=True)
class SetAsideReading:
    """Readings that do not count, with the rule that says why."""

    times: Times
    rules: Masks

    @classmethod
    def of(cls, times: Times, rule: Rule) -> "SetAsideReading":
        """Readings set aside for one reason."""
        return cls(times, np.full(len(times), int(rule), dtype=np.uint32))


class SortedReadings(NamedTuple):
    """The readings that were measured while an instrument was fitted, and those that are set aside at once."""

    line: Line
    aside: list[SetAsideReading]


def line_of(counter: Counter, readings: Readings) -> SortedReadings:
    """Sort the readings of a register."""
    finite = np.isfinite(readings.values)
    measuring = readings.states == MEASURING
    good, aside = finite & measuring, []
    if not good.all():
        for state, rule in ((CALIBRATING, Rule.CALIBRATING), (FAULT, Rule.FAULT)):
            aside.append(SetAsideReading.of(readings.times[finite & (readings.states == state)], rule))
        times, values = readings.times[good], readings.values[good]
    else:
        times, values = readings.times, readings.values
    only = counter.instruments[0] if len(counter.instruments) == 1 else None
    if only is not None and only.counts is Counts.TOTAL and Span(only.since, only.until) == EVER:
        none = np.zeros(len(times), dtype=np.int64)
        whole = Line(times, values if only.factor == 1 else values * only.factor, none, none)
        return SortedReadings(whole, aside)
    instrument = _instrument_at(counter, times)
    fitted = instrument >= 0
    if not fitted.all():
        aside.append(SetAsideReading.of(times[~fitted], Rule.NO_INSTRUMENT))
        times, values, instrument = times[fitted], values[fitted], instrument[fitted]
    line = Line(times, values * counter.factor[instrument], instrument, instrument)
    kinds = {each.counts for each in counter.instruments}
    if Counts.DAILY in kinds:
        line = _by_days(counter, line)
    if Counts.DELTA in kinds:
        line = _by_messages(counter, line)
    return SortedReadings(_with_exchanges(counter, line, readings.span), aside)


def _instrument_at(counter: Counter, times: Times) -> Times:
    """The number of the instrument at each instant; -1 where there was none."""
    if not counter.instruments:
        return np.full(len(times), -1, dtype=np.int64)
    instrument = np.searchsorted(counter.since, times, side="right") - 1
    until = np.array([each.until for each in counter.instruments], dtype=np.int64)
    return np.where(times < until[instrument], instrument, -1)


def _of_kind(counter: Counter, line: Line, kind: Counts) -> Bools:
    kinds = np.array([each.counts == kind for each in counter.instruments])
    return np.asarray(kinds[line.instrument])


def _together(parts: list[Line]) -> Line:
    times = np.concatenate([part.times for part in parts])
    order = np.concatenate([np.full(len(part.times), place) for place, part in enumerate(parts)])
    line = Line(
        times,
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.epoch for part in parts]),
        np.concatenate([part.instrument for part in parts]),
    )
    return line.where(np.lexsort((order, times)))


def _by_days(counter: Counter, line: Line) -> Line:
    """Each local day of a daily register is an epoch that opens at zero; a reading right at midnight may close it."""
    daily = _of_kind(counter, line, Counts.DAILY)
    if not daily.any():
        return line
    midnights = _midnights(counter, line.times[daily])
    day = np.searchsorted(midnights, line.times, side="right")
    at_midnight = np.flatnonzero(daily[1:] & (day[1:] > 0) & np.isin(line.times[1:], midnights)) + 1
    closes = at_midnight[(line.values[at_midnight] > 0) & (line.values[at_midnight] >= line.values[at_midnight - 1])]
    day[closes] -= 1
    epoch = np.where(daily, _DAYS + midnights[np.maximum(day, 1) - 1], line.epoch)
    begins = np.flatnonzero(daily[1:] & daily[:-1] & (epoch[1:] != epoch[:-1])) + 1
    opening = midnights[day[begins] - 1]
    opening, begins = opening[opening < line.times[begins]], begins[opening < line.times[begins]]
    opened = Line(opening, np.zeros(len(opening)), epoch[begins], line.instrument[begins])
    own = Line(line.times, line.values, epoch, line.instrument)
    return _together([own, opened])


def _midnights(counter: Counter, times: Times) -> Times:
    """Local midnights from the one before the first instant on."""
    first, last = (local_day(int(at), counter.zone) for at in times[[0, -1]])
    days = [first + timedelta(days=after) for after in range((last - first).days + 1)]
    return np.array([midnight_ms(day, counter.zone) for day in days], dtype=np.int64)


def _by_messages(counter: Counter, line: Line) -> Line:
    """Each message counts from zero since the one before, but for no longer than the interval: one may be lost."""
    delta = _of_kind(counter, line, Counts.DELTA)
    times = line.times[delta]
    since = times - counter.interval_ms
    since[1:] = np.where(times[1:] - times[:-1] <= _LATE * counter.interval_ms, times[:-1], since[1:])
    opened = Line(since, np.zeros(len(times)), times, line.instrument[delta])
    epoch = np.where(delta, line.times, line.epoch)
    return _together([Line(line.times, line.values, epoch, line.instrument), opened])


_LATE = 1.5
"""A message that comes later than so many intervals after the one before it is not the next one."""


def _with_exchanges(counter: Counter, line: Line, span: Span) -> Line:
    """Put closing and opening registers among the readings; a reading at that very instant gives way to an opening."""
    closed: list[Line] = []
    opened: list[Line] = []
    replaced = np.zeros(len(line.times), dtype=np.bool_)
    for number, fitted in enumerate(counter.instruments):
        if np.isfinite(fitted.closing) and span.start <= fitted.until < span.end:
            closed.append(_noted(counter, number, fitted.until, fitted.closing))
        if np.isfinite(fitted.opening) and span.start <= fitted.since < span.end:
            opened.append(_noted(counter, number, fitted.since, fitted.opening))
            replaced |= (line.times == fitted.since) & (line.instrument == number)
    return _together([*closed, line.where(~replaced), *opened]) if closed or opened else line


def _noted(counter: Counter, number: int, at: int, register: float) -> Line:
    place = np.array([number], dtype=np.int64)
    return Line(np.array([at], dtype=np.int64), np.array([register * counter.factor[number]]), place, place)

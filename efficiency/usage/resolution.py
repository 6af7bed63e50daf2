"""The resolution of a counter: from the park file or, where it gives none, from the decimals of readings."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from efficiency.usage.counters import Counter
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, Floats, Times
from efficiency.usage.line import Line

_DECIMALS = 6
_ROUNDING = 1e-9
"""Registers that passed through binary arithmetic are this near to their decimals, as a share of their value."""
AROUND = HOUR_MS // QUARTER_MS
"""Readings of so many quarter hours on either side tell how many decimals there are: a single one may end in zeros."""


def seen_step(registers: Floats) -> Floats:
    """The coarsest of 1, 0.1, 0.01, ... that each register is a multiple of; 0 where it is finer than a millionth."""
    step = np.zeros(len(registers))
    rest = np.flatnonzero(np.isfinite(registers))
    for decimals in range(_DECIMALS + 1):
        shown = registers[rest]
        even = np.abs(shown - np.round(shown, decimals)) <= _ROUNDING * np.maximum(1.0, np.abs(shown))
        step[rest[even]] = 10.0**-decimals
        rest = rest[~even]
        if not len(rest):
            break
    return step


def counted_step(counter: Counter, values: Floats, instrument: Times) -> Floats:
    """One count of the register that shows each value, in the point's unit."""
    known = counter.step(values, instrument)
    if not counter.seen.any():
        return known
    factor = counter.factor[instrument]
    return np.where(counter.seen[instrument], seen_step(values / factor) * np.abs(factor), known)


def resolution(counter: Counter, line: Line, start: Times) -> Floats:
    """One count during each of the quarter hours that begin at `start`, which follow one another without a hole."""
    if not len(line.times):
        return np.zeros(len(start))
    if len(counter.instruments) == 1 and not counter.seen.any() and not counter.relative[0]:
        return np.full(len(start), counter.count[0])
    place = np.minimum(np.searchsorted(line.times, start), len(line.times) - 1)
    shown = counted_step(counter, line.values[place], line.instrument[place])
    if not counter.seen.any():
        return shown
    begin = int(start[0]) - AROUND * QUARTER_MS
    first, last = np.searchsorted(line.times, (begin, int(start[-1]) + (AROUND + 1) * QUARTER_MS))
    near = slice(int(first), int(last))
    finest = np.full(len(start) + 2 * AROUND, np.inf)
    slot = (line.times[near] - begin) // QUARTER_MS
    np.minimum.at(finest, slot, counted_step(counter, line.values[near], line.instrument[near]))
    around: Floats = sliding_window_view(finest, 2 * AROUND + 1).min(axis=1)
    return np.where(np.isfinite(around), around, shown)

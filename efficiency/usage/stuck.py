"""Stuck meters: consecutive quarter hours of the same use, too many for chance.

A load of A counts of its register a quarter hour that varies by a quarter percent repeats itself by chance about once
in A / 100 times. Three in a row mean something only for a register that counts finely; a coarser one must repeat itself
longer, and one that counts a few hundred steps a quarter hour cannot be judged at all: three equal quarter hours were
found thousands of times a year in meters that worked. Nor can one that is read less often than each quarter hour, of
which several are equal parts of one step.
"""

import numpy as np

from efficiency.usage.intervals import Bools, Floats

MOST_RUN = 8
"""The longest run that is required: whether a quarter hour is stuck depends on those within that many."""

_SHORTEST = 3
_BY_CHANCE = 100.0
"""Counts of a quarter hour of which two are always equal."""
_RARE = 3e-7
"""Chance of a run: once a year among a hundred meters."""

_RUNS = np.arange(MOST_RUN, _SHORTEST - 1, -1)
_FEWEST = _BY_CHANCE / _RARE ** (1 / (_RUNS - 1))
"""Counts from which a run of so many suffices; ascending."""
_NEEDED = np.concatenate(([np.iinfo(np.int64).max], _RUNS))

_EQUAL = 1e-9


def stuck(amount: Floats, measured: Bools, step: Floats) -> Bools:
    """Which quarter hours are in such a run, of those fully `measured`; `step`: one count, in the unit of `amount`."""
    able = measured & (amount != 0)
    same = able[1:] & able[:-1] & (np.abs(amount[1:] - amount[:-1]) <= _EQUAL * np.abs(amount[1:]))
    out = np.zeros(len(amount), dtype=np.bool_)
    if not (same[1:] & same[:-1]).any():
        return out
    edges = np.diff(np.concatenate(([False], same, [False])).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    run = last - first + 1
    inside = np.repeat(first, run) + np.arange(run.sum()) - np.repeat(np.cumsum(run) - run, run)
    with np.errstate(divide="ignore"):
        counts = np.abs(amount[inside]) / step[inside]
    needed = _NEEDED[np.searchsorted(_FEWEST, counts, side="right")]
    out[inside] = np.repeat(run, run) >= needed
    return out

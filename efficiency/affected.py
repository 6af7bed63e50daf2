"""What a changed reading changes: the windows to compute again so that the result is as if computed from scratch.

A changed register, state or swap moves the good readings at most `REACH_MS` around it (or the nearest reading on
either side), hence the steps up to the next good readings beyond, hence their intervals and the two beside them (stuck
meters); and through the measured use that shapes are taken from, whole gaps up to three weeks later.
"""

import numpy as np

from efficiency.counters import Counter
from efficiency.gaps import SHAPE_WEEKS, histories
from efficiency.intervals import WEEK_MS, Span, merged
from efficiency.registers import REACH_MS, Steps
from efficiency.usage import MARGIN_MS, long_gap


def shape_reach(changed: Span) -> Span:
    """Where gaps lie that may borrow their shape from what changed: load readings from `changed` to its end."""
    return Span(changed.end + WEEK_MS, changed.end + SHAPE_WEEKS * WEEK_MS + MARGIN_MS)


def affected(counter: Counter, steps: Steps, changed: Span) -> list[Span]:
    """Windows whose intervals to compute again after readings within `changed` came, went or were corrected.

    `steps` are those of after the change, of everything from the good readings around `changed` to the end of
    `shape_reach(changed)`. A changed swap counts as a changed reading at its instant, old and new; a changed multiplier
    as changed readings for as long as it holds.
    """
    near = _direct(steps, changed)
    long = long_gap(counter, steps) & (steps.end > changed.start)
    gaps = [Span(int(a), int(b)) for a, b in zip(steps.start[long], steps.end[long], strict=True)]
    shaped = [gap.outward() for gap in gaps if any(past.overlaps(near) for past in histories(gap))]
    return merged([near, *shaped])


def _direct(steps: Steps, changed: Span) -> Span:
    candidates = steps.candidates
    before = int(np.searchsorted(candidates, changed.start)) - 1
    after = int(np.searchsorted(candidates, changed.end))
    begin = min(changed.start, int(candidates[before])) if before >= 0 else changed.start
    end = max(changed.end, int(candidates[after])) if after < len(candidates) else changed.end
    begin, end = begin - REACH_MS, end + REACH_MS
    good = np.union1d(steps.start, steps.end)
    earlier, later = good[good < begin], good[good > end]
    whole = Span(int(earlier[-1]) if len(earlier) else begin, int(later[0]) if len(later) else end).outward()
    return Span(whole.start - MARGIN_MS, whole.end + MARGIN_MS)

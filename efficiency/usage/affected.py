"""What a changed reading changes: the windows to compute again so that the result is as if computed from scratch.

A changed register, state or swap moves the good readings at most `REACH_MS` around it (or the nearest reading on
either side), and whatever repeats one value until it jumps; hence the steps up to the next good readings beyond, hence
their intervals and those beside them (stuck meters); and through the measured use that shapes are taken from, whole
gaps up to three weeks later.
"""

import numpy as np

from efficiency.usage.counters import Counter
from efficiency.usage.fromsteps import MARGIN_MS, long_gap
from efficiency.usage.gaps import SHAPE_WEEKS, histories
from efficiency.usage.intervals import WEEK_MS, Span, merged
from efficiency.usage.line import Line
from efficiency.usage.steps import EXCURSION_MS, REACH_MS, Steps


def shape_reach(changed: Span) -> Span:
    """Where gaps lie that may borrow their shape from what changed: load readings from `changed` to its end."""
    return Span(changed.end + WEEK_MS, changed.end + SHAPE_WEEKS * WEEK_MS + MARGIN_MS)


def affected(counter: Counter, steps: Steps, changed: Span, *, only_new: bool = False) -> list[Span]:
    """Windows whose intervals to compute again after readings within `changed` came, went or were corrected.

    `steps` are those of after the change, of everything from the good readings around `changed` to the end of
    `shape_reach(changed)`. A changed swap counts as a changed reading at its instant, old and new; a changed multiplier
    as changed readings for as long as it holds. `only_new` promises that no reading went or was corrected: then a
    register that merely stands still needs no second look at the past day.
    """
    near = _direct(counter, steps, changed, only_new=only_new)
    long = long_gap(counter, steps) & (steps.end > changed.start)
    gaps = [Span(int(a), int(b)) for a, b in zip(steps.start[long], steps.end[long], strict=True)]
    shaped = [gap.outward() for gap in gaps if any(past.overlaps(near) for past in histories(gap))]
    return merged([near, *shaped])


def _direct(counter: Counter, steps: Steps, changed: Span, *, only_new: bool) -> Span:
    candidates = steps.raw.times
    before = int(np.searchsorted(candidates, changed.start)) - 1
    after = int(np.searchsorted(candidates, changed.end))
    begin = min(changed.start, int(candidates[before])) if before >= 0 else changed.start
    end = max(changed.end, int(candidates[after])) if after < len(candidates) else changed.end
    zone = Span(begin - REACH_MS, end + REACH_MS)
    reach = _with_runs(counter, steps, zone, only_new=only_new)
    begin, end = reach.start, reach.end
    end = max(end, _back_after(steps.raw, zone.end))
    if not only_new:
        end = max(end, _back_from(steps.raw, int(np.searchsorted(candidates, changed.end)), changed.end))
    good = np.union1d(steps.start, steps.end)
    earlier, later = good[good < begin], good[good > end]
    whole = Span(int(earlier[-1]) if len(earlier) else begin, int(later[0]) if len(later) else end).outward()
    return Span(whole.start - MARGIN_MS, whole.end + MARGIN_MS)


def _back_after(raw: Line, ms: int) -> int:
    """Until when a register may be back that fell at an instant, ms.

    It may fall from the last reading up to the instant, from the first beyond it, or after it repeated the value of
    either. What a fall is taken for depends on the use before it, which may be a step from long ago.
    """
    beyond = int(np.searchsorted(raw.times, ms, side="right"))
    near = [place for place in (beyond - 1, beyond) if 0 <= place < len(raw.times)]
    until = ms
    for fall in {*near, *(raw.run(place).last for place in near)}:
        if fall + 1 < len(raw.times) and raw.values[fall + 1] < raw.values[fall]:
            until = max(until, _back_from(raw, fall + 1, int(raw.times[fall])))
    return until


def _back_from(raw: Line, low: int, fell_ms: int) -> int:
    """Until when a register may be back that fell to the reading at `low`, from a reading no later than `fell_ms`.

    A reading that was deleted or corrected may have been higher than the next one: that is a fall, too.
    """
    if low >= len(raw.times):
        return fell_ms
    last = raw.run(low).last
    back = max(int(np.searchsorted(raw.times, fell_ms + EXCURSION_MS, side="right")), last + 1)
    return int(raw.times[min(back, len(raw.times) - 1)])


def _with_runs(counter: Counter, steps: Steps, zone: Span, *, only_new: bool) -> Span:
    """The zone, widened to where a register began to repeat one value and to where it then jumps."""
    line, begin, end = steps.settled, zone.start, zone.end
    last = int(np.searchsorted(line.times, zone.start)) - 1
    if last >= 0 and not (only_new and not _jumps(counter, steps.raw, zone)):
        begin = min(begin, int(line.times[steps.since(last)]))
    later = int(np.searchsorted(line.times, zone.end, side="right"))
    if later < len(line.times):
        last = line.run(later).last
        if last + 1 < len(line.times) and steps.jump[last]:
            end = int(line.times[last + 1])
    return Span(begin, end)


def _jumps(counter: Counter, raw: Line, zone: Span) -> bool:
    """Whether the register falls anywhere in the zone, or rises by more than can pass, whatever its resolution.

    Where it does not now, it did not before either, as long as readings were only added.
    """
    near = (raw.times[1:] >= zone.start) & (raw.times[:-1] <= zone.end)
    elapsed = (raw.times[1:] - raw.times[:-1])[near]
    rise = (raw.values[1:] - raw.values[:-1])[near]
    return bool(((rise < 0) | (rise > elapsed * counter.most_per_ms)).any())

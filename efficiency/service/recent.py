"""The readings of the last hours of every meter, kept from cycle to cycle: only the running hour is read again.

What comes, goes or is corrected before the running hour leaves a trace in `arrivals`; then `forget` the meter.
"""

from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from efficiency.stored.readings import Registers
from efficiency.usage.counters import counting
from efficiency.usage.intervals import Span
from efficiency.usage.line import Readings
from metering.meters import Meter

Load = Callable[[Sequence[Meter], Span], Awaitable[Registers]]


class Recent:
    """Readings by meter and register, as of the last `load`."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Readings]] = {}

    def forget(self, meter: str) -> None:
        """Something may have changed before the running hour."""
        self._held.pop(meter, None)

    async def load(self, meters: Sequence[Meter], span: Span, since: int, load: Load) -> Registers:
        """Readings of some meters over a span; only those from `since` on are asked for, where the others are known."""
        known = [meter for meter in meters if self._held.get(meter.id, {}).keys() == set(counting(meter))]
        names = {meter.id for meter in known}
        loaded = await load([meter for meter in meters if meter.id not in names], span)
        for register, by_meter in (await load(known, Span(since, span.end))).items():
            for name, new in by_meter.items():
                loaded.setdefault(register, {})[name] = _joined(self._held[name][register], new, span.start, since)
        for meter in meters:
            self._held[meter.id] = {register: loaded[register][meter.id] for register in counting(meter)}
        return loaded


def _joined(old: Readings, new: Readings, start: int, since: int) -> Readings:
    """Old readings from `start` up to `since`, and new ones from there on."""
    first, last = np.searchsorted(old.times, (start, since))
    span = Span(old.span.start if first == 0 else start, new.span.end)
    return Readings(
        np.concatenate((old.times[first:last], new.times)),
        np.concatenate((old.values[first:last], new.values)),
        np.concatenate((old.states[first:last], new.states)),
        span,
    )

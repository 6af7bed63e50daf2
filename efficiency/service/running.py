"""Computes the running hour of every meter in each cycle; only what is new is read, valued and written.

Nearly all meters are plain (`usage.plain`). They are computed together and compared with the last cycle; the quarter
hours that differ are valued and written together. A meter that is not plain, or of which stored rows must be deleted,
goes through `Computing` alone. The result is the same, bit for bit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from efficiency.service.aside import SetAside
from efficiency.service.compute import Computing
from efficiency.service.plainrows import PlainGroup, PlainMeter, PlainUse, changed_rows
from efficiency.service.results import Computed, Results
from efficiency.stored.meteruse import plain_uses, touched
from efficiency.stored.readings import Registers
from efficiency.usage.counters import counting
from efficiency.usage.fromsteps import MARGIN_MS, enough
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS, Span
from efficiency.usage.line import Readings
from efficiency.usage.plain import plain_window
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import REACH_MS
from efficiency.valuation.rows import AlikeMeters, PlacesOfPark, ValuedPlace
from metering.meters import Meter

BEHIND_MS = 2 * (REACH_MS + MARGIN_MS) + 3 * HOUR_MS
"""How much is loaded before the running hour: what new readings affect, what that depends on, and two intervals of up
to an hour."""
_TURN = 16

Load = Callable[[Sequence[Meter], Span], Awaitable[Registers]]


class _SeenReadings(NamedTuple):
    """A digest of a meter's readings, and the quarter hour in which it was taken."""

    digest: int
    quarter: int


class RunningHours:
    """The running hours of one park's meters; make a new one when the park file changes what is computed."""

    def __init__(self, aside: SetAside) -> None:
        self._aside = aside
        self._recent = Recent()
        self._last_seen: dict[str, _SeenReadings] = {}
        self._plain: dict[str, PlainUse] = {}
        self._places: PlacesOfPark | None = None

    def forget(self, meter: str) -> None:
        """Note that something before the running hour may have changed, or is computed again."""
        self._recent.forget(meter)
        self._plain.pop(meter, None)

    async def run(self, computing: Computing, first: Mapping[str, int], changed: Span, group: Sequence[Meter]) -> None:
        """Compute some meters with new readings in `changed`; `first`: instants of meters' first readings."""
        results = computing.results
        now_ms = results.now_ms
        span = Span(changed.start - BEHIND_MS, now_ms + DAY_MS)
        loaded = await self._recent.load(group, span, changed.start, computing.load)
        seen = {meter.id: _seen(meter, loaded, now_ms) for meter in group if meter.id in first}
        news = [meter for meter in group if meter.id in seen and self._last_seen.get(meter.id) != seen[meter.id]]
        window = plain_window(changed, now_ms)
        old = [meter for meter in news if first[meter.id] < window.start]
        plain = plain_uses(computing.meter_use, old, loaded, window)
        together = await self._keep_together(results, plain, window) if results.compares else set()
        due: dict[str, Span] = {}
        for meter in (meter for meter in news if meter.id not in together):
            self._plain.pop(meter.id, None)
            with self._aside.guard(meter.id, now_ms):
                due[meter.id] = window if meter.id in plain else await _touched(computing, meter, loaded, changed)
        await self._keep_each(computing, loaded, due, plain)
        self._plain |= {name: PlainUse(window, now_ms, plain[name]) for name in together}
        self._last_seen |= seen

    async def _keep_each(
        self,
        computing: Computing,
        loaded: Registers,
        due: Mapping[str, Span],
        plain: Mapping[str, Mapping[str, QuarterHours]],
    ) -> None:
        """Store what is to be computed for some meters, one by one; `plain` is computed already."""
        if not due:
            return
        results = computing.results
        now_ms = results.now_ms
        whole = Span(min(each.start for each in due.values()), now_ms).outward()
        stored = await results.usage.stored(due, whole)
        for number, (name, span) in enumerate(due.items()):
            meter = results.park.meter[name]
            with self._aside.guard(name, now_ms):
                if name in plain:
                    await results.keep(Computed(meter, span, plain[name]), stored[name])
                    self._plain[name] = PlainUse(span, now_ms, plain[name])
                else:
                    await computing.one(meter, span, loaded, stored[name])
            if number % _TURN == 0:
                await asyncio.sleep(0)  # yield to the service's other work

    async def _keep_together(
        self, results: Results, plain: Mapping[str, Mapping[str, QuarterHours]], window: Span
    ) -> set[str]:
        """Store what differs from the last cycle, for all meters for which that is simple; returns them.

        It is simple if the meter stayed in one place and had no event, and every row adds to or overwrites what is
        stored, so that nothing has to be deleted.
        """
        groups: dict[PlainGroup, list[str]] = {}
        places: dict[str, ValuedPlace] = {}
        if self._places is None or self._places.park is not results.park:
            self._places = PlacesOfPark(results.park)
        for name, uses in plain.items():
            before, meter = self._plain.get(name), results.park.meter[name]
            if before is None or not before.window.start <= window.start <= before.window.end <= window.end:
                continue
            place = self._places.over(meter, window)
            if place is None or results.events_in(meter, window) or not results.usage.knows([name], before.window):
                continue
            places[name] = place
            key = PlainGroup(before.window, before.now_ms, AlikeMeters.of(uses, place))
            groups.setdefault(key, []).append(name)
        found = [
            changed_rows(
                results.park,
                key,
                [PlainMeter(name, places[name], self._plain[name]) for name in names],
                now=plain,
                window=window,
                now_ms=results.now_ms,
            )
            for key, names in groups.items()
        ]
        await results.overwrite(found, window)
        return {meter for each in found for meter in each.meters}


async def _touched(computing: Computing, meter: Meter, loaded: Registers, changed: Span) -> Span:
    """The span that readings of the running hour affect, of any of the meter's registers."""
    found: list[Span] = []
    meter_use = computing.meter_use
    for register in meter_use.registers(meter):
        readings = loaded[register.name][meter.id]
        if not len(readings.times):
            found.append(changed)  # nothing was read for hours: what was missing still is
            continue
        steps = meter_use.prepare(register, readings)
        window = touched(register, steps, changed, only_new=True)
        found.append(window if enough(steps, window).both else await meter_use.affected(register, changed))
    return Span(min(span.start for span in found), max(span.end for span in found))


def _seen(meter: Meter, loaded: Registers, now_ms: int) -> _SeenReadings:
    readings = loaded[meter.counter][meter.id]
    content = readings.times.tobytes() + readings.values.tobytes() + readings.states.tobytes()
    return _SeenReadings(hash(content), now_ms // QUARTER_MS)


class Recent:
    """Keeps the readings of the last hours by meter and register, so that only the running hour is read again.

    Without it each cycle would read six hours of every meter. A change before the running hour leaves a trace in
    `arrivals`; `forget` the meter then.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Readings]] = {}

    def forget(self, meter: str) -> None:
        """Read all of a meter the next time."""
        self._known.pop(meter, None)

    async def load(self, meters: Sequence[Meter], span: Span, since: int, load: Load) -> Registers:
        """Readings of some meters over a span; only those from `since` on are asked for, where the others are known."""
        known = [meter for meter in meters if self._known.get(meter.id, {}).keys() == set(counting(meter))]
        names = {meter.id for meter in known}
        loaded = await load([meter for meter in meters if meter.id not in names], span)
        for register, by_meter in (await load(known, Span(since, span.end))).items():
            for name, new in by_meter.items():
                loaded.setdefault(register, {})[name] = _joined(self._known[name][register], new, span.start, since)
        for meter in meters:
            self._known[meter.id] = {register: loaded[register][meter.id] for register in counting(meter)}
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

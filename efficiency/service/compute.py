"""Computes the use of meters in the planned windows of time, and updates the store.

It works month by month, and within a month by groups of meters whose readings fit in memory together. A group is read
at once, and the figures of a tenant are made while all their inputs are still in memory.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from efficiency.service.aside import SetAside
from efficiency.service.fewatonce import few_at_once
from efficiency.service.results import Computed, Results, owner
from efficiency.stored.meteruse import NEAR_MS, MeterUse, around, plain_uses
from efficiency.stored.readings import RegisterReader, Registers
from efficiency.stored.usage import StoredUsage
from efficiency.usage.events import Event, meter_events, wider
from efficiency.usage.fromsteps import usage_of
from efficiency.usage.intervals import ALWAYS_AFTER, QUARTER_MS, Span, merged
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import steps_of
from efficiency.valuation.localtime import months_of
from efficiency.valuation.rows import PlacesOfPark, ValuedPlace
from metering.errors import OperatorError, UnavailableError
from metering.meters import Meter

AT_ONCE = 250_000
"""About how many readings may be in memory together; a quarter hour counts as two."""

Work = dict[str, list[Span]]
"""Windows to compute, by meter."""
log = logging.getLogger(__name__)


class _Bounded(NamedTuple):
    """Windows to compute now, by month, and those that are left for later."""

    first: dict[int, Work]
    left: Work


class Computing:
    """The computation of one cycle; what it finds goes to `results`."""

    def __init__(self, reader: RegisterReader, results: Results, aside: SetAside) -> None:
        self.meter_use = MeterUse(reader, results.now_ms, results.park.zone, results.doubts)
        self.again: Work = {}
        """What must be computed once more because a change of a register's unit was found, or resolved."""
        self.results = results
        self._park = results.park
        self._places = PlacesOfPark(results.park)
        self._reader = reader
        self._aside = aside
        self._now_ms = results.now_ms

    async def compute(self, work: Work, done: Callable[[int, int], None], most: int | None = None) -> Work:
        """Compute windows, oldest months first; `done` is called with how many of how many are done.

        Computes at most `most` quarter hours, and returns the windows that are left.
        """
        bounded = self._bounded(self._by_month(work), most)
        total, ready = sum(len(spans) for windows in bounded.first.values() for spans in windows.values()), 0
        rollups = self.results.rollups
        works: list[Callable[[], Awaitable[None]]] = []
        for _, windows in sorted(bounded.first.items()):
            rollups.begin_month(windows)
            works += [partial(self._group_or_each, group, windows) for group in self._groups(windows)]
            await few_at_once(works)
            works = await rollups.end_month(self._park, self._now_ms)
            ready += sum(map(len, windows.values()))
            done(ready, total)
        await few_at_once(works)
        return bounded.left

    def _groups(self, windows: Work) -> list[list[Meter]]:
        return groups([self._park.meter[name] for name in windows], _hull(windows.values()))

    def _bounded(self, by_month: dict[int, Work], most: int | None) -> _Bounded:
        """Split off the first `most` quarter hours; a window may be cut anywhere."""
        if most is None:
            return _Bounded(by_month, {})
        first: dict[int, Work] = {}
        left: Work = {}
        for month, windows in sorted(by_month.items()):
            for name in (meter.id for group in self._groups(windows) for meter in group):
                for span in windows[name]:
                    cut = min(span.end, span.start + most * QUARTER_MS)
                    most -= (cut - span.start) // QUARTER_MS
                    if span.start < cut:
                        first.setdefault(month, {}).setdefault(name, []).append(Span(span.start, cut))
                    if cut < span.end:
                        left.setdefault(name, []).append(Span(cut, span.end))
        return _Bounded(first, left)

    def _by_month(self, work: Work) -> dict[int, Work]:
        found: dict[int, Work] = {}
        for name, spans in work.items():
            first = self._reader.first.get(name)
            for span in merged(spans) if first is not None and not self._aside.failed(name) else []:
                window = Span(max(span.start, first or 0), min(span.end, self._now_ms)).outward()
                for month, piece in months_of(window, self._park.zone):
                    found.setdefault(month, {}).setdefault(name, []).append(piece)
        return found

    async def _group_or_each(self, group: Sequence[Meter], windows: Work) -> None:
        await each_or_alone(self._aside, group, self._now_ms, partial(self._group, windows))

    async def _group(self, windows: Work, group: Sequence[Meter]) -> None:
        """Compute some meters' windows of one month, and those tenants' figures whose inputs are then in memory."""
        whole = _hull(windows[meter.id] for meter in group)
        names = [meter.id for meter in group]
        loaded = await self.load(group, around(whole))
        stored = await self.results.usage.stored(names, whole)
        done = await self._plain(group, windows, loaded, stored)
        await asyncio.sleep(0)  # transfers to and from the database continue meanwhile
        for meter in group:
            if meter.id in done:
                continue
            for span in windows[meter.id]:
                with self._aside.guard(meter.id, self._now_ms):
                    await self.one(meter, span, loaded, stored[meter.id])
            await asyncio.sleep(0)
        await self.results.rollups.write_at_hand(self._park, names, whole, self._now_ms)

    async def _plain(
        self, group: Sequence[Meter], windows: Work, loaded: Registers, stored: Mapping[str, StoredUsage]
    ) -> set[str]:
        """Compute, together, the plain meters of which nothing is stored yet; returns them."""
        by_window: dict[Span, list[Meter]] = {}
        places: dict[str, ValuedPlace] = {}
        for meter in group:
            only, *others = windows[meter.id]
            window = self._whole(meter, only)
            place = self._places.over(meter, window)
            fresh = window.start < window.end and not stored[meter.id].within(window).series
            if fresh and not others and place is not None and not self.results.events_in(meter, window):
                by_window.setdefault(window, []).append(meter)
                places[meter.id] = place
        found: set[str] = set()
        for window, meters in by_window.items():
            uses = plain_uses(self.meter_use, meters, loaded, window)
            await self.results.add(
                [Computed(self._park.meter[name], window, use) for name, use in uses.items()], places
            )
            found |= uses.keys()
        return found

    def _whole(self, meter: Meter, window: Span) -> Span:
        """The part of a window in which a meter may have been read, outward to quarter hours."""
        first = self._reader.first[meter.id] // QUARTER_MS * QUARTER_MS
        return Span(max(window.start, first), min(window.end, self._now_ms)).outward()

    async def load(self, group: Sequence[Meter], span: Span) -> Registers:
        """Readings of some meters, of all their counting registers."""
        loaded: Registers = {}
        for utility in sorted({meter.utility for meter in group}):
            found = await self._reader.load([m for m in group if m.utility is utility], span, self._now_ms)
            for name, readings in found.items():
                loaded.setdefault(name, {}).update(readings)
        return loaded

    async def one(self, meter: Meter, window: Span, loaded: Registers, stored: StoredUsage) -> None:
        """Compute one meter in one window and update the store."""
        whole = self._whole(meter, window)
        if whole.start < whole.end:
            before = self.results.doubts(meter)
            await self.results.keep(await self._computed(meter, whole, loaded), stored)
            if (after := self.results.doubts(meter)) != before:
                since = min(span.start for span in {*before} ^ {*after})
                self.again.setdefault(meter.id, []).append(Span(since, self._now_ms + 1))

    async def _computed(self, meter: Meter, whole: Span, loaded: Registers) -> Computed:
        """Use of each counting register of a meter, and the events of the main one."""
        uses: dict[str, QuarterHours] = {}
        happened: list[Event] = []
        for register in self.meter_use.registers(meter):
            readings = loaded[register.name][meter.id]
            main = register.name == meter.counter
            span = wider(whole) if main else whole
            if len(readings.times) or readings.span.end < ALWAYS_AFTER:
                steps = await self.meter_use.steps(register, span, readings)
                use = await self.meter_use.of_steps(register, span, steps)
            else:
                steps = steps_of(register.counter, readings)
                use = usage_of(register.counter, steps, span)
            if main:
                happened = meter_events(meter, register.counter, steps, use, whole)
                use = use.cut(slice((whole.start - span.start) // QUARTER_MS, None))
            uses[register.name] = use
        return Computed(meter, whole, uses, happened)


async def each_or_alone(
    aside: SetAside, group: Sequence[Meter], now_ms: int, work: Callable[[Sequence[Meter]], Awaitable[None]]
) -> None:
    """Do something for a group of meters; if that fails, for each alone, so that the culprit is found."""
    if len(group) > 1:
        try:
            await work(group)
        except (UnavailableError, OperatorError):
            raise
        except Exception as error:  # noqa: BLE001 (one meter must not stop the others)
            log.debug("%d meters failed together: %r; trying them one by one", len(group), error)
        else:
            return
    for meter in group:
        with aside.guard(meter.id, now_ms):
            await work([meter])


def groups(meters: Sequence[Meter], span: Span) -> list[list[Meter]]:
    """Groups of meters whose readings over a span fit in memory together; a tenant's meters in one group if possible.

    The tenant is the one who has a meter at the end of the span.
    """
    found: list[list[Meter]] = []
    in_group = 0.0
    owners = {meter.id: owner(meter, span.end - 1) or "" for meter in meters}
    ordered = sorted(meters, key=lambda meter: (owners[meter.id], meter.utility.value, meter.id))
    for _, of_tenant in groupby(ordered, key=lambda meter: owners[meter.id]):
        part = list(of_tenant)
        sizes = [_readings(meter, span) for meter in part]
        if found and in_group + sum(sizes) > AT_ONCE:
            found.append([])
            in_group = 0.0
        for meter, size in zip(part, sizes, strict=True):
            if not found or in_group + size > AT_ONCE:
                found.append([])
                in_group = 0.0
            found[-1].append(meter)
            in_group += size
    return [group for group in found if group]


def _readings(meter: Meter, span: Span) -> float:
    """How much memory a meter takes over a span, counted in readings; a quarter hour takes as much as two."""
    return (span.end - span.start + 4 * NEAR_MS) * (1 / (meter.interval_s * 1000) + 2 / QUARTER_MS)


def _hull(windows: Iterable[Sequence[Span]]) -> Span:
    spans = [span for each in windows for span in each]
    return Span(min(span.start for span in spans), max(span.end for span in spans))

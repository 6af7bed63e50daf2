"""Computes the use of many meters in windows of time, and makes the store hold it.

It goes month by month and, within a month, by groups of meters whose readings may be in memory together: they are read
at once, and the figures of tenants are made of what was just computed, where that is all of a period.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import groupby

import numpy as np

from efficiency.indicators.balance import balance_meters
from efficiency.indicators.tenant import EXPORT
from efficiency.service.aside import SetAside
from efficiency.service.inturn import AT_A_TIME, in_turn
from efficiency.service.rollups import Rollups
from efficiency.stored.events import EventStore, OwnedEvent
from efficiency.stored.measured import Held, measured, with_column
from efficiency.stored.meteruse import NEAR_MS, MeterUse, around
from efficiency.stored.readings import RegisterReader, Registers
from efficiency.stored.usage import StoredUsage, points_of
from efficiency.stored.usagestore import UsageStore
from efficiency.usage.events import Event, meter_events, wider
from efficiency.usage.intervals import ALWAYS_AFTER, QUARTER_MS, Span, merged
from efficiency.usage.plain import plain_hours, plain_window
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.quarters import usage_of
from efficiency.usage.steps import steps_of
from efficiency.valuation.localtime import months_of, slots_over
from efficiency.valuation.rows import Rows, rows_of
from metering.errors import OperatorError, UnavailableError
from metering.meters import Meter
from metering.park import Park

AT_ONCE = 250_000
"""Readings that are held in memory together, about."""

Work = dict[str, list[Span]]
"""Windows to compute again, by meter."""
_Holding = dict[str, tuple[Span, QuarterHours]]
log = logging.getLogger(__name__)


class Windows:
    """The computing of one cycle, up to `now_ms`; figures above that change are marked in `rollups`.

    `everything`: tenants' databases get what did not change, too, and all figures above are computed again.
    """

    def __init__(
        self,
        park: Park,
        reader: RegisterReader,
        usage: UsageStore,
        events: EventStore,
        rollups: Rollups,
        aside: SetAside,
        now_ms: int,
        *,
        everything: bool = False,
        unsure: bool = False,
    ) -> None:
        self.meter_use = MeterUse(reader, now_ms, park.zone)
        self._park = park
        self._reader = reader
        self._usage = usage
        self._events = events
        self._rollups = rollups
        self._aside = aside
        self._now_ms = now_ms
        self._everything = everything
        self._mark_all = everything or unsure
        """The figures above may be missing though this is not: who computed it last may have ended in between."""

    async def compute(self, work: Work, done: Callable[[int, int], None], most: int | None = None) -> Work:
        """Compute windows, oldest months first; `done` gets how many of how many are.

        Returns what is left where they are more than `most` quarter hours.
        """
        by_month = self._by_month(work)
        every = [spans for windows in by_month.values() for spans in windows.values()]
        total, ready, spent = sum(map(len, every)), 0, 0
        balanced = balance_meters(self._park, _hull(every)) if every else set()
        for month, windows in sorted(by_month.items()):
            computed: _Holding = {}
            found = groups([self._park.meter[name] for name in windows], _hull(windows.values()))
            for some in [found] if most is None else _batches(found):
                if most is not None and spent >= most:
                    break
                await in_turn([partial(self._group_or_each, group, windows, computed, balanced) for group in some])
                for name in (meter.id for group in some for meter in group):
                    ready += len(windows[name])
                    spent += sum(span.end - span.start for span in windows.pop(name)) // QUARTER_MS
                done(ready, total)
            await self._rollups.write_mains(self._park, computed, self._now_ms)
            if not windows:
                del by_month[month]
        left: Work = {}
        for windows in by_month.values():
            for name, spans in windows.items():
                left.setdefault(name, []).extend(spans)
        return left

    def _by_month(self, work: Work) -> dict[int, Work]:
        found: dict[int, Work] = {}
        for name, spans in work.items():
            first = self._reader.first.get(name)
            for span in merged(spans) if first is not None and not self._aside.failed(name) else []:
                window = Span(max(span.start, first or 0), min(span.end, self._now_ms)).outward()
                for month, piece in months_of(window, self._park.zone):
                    found.setdefault(month, {}).setdefault(name, []).append(piece)
        return found

    async def _group_or_each(
        self, group: Sequence[Meter], windows: Work, computed: _Holding, balanced: AbstractSet[str]
    ) -> None:
        async def work(some: Sequence[Meter]) -> None:
            for name, (span, hours) in (await self._group(some, windows)).items():
                if name in balanced:
                    computed[name] = span, with_column(hours, EXPORT)

        await each_or_alone(self._aside, group, self._now_ms, work)

    async def _group(self, group: Sequence[Meter], windows: Work) -> Held:
        """Compute some meters' windows of one month, and the tenants' figures that they are enough for.

        Returns what the store will have of the meters that are computed in all of a window.
        """
        whole = _hull(windows[meter.id] for meter in group)
        loaded = await self.load(group, around(whole))
        stored = await self._usage.stored([meter.id for meter in group], whole)
        held: _Holding = {}
        for meter in group:
            for span in windows[meter.id]:
                with self._aside.guard(meter.id, self._now_ms):
                    new = await self.one(meter, span, loaded, stored[meter.id])
                    if new is not None and len(windows[meter.id]) == 1:
                        held[meter.id] = (new[0], measured(new[1], new[0]))
            await asyncio.sleep(0)  # what is on its way to and from the database goes on meanwhile
        await self._rollups.write_tenants(self._park, held, self._now_ms)
        return held

    async def load(self, group: Sequence[Meter], span: Span) -> Registers:
        """Readings of some meters, of all their counting registers."""
        loaded: Registers = {}
        for utility in sorted({meter.utility for meter in group}):
            found = await self._reader.load([m for m in group if m.utility is utility], span, self._now_ms)
            for name, readings in found.items():
                loaded.setdefault(name, {}).update(readings)
        return loaded

    async def one(
        self, meter: Meter, window: Span, loaded: Registers, stored: StoredUsage
    ) -> tuple[Span, StoredUsage] | None:
        """Compute one meter in one window and make the store hold the result; returns it and where it holds."""
        first = self._reader.first[meter.id] // QUARTER_MS * QUARTER_MS
        whole = Span(max(window.start, first), min(window.end, self._now_ms)).outward()
        if whole.start >= whole.end:
            return None
        uses, happened = await self._uses(meter, whole, loaded)
        return whole, await self._keep(meter, whole, uses, happened, stored)

    def plain(
        self, meters: Sequence[Meter], loaded: Registers, changed: Span
    ) -> tuple[Span, dict[str, dict[str, QuarterHours]]]:
        """Use of the running hours of those meters that do nothing odd, all at once, and the window that it is of.

        By meter and register; a meter that is not in it is to be computed by itself. It takes a tenth of the time of
        one by one, and the result is the same, bit for bit.
        """
        window = plain_window(changed, self._now_ms)
        old = [meter for meter in meters if self._reader.first[meter.id] < window.start]
        registers = [register for meter in old for register in self.meter_use.registers(meter)]
        hours = plain_hours(
            [each.counter for each in registers], [loaded[each.name][each.meter.id] for each in registers], window
        )
        found: dict[str, dict[str, QuarterHours]] = {}
        odd = set()
        for place, each in enumerate(registers):
            one = hours.get(place)
            if one is None or one.rules.any():
                odd.add(each.meter.id)
            else:
                found.setdefault(each.meter.id, {})[each.name] = one
        return window, {meter: uses for meter, uses in found.items() if meter not in odd}

    async def keep_plain(
        self, meter: Meter, window: Span, uses: Mapping[str, QuarterHours], stored: StoredUsage
    ) -> None:
        """Make the store hold what `plain` found."""
        await self._keep(meter, window, uses, [], stored)

    async def _keep(
        self,
        meter: Meter,
        whole: Span,
        uses: Mapping[str, QuarterHours],
        happened: Sequence[Event],
        stored: StoredUsage,
    ) -> StoredUsage:
        """Make the store hold use and events of one meter in one window; returns what it then holds."""
        known = [each for each in self._events.known(meter.id) if whole.start <= each.event.at < whole.end]
        owned = [OwnedEvent(event, _owner(meter, event.at)) for event in happened]
        if owned != known:
            await self._events.replace(meter.id, known, owned)
        new, before = self._points(meter, whole, uses), stored.within(whole)
        changed = await self._usage.replace(meter.id, new, before, self._now_ms, everything=self._everything)
        when = slots_over(whole, self._park.zone)
        if self._mark_all:
            changed = dict.fromkeys({key[0] for key in (*new.content, *before.content)}, when.start)
        for tenant, starts in changed.items():
            self._rollups.mark(self._park, meter.id, tenant or None, np.unique(when.day[np.isin(when.start, starts)]))
        return new

    async def _uses(self, meter: Meter, whole: Span, loaded: Registers) -> tuple[dict[str, QuarterHours], list[Event]]:
        """Use of each counting register of a meter, and what happened to the main one."""
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
        return uses, happened

    def _points(self, meter: Meter, whole: Span, uses: Mapping[str, QuarterHours]) -> StoredUsage:
        further = {name: use for name, use in uses.items() if name != meter.counter}
        found = rows_of(self._park, meter, uses[meter.counter], further, slots_over(whole, self._park.zone))
        return points_of((place, self._that_hold(rows)) for place, rows in found)

    def _that_hold(self, rows: Rows) -> Rows:
        """A running quarter hour in which nothing was read yet is not missing."""
        keep = (rows.start + QUARTER_MS <= self._now_ms) | (rows.numbers[:, 1] > 0)
        return rows if keep.all() else Rows(rows.start[keep], rows.band[keep], rows.numbers[keep], rows.rules[keep])


def _owner(meter: Meter, ms: int) -> str | None:
    belonging = meter.belonging_at(ms)
    return belonging.tenant if belonging is not None else None


async def each_or_alone(
    aside: SetAside, group: Sequence[Meter], now_ms: int, work: Callable[[Sequence[Meter]], Awaitable[None]]
) -> None:
    """Do something for a group of meters; where that fails, for each by itself, so that the culprit is found."""
    if len(group) > 1:
        try:
            await work(group)
        except (UnavailableError, OperatorError):
            raise
        except Exception as error:  # noqa: BLE001 (one meter must not stop the others)
            log.debug("%d meters together failed of %r; one by one now", len(group), error)
        else:
            return
    for meter in group:
        with aside.guard(meter.id, now_ms):
            await work([meter])


def _batches(found: Sequence[Sequence[Meter]]) -> Iterator[Sequence[Sequence[Meter]]]:
    """Groups a few at a time, as many as are under way together."""
    for first in range(0, len(found), AT_A_TIME):
        yield found[first : first + AT_A_TIME]


def groups(meters: Sequence[Meter], span: Span) -> list[list[Meter]]:
    """Meters whose readings over a span may be held in memory together; those of a tenant, if that may be.

    The tenant is the one who has a meter at the end of the span.
    """
    found: list[list[Meter]] = []
    held = 0.0
    owner = {meter.id: _owner(meter, span.end - 1) or "" for meter in meters}
    ordered = sorted(meters, key=lambda meter: (owner[meter.id], meter.utility.value, meter.id))
    for _, of_tenant in groupby(ordered, key=lambda meter: owner[meter.id]):
        part = list(of_tenant)
        sizes = [_readings(meter, span) for meter in part]
        if found and held + sum(sizes) > AT_ONCE:
            found.append([])
            held = 0.0
        for meter, size in zip(part, sizes, strict=True):
            if not found or held + size > AT_ONCE:
                found.append([])
                held = 0.0
            found[-1].append(meter)
            held += size
    return [group for group in found if group]


def _readings(meter: Meter, span: Span) -> float:
    """How much is held of a meter over a span: its readings, or its quarter hours where they are more."""
    return (span.end - span.start + 4 * NEAR_MS) / min(meter.interval_s * 1000, QUARTER_MS)


def _hull(windows: Iterable[Sequence[Span]]) -> Span:
    spans = [span for each in windows for span in each]
    return Span(min(span.start for span in spans), max(span.end for span in spans))

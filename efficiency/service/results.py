"""Writes what was computed for a meter in a window, and marks the figures that depend on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from efficiency.service.pending import OwnedUse
from efficiency.service.plainrows import RowChanges, has_row
from efficiency.service.rollups import Rollups
from efficiency.stored.events import EventStore, OwnedEvent
from efficiency.stored.usage import SeriesRows, StoredUsage, usage_of_rows
from efficiency.stored.usagestore import UsageStore
from efficiency.usage.doubt import in_doubt
from efficiency.usage.events import Event
from efficiency.usage.intervals import QUARTER_MS, Span, Times
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import slots, slots_over
from efficiency.valuation.rows import AlikeMeters, PlacedRows, Rows, ValuedPlace, rows_of, rows_of_alike
from metering.meters import Meter
from metering.park import Park


@dataclass(frozen=True, slots=True)
class Computed:
    """Use of one meter in a window by register, and the events in it."""

    meter: Meter
    window: Span
    uses: Mapping[str, QuarterHours]
    events: Sequence[Event] = ()


class Results:
    """Stores the results of one cycle, up to `now_ms`.

    `everything`: tenants' databases get what did not change, too. `mark_all`: figures may be missing although their
    usage did not change, because the service that stored it may have stopped before it made them.
    """

    def __init__(
        self,
        park: Park,
        usage: UsageStore,
        events: EventStore,
        rollups: Rollups,
        now_ms: int,
        *,
        everything: bool,
        mark_all: bool,
    ) -> None:
        self.park = park
        self.usage = usage
        self.rollups = rollups
        self.now_ms = now_ms
        self._events = events
        self._everything = everything
        self._mark_all = mark_all or everything

    @property
    def compares(self) -> bool:
        """Whether unchanged results need no writing."""
        return not self._mark_all

    async def keep(self, computed: Computed, stored: StoredUsage) -> None:
        """Store the use and events of a meter in a window; `stored` is what the store has of the meter."""
        meter, window = computed.meter, computed.window
        known = self.events_in(meter, window)
        owned = [OwnedEvent(event, owner(meter, event.at)) for event in computed.events]
        if owned != known:
            await self._events.replace(meter.id, known, owned)
        further = {name: use for name, use in computed.uses.items() if name != meter.counter}
        when = slots_over(window, self.park.zone)
        found = rows_of(self.park, meter, computed.uses[meter.counter], further, when)
        new = usage_of_rows(each._replace(rows=self._to_store(each.rows)) for each in found)
        before = stored.within(window)
        changed = await self.usage.replace(meter.id, window, new, before, self.now_ms, everything=self._everything)
        if self._mark_all:
            changed = dict.fromkeys({key.tenant for key in (*new.series, *before.series)}, when.start)
        for tenant, starts in changed.items():
            self.mark(OwnedUse(meter.id, tenant or None), starts)

    async def add(self, some: Sequence[Computed], places: Mapping[str, ValuedPlace]) -> None:
        """As `keep`, for meters without events that share a window in which nothing of them is stored.

        They are valued together; `places` has the place of each, which must not change within the window.
        """
        if not some:
            return
        window = some[0].window
        when = slots_over(window, self.park.zone)
        groups: dict[AlikeMeters, list[Computed]] = {}
        for each in some:
            groups.setdefault(AlikeMeters.of(each.uses, places[each.meter.id]), []).append(each)
        found: dict[str, StoredUsage] = {}
        for group in groups.values():
            meters, uses = [each.meter for each in group], [each.uses for each in group]
            bands = rows_of_alike(self.park, places[meters[0].id], meters, uses, when)
            for meter, by_band in zip(meters, bands, strict=True):
                place = places[meter.id]
                rows = (PlacedRows(place, band, self._to_store(each)) for band, each in by_band.items())
                found[meter.id] = usage_of_rows(rows).within(window)
        await self.usage.add(found, window)
        over = when.start[when.start + QUARTER_MS <= self.now_ms]
        days = np.unique(slots(over, self.park.zone).day).tolist()
        for name, usage in found.items():
            use = OwnedUse(name, places[name].tenant)
            self.rollups.mark(self.park, use, days)
            for start in {int(rows.start[-1]) for rows in usage.series.values() if len(rows.start)}:
                if start + QUARTER_MS > self.now_ms:
                    self.rollups.pending.running(use, start)

    async def overwrite(self, found: Sequence[RowChanges], window: Span) -> None:
        """Store rows that add to or overwrite what is stored; the rest of the window stays."""
        if not found:
            return
        rows = SeriesRows.joined([each.rows for each in found])
        await self.usage.overwrite([meter for each in found for meter in each.meters], rows, window)
        over: dict[OwnedUse, set[int]] = {}
        day = _day_of_start(window, self.park)
        for meter, key, start in zip(rows.meters, rows.keys, rows.rows.start.tolist(), strict=True):
            use = OwnedUse(meter, key.tenant or None)
            if start + QUARTER_MS <= self.now_ms:
                over.setdefault(use, set()).add(day[start])
            else:
                self.rollups.pending.running(use, start)
        for use, days in over.items():
            self.rollups.mark(self.park, use, days)

    def events_in(self, meter: Meter, window: Span) -> list[OwnedEvent]:
        """Stored events of a meter in a window."""
        return [each for each in self._events.known(meter.id) if window.start <= each.event.at < window.end]

    def doubts(self, meter: Meter) -> tuple[Span, ...]:
        """When the unit of a meter's register is in doubt, according to the stored events."""
        return in_doubt(meter, (each.event for each in self._events.known(meter.id)))

    def mark(self, use: OwnedUse, starts: Times) -> None:
        """Note that some quarter hours, in ascending order, have changed."""
        over = starts[starts + QUARTER_MS <= self.now_ms]
        if len(over):
            self.rollups.mark(self.park, use, np.unique(slots(over, self.park.zone).day).tolist())
        for start in starts[len(over) :].tolist():
            self.rollups.pending.running(use, start)

    def _to_store(self, rows: Rows) -> Rows:
        keep = has_row(rows.start, rows.numbers, self.now_ms)
        return rows if keep.all() else rows.where(keep)


def owner(meter: Meter, ms: int) -> str | None:
    """The tenant who has a meter at an instant."""
    belonging = meter.belonging_at(ms)
    return belonging.tenant if belonging is not None else None


def _day_of_start(window: Span, park: Park) -> dict[int, int]:
    when = slots_over(window, park.zone)
    return dict(zip(when.start.tolist(), when.day.tolist(), strict=True))

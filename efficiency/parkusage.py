"""The usage of one park, kept true: plans what to compute again, computes it, and remembers how far it is.

Each cycle takes in what arrived late since the cursor, what a changed park file changes, and the running hour; it
computes exactly what these touch and writes what differs. Computing anything twice changes nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from efficiency.affected import shape_reach
from efficiency.baseline import Baseline
from efficiency.basis import Parts, baselines_in, changes, load_basis, parts_of, save_basis
from efficiency.events import Event, meter_events, tariff_events, wider
from efficiency.eventstore import PARK, EventStore
from efficiency.heldbaselines import Held, held_baselines
from efficiency.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, DAY_MS, HOUR_MS, QUARTER_MS, Span, merged
from efficiency.inturn import in_turn
from efficiency.localtime import slots, slots_over
from efficiency.meteruse import CHUNK_MS, MeterUse, around, chunks, in_groups, in_reach, registers_of, touched
from efficiency.progress import Cursor, Progress
from efficiency.registerreader import RegisterReader
from efficiency.registers import Readings, steps_of
from efficiency.rollupstore import Rollups
from efficiency.usage import Usage, enough, usage_of
from efficiency.usagepoints import Stored
from efficiency.usagestore import UsageStore
from efficiency.worth import FURTHER_REGISTERS, Rows, place_of, rows_of
from metering.meters import Meter
from metering.park import Park
from metering.wire import FUTURE_MS
from store.client import Store
from store.schema import NS_PER_MS

RUNNING_MS = HOUR_MS
"""What is younger is computed again each cycle: readings up to 10 minutes old leave no trace in `arrivals`."""

BEHIND_MS = 6 * HOUR_MS
"""What is loaded before the running hour: enough, as long as readings come as they should."""

LONG_PAUSE_MS = 12 * HOUR_MS
_MONTHS_EVERY_MS = 20_000
_MONTHS_SHARE = 20
"""Figures of months read much: they may take no more than one part in so many of the time."""

Work = dict[str, list[Span]]
"""Windows to compute again, by meter."""


class ParkUsage:
    """One park; `park` and `baselines` may be exchanged between cycles.

    Where the file of baselines cannot be used (`baselines` is None), those count that the database was computed by.
    `done` is told how many windows of how many are computed.
    """

    def __init__(self, store: Store, park: Park, done: Callable[[int, int], None] = lambda _done, _of: None) -> None:
        self.park = park
        self.baselines: Sequence[Baseline] | None = ()
        self._store = store
        self._done = done
        self.written = 0
        self._forget()

    def _forget(self) -> None:
        self._progress = Progress(self._store, self.park.id)
        self._reader = RegisterReader(self._store, self.park.id)
        self._usage = UsageStore(self._store, self.park.id)
        self._rollups = Rollups(self._store, self.park.id, self._usage)
        self._events = EventStore(self._store, self.park.id, self._usage)
        self._cursor: Cursor | None = None
        self._basis: Parts | None = None
        self._said: dict[str, tuple[int, int]] = {}
        self._months_at = 0
        self._sure = False

    async def begin(self, now_ms: int) -> None:
        """Take up where the database says that the last one stopped."""
        self._forget()
        self._cursor = await self._progress.load()
        if self._cursor is not None:
            self._rollups.mark_months(self.park, self._cursor.figures, now_ms)
        self._basis = await load_basis(self._store, self.park.id)
        await self._reader.find_first(self.park.meters)

    async def cycle(self, now_ms: int) -> None:
        """Make the stored usage true as of now."""
        park, cursor, before = self.park, self._cursor, self._basis
        computing = MeterUse(self._reader, now_ms)
        await self._events.load()
        await self._events.replace(PARK, None, self._events.known(PARK), tariff_events(park, now_ms))
        work: Work = {}
        parts = parts_of(park, self._hold())
        if parts != before:
            await self._plan_changes(computing, before, parts, work, now_ms)
        arrived = await self._progress.arrivals(cursor.arrivals if cursor is not None else now_ms * NS_PER_MS)
        for meter, spans in arrived.items():
            if meter in park.meter:
                self._reader.arrived(meter, min(span.start for span in spans))
                await self._plan_readings(computing, park.meter[meter], in_reach(spans), work)
        if cursor is not None:
            await self._run(computing, cursor, work, now_ms)
        await self._compute(computing, work, now_ms)
        await self._usage.flush()
        months = before is None or now_ms >= self._months_at
        began = time.monotonic()
        await self._rollups.write(park, now_ms, months=months)
        if months:
            took = round((time.monotonic() - began) * 1000)
            self._months_at = now_ms + max(_MONTHS_EVERY_MS, took * _MONTHS_SHARE)
        if parts != before:
            await save_basis(self._store, park.id, before, parts, now_ms)
            self._basis = parts
        self._sure = True
        self.written += self._usage.taken()
        self._cursor = Cursor(now_ms * NS_PER_MS, now_ms, min(self._rollups.oldest_month(park), now_ms))
        await self._progress.save(self._cursor, now_ms)

    async def recompute(self, window: Span, meters: Sequence[Meter], now_ms: int) -> None:
        """Compute a window again, and all figures above it."""
        computing = MeterUse(self._reader, now_ms)
        self._hold()
        await self._reader.find_first(self.park.meters)
        await self._events.load()
        await self._compute(computing, {meter.id: [window.outward()] for meter in meters}, now_ms, everything=True)
        await self._usage.flush()
        await self._rollups.write(self.park, now_ms, months=True)
        self.written += self._usage.taken()

    def _hold(self) -> Mapping[str, Held]:
        known = baselines_in(self._basis or {}) if self.baselines is None else self.baselines
        self._rollups.baselines.held = held_baselines(self.park, known)
        return self._rollups.baselines.held

    async def _plan_changes(
        self, computing: MeterUse, before: Parts | None, parts: Parts, work: Work, now_ms: int
    ) -> None:
        park = self.park
        await self._reader.find_first(park.meters)
        found = changes(before or {}, parts, park)
        for meter, since in found.meters.items():
            if since == ALWAYS_BEFORE:
                work.setdefault(meter, []).append(Span(since, now_ms + 1))
            elif since <= now_ms:
                await self._plan_readings(computing, park.meter[meter], [Span(since, now_ms + 1)], work)
        for meter, swaps in found.swaps.items():
            await self._plan_readings(computing, park.meter[meter], [Span(at, at + 1) for at in swaps], work)
        await self._rollups.take(found, park, self._reader.first, now_ms)

    async def _plan_readings(self, computing: MeterUse, meter: Meter, changed: Sequence[Span], work: Work) -> None:
        """What readings that came, went or changed in some spans touch, registers of all kinds alike."""
        for span in changed:
            for register in registers_of(meter, self.park.zone):
                near = await computing.affected(register, span)
                gaps = await self._usage.gap_starts(meter.id, Span(near.end, max(near.end, shape_reach(span).end)))
                work.setdefault(meter.id, []).extend([near, *(Span(gap, gap + QUARTER_MS) for gap in gaps)])

    async def _run(self, computing: MeterUse, cursor: Cursor, work: Work, now_ms: int) -> None:
        """Compute the running hour of every meter, or note what takes more than that."""
        changed = Span(min(cursor.computed, now_ms) - RUNNING_MS, now_ms + FUTURE_MS)
        if now_ms - cursor.computed > LONG_PAUSE_MS:
            for meter in self.park.meters:
                await self._plan_readings(computing, meter, [changed], work)
            return
        whole = Span(changed.start - BEHIND_MS, now_ms + DAY_MS)
        for group in in_groups(self.park.meters, whole):
            loaded = await self._load(group, whole, now_ms)
            windows: Work = {}
            for meter in group:
                readings = loaded[meter.counter][meter.id]
                said = (
                    hash(readings.times.tobytes() + readings.values.tobytes() + readings.states.tobytes()),
                    now_ms // QUARTER_MS,
                )
                if self._said.get(meter.id) == said or meter.id not in self._reader.first:
                    continue
                self._said[meter.id] = said
                windows[meter.id] = [await self._running(computing, meter, loaded, changed)]
            early = min((window.start for spans in windows.values() for window in spans), default=now_ms)
            if windows:
                stored = await self._usage.stored(windows, Span(early, now_ms).outward())
                for name, spans in windows.items():
                    await self._one(computing, self.park.meter[name], spans[0], loaded, stored[name], now_ms)

    async def _running(
        self, computing: MeterUse, meter: Meter, loaded: Mapping[str, Mapping[str, Readings]], changed: Span
    ) -> Span:
        """The stretch that the readings of the running hour touch, of the registers of the meter that reaches most."""
        found: list[Span] = []
        for register in registers_of(meter, self.park.zone):
            readings = loaded[register.name][meter.id]
            if not len(readings.times):
                found.append(changed)  # nothing was read for hours: what was missing is still missing
                continue
            steps = steps_of(register.counter, readings)
            window = touched(register, steps, changed, only_new=True)
            found.append(window if all(enough(steps, window)) else await computing.affected(register, changed))
        return Span(min(span.start for span in found), max(span.end for span in found))

    async def _compute(self, computing: MeterUse, work: Work, now_ms: int, *, everything: bool = False) -> None:
        jobs: dict[int, list[tuple[Meter, Span]]] = {}
        for name, spans in work.items():
            first = self._reader.first.get(name)
            for span in merged(spans) if first is not None else []:
                window = Span(max(span.start, first or 0), min(span.end, now_ms))
                for chunk in chunks(window) if window.start < window.end else []:
                    jobs.setdefault(chunk.start // CHUNK_MS, []).append((self.park.meter[name], chunk))
        total, done = sum(map(len, jobs.values())), 0

        async def compute(group: Sequence[Meter], whole: Span, windows: Work) -> None:
            nonlocal done
            loaded = await self._load(group, around(whole), now_ms)
            stored = await self._usage.stored([meter.id for meter in group], whole)
            for meter in group:
                for span in windows[meter.id]:
                    before = stored[meter.id]
                    await self._one(computing, meter, span, loaded, before, now_ms, everything=everything)
                    done += 1
                self._done(done, total)

        works = []
        for _, of_time in sorted(jobs.items()):
            whole = Span(min(span.start for _, span in of_time), max(span.end for _, span in of_time))
            windows: Work = {}
            for meter, span in of_time:
                windows.setdefault(meter.id, []).append(span)
            groups = in_groups([self.park.meter[name] for name in windows], whole)
            works += [partial(compute, group, whole, windows) for group in groups]
        await in_turn(works)

    async def _load(self, group: Sequence[Meter], span: Span, now_ms: int) -> dict[str, dict[str, Readings]]:
        loaded: dict[str, dict[str, Readings]] = {}
        for name in (group[0].counter, *FURTHER_REGISTERS):
            serving = [meter for meter in group if name in meter.registers]
            if serving:
                loaded[name] = await self._reader.load(serving, name, span, now_ms)
        return loaded

    async def _one(
        self,
        computing: MeterUse,
        meter: Meter,
        window: Span,
        loaded: Mapping[str, Mapping[str, Readings]],
        stored: Stored,
        now_ms: int,
        *,
        everything: bool = False,
    ) -> None:
        """Compute one meter in one window and make the store hold the result."""
        first = self._reader.first[meter.id] // QUARTER_MS * QUARTER_MS
        whole = Span(max(window.start, first), min(window.end, now_ms)).outward()
        if whole.start >= whole.end:
            return
        uses: dict[str, Usage] = {}
        happened: list[Event] = []
        for register in registers_of(meter, self.park.zone):
            readings = loaded[register.name][meter.id]
            main = register.name == meter.counter
            span = wider(whole) if main else whole
            if len(readings.times) or readings.span.end < ALWAYS_AFTER:
                steps = await computing.steps(register, span, readings)
                use = await computing.of_steps(register, span, steps)
            else:
                steps = steps_of(register.counter, readings)
                use = usage_of(register.counter, steps, span)
            if main:
                happened = meter_events(meter, register.counter, steps, use, whole)
                use = use.cut(slice((whole.start - span.start) // QUARTER_MS, None))
            uses[register.name] = use
        known = [event for event in self._events.known(meter.id) if whole.start <= event.at < whole.end]
        if happened != known:
            await self._events.replace(meter.id, meter.tenant, known, happened)
        use = uses.pop(meter.counter)
        when = slots_over(whole, self.park.zone)
        rows = rows_of(self.park, meter, use, uses, when)
        # A running quarter hour in which nothing was read yet is not missing.
        keep = (rows.start + QUARTER_MS <= now_ms) | (rows.numbers[:, 1] > 0)
        rows = Rows(rows.start[keep], rows.band[keep], rows.numbers[keep], rows.rules[keep])
        before = stored.within(whole)
        changed = await self._usage.replace(
            meter.id, place_of(self.park, meter), rows, before, now_ms, everything=everything
        )
        if everything or not self._sure:
            # The figures above may be missing though this is not: who computed it last may have ended in between.
            changed = use.start
        if len(changed):
            self._rollups.mark(self.park, meter.id, np.unique(slots(changed, self.park.zone).day))

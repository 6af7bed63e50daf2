"""The usage of one park, cycle by cycle: plan what changed, compute it, make its figures, remember.

Each cycle processes what arrived late since the cursor, what a changed park file affects, and the running hour; it
computes exactly what depends on these and writes what differs. Computing anything twice changes nothing.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from efficiency.baseline.frozen import frozen_baselines
from efficiency.baseline.model import Baseline
from efficiency.baseline.weather import NO_WEATHER, WeatherSeries
from efficiency.service.aside import SetAside
from efficiency.service.basis import Changes, Parts, baselines_in, changes, parts_of
from efficiency.service.basisstore import BasisStore
from efficiency.service.compute import Computing, Work, each_or_alone
from efficiency.service.progress import Cursor, Progress
from efficiency.service.results import Results
from efficiency.service.rollups import Rollups
from efficiency.service.running import RunningHours
from efficiency.stored.events import PARK, EventStore, OwnedEvent
from efficiency.stored.meteruse import in_reach
from efficiency.stored.readings import RegisterReader
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from efficiency.usage.affected import shape_reach
from efficiency.usage.events import tariff_events
from efficiency.usage.intervals import ALWAYS_BEFORE, HOUR_MS, QUARTER_MS, Span
from metering.instants import FUTURE_MS
from metering.meters import Meter
from metering.park import Park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE

RUNNING_MS = HOUR_MS // 2
"""Younger quarter hours are recomputed each cycle: readings up to 10 minutes old leave no trace in `arrivals`, writing
may take 5 more, and clocks may differ by 5."""

LONG_PAUSE_MS = 12 * HOUR_MS
MOST_IN_A_CYCLE = 500_000
"""Quarter hours per cycle besides those of the running hour: the rest waits for the next cycle, so that an old reading
or a changed price never delays the figures of the day for longer than this takes."""

_MONTHS_EVERY_MS = 20_000
_MONTHS_SHARE = 20
"""Figures of months read much: they may take at most this fraction of the time (one part in so many)."""


@dataclass(slots=True)
class _Plan:
    """What one cycle computes: `work`, besides the running hour of all meters."""

    now_ms: int
    parts: Parts
    computing: Computing
    work: Work = field(default_factory=dict)

    def add(self, meter: str, *spans: Span) -> None:
        self.work.setdefault(meter, []).extend(spans)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A park, its baselines and weather, and the parts made from them."""

    park: Park
    baselines: tuple[Baseline, ...]
    weather: WeatherSeries
    parts: Parts


class ParkUsage:
    """One park; `park`, `baselines` and `weather` may be replaced between cycles.

    If the file of baselines cannot be used (`baselines` is None), those of the last run stay in force. `done` is called
    with how many windows of how many are computed. `reader` is the name under which `Store.prove` writes its numbers;
    services that run at the same time need different ones. `may_write` raises if another service has the park now.
    """

    def __init__(
        self,
        store: Store,
        park: Park,
        done: Callable[[int, int], None] = lambda _done, _of: None,
        reader: str = "usage",
        may_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.park = park
        self.baselines: Sequence[Baseline] | None = ()
        self.weather = NO_WEATHER
        self._store = store
        self._done = done
        self._reads_as = reader
        self._may_write = may_write
        self.written = 0
        self.aside = SetAside(store, park.id)
        self._forget()

    def _forget(self) -> None:
        store, park = self._store, self.park.id
        self._progress = Progress(store, park)
        self._reader = RegisterReader(store, park)
        self._writer = ParkWriter(store, park, self._may_write)
        self._usage = UsageStore(store, park, self._writer)
        self._rollups = Rollups(store, park, self._usage, self._writer, self.aside)
        self._events = EventStore(store, park, self._writer)
        self._running = RunningHours(self.aside)
        self._cursor: Cursor | None = None
        self._basis: Parts | None = None
        """The inputs that planning compares with, without what is set aside; `_stored` stores them."""
        self._stored = BasisStore(store, park)
        self._interrupted: list[Parts] = []
        """Inputs that the last run had begun to compute from."""
        self._left: Work = {}
        self._arrivals = 0
        self._inputs: _Inputs | None = None
        self._months_at = 0
        self._figures_made = False

    async def begin(self, now_ms: int) -> None:
        """Continue where the last run stopped; the database says where that was."""
        self._forget()
        await self._load()
        self._cursor = await self._progress.load()
        if self._cursor is not None:
            self._arrivals = self._cursor.arrivals
            self._rollups.pending.whole_months(self.park, self._cursor.figures, now_ms)
        self._interrupted = self._stored.begun()
        await self.aside.load()

    async def _load(self) -> None:
        """Read what there is to compute, and by which inputs it was computed so far."""
        await self._store.prove(self._reads_as, OPERATOR_DATABASE)
        await self._reader.find_first(self.park.meters)
        await self._stored.load()
        self._basis = self._stored.parts

    async def cycle(self, now_ms: int) -> None:
        """Bring stored usage and figures up to date."""
        plan = await self._plan(now_ms)
        await self._compute(plan)
        await self._figures(plan)
        await self._remember(plan)

    async def _plan(self, now_ms: int) -> "_Plan":
        """What must be computed because the park file changed or readings came late."""
        parts = self._parts()
        plan = _Plan(now_ms, parts, self._computing(now_ms, mark_all=not self._figures_made), self._left)
        self._left = {}
        await self._events.load()
        since = self._cursor.arrivals if self._cursor is not None else now_ms * NS_PER_MS
        arrived = await self._progress.arrivals(since)
        self.aside.look(parts, now_ms)
        for meter in arrived:
            self.aside.changed(meter, now_ms)
        waiting = self.aside.waiting(now_ms)
        unable = {part: parts[part] for part in waiting if part in parts}
        versions: list[Parts | None] = [self._basis, *self._interrupted]
        self._interrupted = []
        known = [None if each is None else {**each, **unable} for each in versions]
        if different := [each for each in known if each != parts]:
            self._running = RunningHours(self.aside)
            self._months_at = 0  # somebody changed something and is waiting for the result
            await self._stored.begin(parts, now_ms)
            for before in different:
                await self._plan_changes(plan, before)
        for meter, spans in arrived.items():
            if meter in self.park.meter and meter not in waiting:
                self._reader.arrived(meter, min(span.start for span in spans))
                self._running.forget(meter)
                await self._plan_readings(plan, self.park.meter[meter], in_reach(spans))
        if self._cursor is not None and now_ms - self._cursor.computed > LONG_PAUSE_MS:
            self._running = RunningHours(self.aside)
            for each in self._able(now_ms):
                await self._plan_readings(plan, each, [self._running_since(now_ms)])
        return plan

    async def _compute(self, plan: "_Plan") -> None:
        """Compute the running hour of every meter, then as much of the other work as one cycle may take."""
        now_ms = plan.now_ms
        tariffs = [OwnedEvent(event, None) for event in tariff_events(self.park, now_ms)]
        await self._events.replace(PARK, self._events.known(PARK), tariffs)
        if self._cursor is not None and now_ms - self._cursor.computed <= LONG_PAUSE_MS:
            changed = self._running_since(now_ms)
            run = partial(self._running.run, plan.computing, self._reader.first, changed)
            await each_or_alone(self.aside, self._able(now_ms), now_ms, run)
        for meter in plan.work:
            self._running.forget(meter)
        self._left = await plan.computing.compute(plan.work, self._done, MOST_IN_A_CYCLE)
        for meter, spans in plan.computing.again.items():
            self._left.setdefault(meter, []).extend(spans)
        await self._writer.flush()

    async def _figures(self, plan: "_Plan") -> None:
        """Make the figures that depend on changed usage; those of months and years only now and then."""
        months = self._basis is None or plan.now_ms >= self._months_at
        began = time.monotonic()
        await self._rollups.write(self.park, plan.now_ms, months=months)
        await self._writer.flush()
        if months:
            took = round((time.monotonic() - began) * 1000)
            self._months_at = plan.now_ms + max(_MONTHS_EVERY_MS, took * _MONTHS_SHARE)
        self._figures_made = True

    async def _remember(self, plan: "_Plan") -> None:
        """Store the cursor, and the inputs of this run."""
        now_ms = plan.now_ms
        self._may_write()
        await self.aside.write(self.park, now_ms)
        self.written += self._usage.newly_written()
        # As long as late readings are left, a restart must plan them again.
        self._arrivals = now_ms * NS_PER_MS if not self._left else self._arrivals or now_ms * NS_PER_MS
        self._cursor = Cursor(self._arrivals, now_ms, min(self._rollups.pending.oldest_month(self.park), now_ms))
        await self._progress.save(self._cursor, now_ms)
        await self._store.prove(self._reads_as, OPERATOR_DATABASE)
        done = {part: content for part, content in plan.parts.items() if part not in self.aside.things}
        # Without any reading nothing was computed: the first reading will be computed from scratch.
        if not self._reader.first:
            return
        self._basis = done
        if not self._left:
            # After the cursor, which remembers the months that a change has marked.
            await self._stored.end(done, now_ms)

    def _able(self, now_ms: int) -> list[Meter]:
        """The meters that are not set aside."""
        waiting = self.aside.waiting(now_ms)
        return [meter for meter in self.park.meters if meter.id not in waiting]

    def _running_since(self, now_ms: int) -> Span:
        """The time since the cursor in which readings may have come without a trace in `arrivals`."""
        since = self._cursor.computed if self._cursor is not None else now_ms
        return Span(min(since, now_ms) - RUNNING_MS, now_ms + FUTURE_MS)

    async def close(self) -> None:
        """Drop what is not written yet."""
        await self._writer.close()

    async def recompute(self, window: Span, meters: Sequence[Meter], now_ms: int) -> None:
        """Recompute a window, and all figures that depend on it.

        Where the inputs differ from those of what is stored, the service learns it at its next start.
        """
        await self._load()
        await self._stored.begin(self._parts(), now_ms)
        await self._events.load()
        work = {meter.id: [window.outward()] for meter in meters}
        computing = self._computing(now_ms, everything=True)
        await computing.compute(work, self._done)
        await computing.compute(computing.again, self._done)
        await self._writer.flush()
        await self._rollups.write(self.park, now_ms, months=True)
        await self._writer.flush()
        self.written += self._usage.newly_written()

    def _parts(self) -> Parts:
        """The inputs of everything computed; rebuilt only if the park, its baselines or the weather were replaced."""
        known = tuple(baselines_in(self._basis or {}) if self.baselines is None else self.baselines)
        inputs = self._inputs
        same = inputs is not None and inputs.park is self.park and inputs.weather is self.weather
        if inputs is None or not same or inputs.baselines != known:
            frozen = frozen_baselines(self.park, known, self.weather)
            inputs = self._inputs = _Inputs(self.park, known, self.weather, parts_of(self.park, frozen))
            self._rollups.baselines.frozen = frozen
        return inputs.parts

    def _computing(self, now_ms: int, *, everything: bool = False, mark_all: bool = False) -> Computing:
        results = Results(
            self.park,
            self._usage,
            self._events,
            self._rollups,
            now_ms,
            everything=everything,
            mark_all=mark_all,
        )
        return Computing(self._reader, results, self.aside)

    async def _plan_changes(self, plan: "_Plan", before: Parts | None) -> None:
        park, now_ms = self.park, plan.now_ms
        await self._reader.find_first(park.meters)
        found = changes(before or {}, plan.parts, park)
        for meter, since in found.meters.items():
            if since == ALWAYS_BEFORE:
                plan.add(meter, Span(since, now_ms + 1))
            elif since <= now_ms:
                await self._plan_readings(plan, park.meter[meter], [Span(since, now_ms + 1)])
        for meter, since in found.moved.items():
            if since <= now_ms:
                plan.add(meter, Span(since, now_ms + 1))
        for meter, swaps in found.swaps.items():
            await self._plan_readings(plan, park.meter[meter], [Span(at, at + 1) for at in swaps])
        await self._delete_lost(found)
        if before is None:
            found = replace(found, tenants={})  # their figures are made anyway, with the use of their meters
        await self._rollups.take(found, park, self._reader.first, now_ms)

    async def _delete_lost(self, found: Changes) -> None:
        """Delete everything of meters, tenants and main meters that the park file no longer has."""
        park = self.park.id
        for meter, tenants in found.lost.items():
            owned = self._events.known(meter)
            await self._usage.forget(meter, tenants | {each.tenant for each in owned if each.tenant is not None})
            await self._events.replace(meter, owned, ())
        for tenant in found.left:
            await self._rollups.forget({"park": park, "tenant": tenant}, tenant)
        for main in found.lost_mains:
            await self._rollups.forget({"park": park, "main": main}, None)

    async def _plan_readings(self, plan: "_Plan", meter: Meter, changed: Sequence[Span]) -> None:
        """Plan what is affected by readings that came, went or changed in some spans, for all counting registers."""
        computing = plan.computing.meter_use
        with self.aside.guard(meter.id, plan.now_ms):
            for span in changed:
                for register in computing.registers(meter):
                    near = await computing.affected(register, span)
                    gaps = await self._usage.gap_starts(meter.id, Span(near.end, max(near.end, shape_reach(span).end)))
                    plan.add(meter.id, near, *(Span(gap, gap + QUARTER_MS) for gap in gaps))

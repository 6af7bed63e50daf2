"""The usage service: updates every park every few seconds, and each minute writes which meters are silent.

Changes of park files and baselines take effect while it runs. Stateless: the cursor is in the database. If the database
does not answer, it waits. A park, meter or figure that cannot be computed is set aside and stops nothing else.
"""

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from efficiency.baseline.frozen import faults
from efficiency.baseline.watch import BaselineWatch
from efficiency.service.aside import WHOLE_PARK
from efficiency.service.gatewaystatus import GatewayStatus
from efficiency.service.lease import RENEW_S, Leases
from efficiency.service.meterstatus import MeterStatus
from efficiency.service.park import ParkUsage
from metering.errors import OperatorError, UnavailableError
from metering.instants import local_day
from metering.park import Park
from running.monitor import MetricValues
from running.parkwatch import ParkWatch
from running.patience import Patience
from running.trouble import Trouble
from store.answers import RejectedError
from store.client import Store, dropping
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, PIPELINE

EVERY_S = 5.0
RESTS_S = 30.0
STATUS_S = 60.0
HEALTH_S = 10.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OnePark:
    """The state of one park. After a failure it waits until `again` (loop time); `computed_ms`: its last cycle."""

    usage: ParkUsage
    patience: Patience
    begun: bool = False
    again: float = 0.0
    computed_ms: int | None = None


STANDS_STILL_S = 600.0


def rest_s(took_s: float) -> float:
    """The pause after a cycle: as long as the cycle took, so that others get the database too, within limits."""
    return min(max(EVERY_S, took_s), RESTS_S)


def service_faults(values: MetricValues) -> list[str]:
    """What is wrong with the service, judged by the values it reports to `pipeline`."""
    if not values["cycles"]:
        return ["no cycle has ended yet"]
    lag = values.get("lag_s", 0.0)
    return [f"a park was last computed {lag:.0f} s ago"] if lag >= STANDS_STILL_S else []


class UsageService:
    """Computes the parks of `watch` until told to stop; with `leases`, only those that are ours.

    `instance` is its name in `pipeline`. `closing` updates the state of a park's closed months, once a minute.
    """

    def __init__(
        self,
        watch: ParkWatch[Park],
        store: Store,
        instance: str,
        clock_ms: Callable[[], int],
        *,
        leases: Leases | None = None,
        closing: Callable[[Park, Path], Awaitable[None]] | None = None,
        report: Callable[[MetricValues], None] = lambda _: None,
    ) -> None:
        self._report = report
        self._watch = watch
        self._store = store
        self._clock_ms = clock_ms
        self._tags = {"service": "usage", "instance": instance}
        self._time = asyncio.get_running_loop().time
        self._status = MeterStatus(store)
        self._gateways = GatewayStatus(store, self._status)
        self._leases = leases
        self._closing = closing
        self._parks: dict[str, _OnePark] = {}
        self._baselines = BaselineWatch()
        self._troubles: dict[str, Trouble] = {}
        self._faulty: dict[str, int] = {}
        self._cycles = 0
        self._cycle_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises `OperatorError` if the database refuses access before the first cycle has succeeded.
        """
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._follow_park_files()),
                tasks.create_task(self._each(STATUS_S, self._write_status, "meter_status")),
                tasks.create_task(self._each(HEALTH_S, self._report_health, "pipeline")),
            ]
            if self._closing is not None:
                others.append(tasks.create_task(self._each(STATUS_S, partial(self._close, self._closing), "closing")))
            if self._leases is not None:
                others.append(tasks.create_task(self._share(self._leases)))
            computing = tasks.create_task(self._compute())
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait([computing, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, computing, *others):
                task.cancel()
        if self._leases is not None:
            await self._leases.give_up()

    @property
    def _ours(self) -> dict[str, Park]:
        """The parks that this service computes."""
        mine = None if self._leases is None else self._leases.mine
        return {park: found for park, found in self._watch.by_id.items() if mine is None or park in mine}

    async def _share(self, leases: Leases) -> None:
        trouble = Trouble(log, "sharing the parks", self._time)
        while True:
            try:
                await leases.look(self._watch.by_id.keys())
            except (UnavailableError, OperatorError, RejectedError) as error:
                trouble.happened(str(error))
            else:
                trouble.over()
            await asyncio.sleep(RENEW_S)

    async def _compute(self) -> None:
        while True:
            began = self._time()
            parks, files = self._ours, self._watch.files
            for park_id in self._parks.keys() - parks.keys():
                await self._parks.pop(park_id).usage.close()
                self._faulty.pop(park_id, None)
            worked = [await self._try(parks[one], files[one]) for one in sorted(parks.keys() & files.keys())]
            if any(worked):
                self._cycles += 1
                self._cycle_s = self._time() - began
            waiting = [one.again - self._time() for one in self._parks.values() if one.again > self._time()]
            await asyncio.sleep(rest_s(self._time() - began) if all(worked) else min([EVERY_S, *waiting]))

    async def _try(self, park: Park, file: Path) -> bool:
        """One cycle of one park; a failure there stops no other park. Returns whether it succeeded.

        Raises `OperatorError` only before the first cycle has succeeded, while the operator is there to read it.
        """
        one = self._parks.get(park.id)
        if one is None:
            one = self._parks[park.id] = _OnePark(
                ParkUsage(
                    self._store, park, reader=f"usage {self._tags['instance']}", may_write=self._may_write(park.id)
                ),
                Patience(f"usage of {park.id}", log, self._time),
            )
        if self._time() < one.again:
            return False
        try:
            return await self._cycle(one, park, file)
        except (UnavailableError, OperatorError) as error:
            if isinstance(error, OperatorError) and not self._cycles:
                raise
            await one.usage.close()
            one.begun = False  # what was in progress is planned again from the cursor
            one.again = self._time() + one.patience.failed(error, getattr(error, "retry_after", None))
            return False

    def _may_write(self, park: str) -> Callable[[], None]:
        return partial(self._leases.check, park) if self._leases is not None else lambda: None

    async def _cycle(self, one: "_OnePark", park: Park, file: Path) -> bool:
        now_ms, usage = self._clock_ms(), one.usage
        if park is not usage.park:
            usage.aside.changed(WHOLE_PARK, now_ms)
            usage.park = park
        if WHOLE_PARK in usage.aside.waiting(now_ms):
            return False
        with usage.aside.guard(WHOLE_PARK, now_ms):
            if not one.begun:
                await usage.begin(now_ms)
                one.begun = True
            self._take_baselines(usage, file, now_ms)
            await usage.cycle(now_ms)
        if usage.aside.failed(WHOLE_PARK):
            one.begun = False
            await usage.close()
            await usage.aside.write(park, now_ms)
            return False
        one.patience.succeeded()
        one.computed_ms = now_ms
        return True

    def _take_baselines(self, usage: ParkUsage, file: Path, now_ms: int) -> None:
        """Give a park its baselines, and log those that cannot be used; the others stay in force."""
        seen = self._baselines.look(file)
        usage.baselines, usage.weather = seen.baselines, seen.weather
        told = faults(file, usage.park, seen.baselines or (), local_day(now_ms, usage.park.zone), seen.weather)
        told += [seen.fault] if seen.fault is not None else []
        trouble = self._troubles.setdefault(usage.park.id, Trouble(log, "baselines", self._time))
        if told:
            trouble.happened("\n".join(told))
        else:
            trouble.over()
        self._faulty[usage.park.id] = len(told)

    async def _follow_park_files(self) -> None:
        async for _ in self._watch.changes():
            log.info("park files changed; the next cycle computes what that affects")

    async def _write_status(self) -> None:
        for park in self._ours.values():
            now_ms = self._clock_ms()
            try:
                await self._status.write(park, now_ms)
                await self._gateways.write(park, now_ms)
            except RejectedError as error:  # the other parks are not affected
                log.error("meter status of %s: the database rejects it: %s", park.id, error)  # noqa: TRY400 (the answer is enough)

    async def _close(self, closing: Callable[[Park, Path], Awaitable[None]]) -> None:
        files = self._watch.files
        for park in [each for each in self._ours.values() if each.id in files]:
            await closing(park, files[park.id])

    async def _report_health(self) -> None:
        now = self._clock_ms()
        fields: dict[str, float | int] = {
            "cycles": self._cycles,
            "cycle_s": self._cycle_s,
            "written": sum(one.usage.written for one in self._parks.values()),
            "retries": sum(one.patience.total for one in self._parks.values()),
            "faulty_baselines": sum(self._faulty.values()),
            "not_computed": sum(len(one.usage.aside.things) for one in self._parks.values()),
            "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        computed = [one.computed_ms for one in self._parks.values() if one.computed_ms is not None]
        if computed:
            fields["lag_s"] = (now - min(computed)) / 1000
        self._report(fields)
        lines = [point(series(PIPELINE, self._tags), fields, now * NS_PER_MS)]
        for park, one in self._parks.items():
            for part in one.usage.aside.things:
                head = series(PIPELINE, {**self._tags, "park": park, "part": part})
                lines.append(point(head, {"not_computed": 1}, now * NS_PER_MS))
        await self._store.write(lines, OPERATOR_DATABASE)

    async def _each(self, seconds: float, work: Callable[[], Awaitable[None]], what: str) -> None:
        """Repeat `work` for ever. A failed write is not repeated: the next round writes newer values."""
        while True:
            with dropping(f"writing {what}"):
                await work()
            await asyncio.sleep(seconds)

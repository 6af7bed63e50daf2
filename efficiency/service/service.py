"""The usage service: every few seconds the usage of every park is made true again; each minute it says who is silent.

Park files and files of baselines are followed. It needs no disk: how far it is stands in the database. What fails is
tried again, for ever, and said aloud.
"""

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from efficiency.baseline.held import faults
from efficiency.baseline.watch import BaselineWatch
from efficiency.service.gatewaystatus import GatewayStatus
from efficiency.service.meterstatus import MeterStatus
from efficiency.service.park import ParkUsage
from efficiency.stored.days import local_day
from metering.errors import OperatorError, UnavailableError
from metering.park import Park
from running.parkwatch import ParkWatch
from running.patience import Patience
from running.trouble import Trouble
from store.client import RejectedError, Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, PIPELINE

EVERY_S = 5.0
STATUS_S = 60.0
HEALTH_S = 10.0

log = logging.getLogger(__name__)


class UsageService:
    """Keeps the parks of `watch` computed until told to stop. `instance` is its name in `pipeline`."""

    def __init__(self, watch: ParkWatch[Park], store: Store, instance: str, clock_ms: Callable[[], int]) -> None:
        self._watch = watch
        self._store = store
        self._clock_ms = clock_ms
        self._series = series(PIPELINE, {"service": "usage", "instance": instance})
        self._time = asyncio.get_running_loop().time
        self._status = MeterStatus(store)
        self._gateways = GatewayStatus(store, self._status)
        self._patience = Patience("usage", log, self._time)
        self._parks: dict[str, ParkUsage] = {}
        self._baselines = BaselineWatch()
        self._troubles: dict[str, Trouble] = {}
        self._faulty: dict[str, int] = {}
        self._cycles = 0
        self._cycle_s = 0.0
        self._computed_ms: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises `OperatorError` where the database turns us away before anything has worked.
        """
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._follow_park_files()),
                tasks.create_task(self._each(STATUS_S, self._say_who_is_silent, "meter_status")),
                tasks.create_task(self._each(HEALTH_S, self._say_how_it_is, "pipeline")),
            ]
            computing = tasks.create_task(self._compute())
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait([computing, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, computing, *others):
                task.cancel()

    async def _compute(self) -> None:
        while True:
            began = self._time()
            try:
                parks, files = self._watch.by_id, self._watch.files
                await self._forget(self._parks.keys() - parks.keys())
                for park_id in parks.keys() & files.keys():
                    await self._cycle(parks[park_id], files[park_id])
            except (UnavailableError, OperatorError, RejectedError) as error:
                if isinstance(error, OperatorError) and not self._cycles:
                    raise
                await self._forget({*self._parks})  # what was under way is planned anew from the cursor
                await asyncio.sleep(self._patience.failed(error, getattr(error, "retry_after", None)))
                continue
            self._patience.succeeded()
            self._cycles += 1
            self._cycle_s = self._time() - began
            await asyncio.sleep(max(EVERY_S, self._cycle_s))

    async def _forget(self, parks: AbstractSet[str]) -> None:
        for park_id in parks:
            await self._parks.pop(park_id).close()
            self._faulty.pop(park_id, None)

    async def _cycle(self, park: Park, file: Path) -> None:
        now_ms = self._clock_ms()
        usage = self._parks.get(park.id)
        if usage is None:
            usage = ParkUsage(self._store, park)
            await usage.begin(now_ms)
            self._parks[park.id] = usage
        usage.park = park
        self._take_baselines(usage, file, now_ms)
        await usage.cycle(now_ms)
        self._computed_ms = now_ms

    def _take_baselines(self, usage: ParkUsage, file: Path, now_ms: int) -> None:
        """Give a park its baselines, and tell of those that cannot be reckoned with: the others go on."""
        seen = self._baselines.look(file)
        usage.baselines = seen.baselines
        told = faults(file, usage.park, seen.baselines or (), local_day(usage.park, now_ms))
        told += [seen.fault] if seen.fault is not None else []
        trouble = self._troubles.setdefault(usage.park.id, Trouble(log, "baselines", self._time))
        if told:
            trouble.happened("\n".join(told))
        else:
            trouble.over()
        self._faulty[usage.park.id] = len(told)

    async def _follow_park_files(self) -> None:
        async for _ in self._watch.changes():
            log.info("park files changed; what they change is computed with the next cycle")

    async def _say_who_is_silent(self) -> None:
        for park in self._watch.by_id.values():
            now_ms = self._clock_ms()
            await self._status.write(park, now_ms)
            await self._gateways.write(park, now_ms)

    async def _say_how_it_is(self) -> None:
        now = self._clock_ms()
        fields: dict[str, float | int] = {
            "cycles": self._cycles,
            "cycle_s": self._cycle_s,
            "written": sum(usage.written for usage in self._parks.values()),
            "retries": self._patience.total,
            "faulty_baselines": sum(self._faulty.values()),
            "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        if self._computed_ms is not None:
            fields["lag_s"] = (now - self._computed_ms) / 1000
        await self._store.write([point(self._series, fields, now * NS_PER_MS)], OPERATOR_DATABASE)

    async def _each(self, seconds: float, work: Callable[[], Awaitable[None]], what: str) -> None:
        """Do something again and again; what cannot be written now is said with the next, and not worth waiting for."""
        while True:
            try:
                await work()
            except (UnavailableError, OperatorError, RejectedError) as error:
                log.debug("%s was not written: %s", what, error)
            await asyncio.sleep(seconds)

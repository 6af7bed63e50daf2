"""An hour without the database at a large park's rate, on real gateways: `ecopark chaos outage`.

The database is frozen for the first half and dead for the second. Meanwhile the memory of ingesters and broker is
looked at; afterwards, how long the park's newest readings take to be live again, and the backlog to be delivered.
"""

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from metering.errors import OperatorError, UnavailableError
from proving.bench.parks import PARK, write_parks
from proving.bench.processtime import resident_mb
from proving.chaos.trial import Trial
from proving.chaos.verdict import Verdict
from proving.demo.tally import GatewaySide
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from store.select import select, where

METERS = 2_400
"""Of 8 values each 10 s: 1,920 values a second."""
CATCH_UP_S = 900.0
SAMPLE_S = 10.0
LOOK_S = 0.5
LIVE_MS = 15_000
"""A meter that is read each 10 s and whose newest reading is younger is live."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory at an instant of the outage (s from its beginning)."""

    at: float
    ingest_mb: float
    broker_mb: float


@dataclass(frozen=True, slots=True)
class Return:
    """How the database's return went, in seconds.

    `live_s` until the newest reading of every gateway was live, `caught_up_s` until no gateway held one from before;
    `oldest_live_s`: how old the newest reading of any gateway ever was between the two.
    """

    live_s: float
    caught_up_s: float
    oldest_live_s: float


class Outage:
    """A large park in `folder`, and its database away for `seconds`."""

    def __init__(self, folder: Path, seconds: float, meters: int, seed: int) -> None:
        write_parks(folder / "parks", meters)
        self._trial = Trial(folder, (folder / "parks" / f"{PARK}.yaml").read_text(), seed)
        self._folder = folder
        self.seconds = seconds
        self.samples: list[Sample] = []
        self.back: Return | None = None

    async def run(self) -> Verdict:
        """Take the database away, give it back, and count."""
        return await self._trial.run(self._ordeal)

    def memory(self) -> dict[str, object]:
        """Resident memory while the database was away, MiB."""
        away = [sample for sample in self.samples if sample.at < self.seconds]
        return {
            f"{part}_mb": {"first": found[0], "most": max(found), "last": found[-1]}
            for part, found in (
                ("ingest", [sample.ingest_mb for sample in away]),
                ("broker", [sample.broker_mb for sample in away]),
            )
        }

    async def _ordeal(self) -> None:
        crew = self._trial.crew
        side = GatewaySide(self._trial.park, crew.broker.address)
        async with crew.database.store() as store, asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(side.run(asyncio.Event()))
            await self._live(store)
            sampling = tasks.create_task(self._sample(time.monotonic()))
            crew.database.process.pause()
            await asyncio.sleep(self.seconds / 2)
            crew.database.process.kill()
            await asyncio.sleep(self.seconds / 2)
            await crew.database.start()
            self.back = await self._watch(store, side)
            sampling.cancel()
            listening.cancel()

    async def _sample(self, began: float) -> None:
        crew = self._trial.crew
        with (self._folder / "samples.jsonl").open("a") as file:
            while True:
                sample = Sample(
                    at=round(time.monotonic() - began, 1),
                    ingest_mb=round(sum(resident_mb(child.pid) for child in crew.ingesters), 1),
                    broker_mb=round(resident_mb(crew.broker.process.pid), 1),
                )
                self.samples.append(sample)
                file.write(json.dumps(asdict(sample)) + "\n")
                file.flush()
                await asyncio.sleep(SAMPLE_S)

    async def _live(self, store: Store) -> float:
        """Wait until the newest reading of every gateway is live; returns the seconds that it took."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < CATCH_UP_S:
            ages = await self._ages(store)
            if ages and max(ages.values()) < LIVE_MS:
                return passed
            await asyncio.sleep(LOOK_S)
        raise OperatorError(f"for {CATCH_UP_S:.0f} s some gateway's readings did not come to the database")

    async def _watch(self, store: Store, side: GatewaySide) -> Return:
        """Look at the newest readings until nothing from before the return waits any longer."""
        returned, since_ms = time.monotonic(), time.time_ns() // NS_PER_MS
        live_s = await self._live(store)
        worst_ms = 0
        while (passed := time.monotonic() - returned) < CATCH_UP_S:
            worst_ms = max(worst_ms, *(await self._ages(store)).values())
            if not side.holds_before(since_ms):
                return Return(round(live_s, 1), round(passed, 1), worst_ms / 1000)
            await asyncio.sleep(LOOK_S)
        raise OperatorError(f"{CATCH_UP_S:.0f} s after the database was back the gateways still held older readings")

    async def _ages(self, store: Store) -> dict[str, int]:
        """Age of the newest reading of each gateway (ms), as the database has it; of all gateways or none."""
        statement = select("electricity", ["energy_kwh"], where({"park": PARK}), ["meter"], newest=1)
        try:
            rows = await store.query(statement, OPERATOR_DATABASE)
        except UnavailableError:
            return {}
        now_ms = time.time_ns() // NS_PER_MS
        ages: dict[str, int] = {}
        for row in rows:
            gateway = self._trial.park.meter[row["meter"]].gateway
            age = now_ms - row["time"] // NS_PER_MS
            ages[gateway] = min(age, ages.get(gateway, age))
        return ages if len(ages) == len(self._trial.park.gateways) else {}

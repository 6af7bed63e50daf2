"""One run of chaos: start the park, strike as scheduled, let it recover, count."""

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecopark.chaos.schedule import INGESTERS, Blow, schedule
from ecopark.chaos.verdict import Verdict, judge, logged
from ecopark.demo.crew import Crew
from ecopark.demo.plan import EXAMPLE, Plan
from ecopark.demo.tally import GatewaySide
from ecopark.processes import Child
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import UTILITIES, Utility
from store.client import Row, Store
from store.schema import OPERATOR_DATABASE

RECOVER_S = 600.0


class Chaos:
    """A park in `folder` at one reading a second and meter, and what is done to it in `seconds`."""

    def __init__(self, folder: Path, seconds: float, seed: int) -> None:
        self._seconds = seconds
        self._blows = schedule(seconds, seed)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "park.yaml"
        file.write_text(re.sub(r"interval_s: \d+", "interval_s: 1", EXAMPLE.read_text()))
        self._park: Park = load_park(file)
        start = datetime.now(UTC) - timedelta(hours=1)
        plan = Plan(start=start, days=1, since=round(start.timestamp() * 1000), seed=seed)
        self._log = folder / "reads.jsonl"
        self._crew = Crew(
            folder, self._park, plan, ingesters=INGESTERS, plant_options=("--tally", "--log", str(self._log))
        )
        self.done: Counter[tuple[str, str]] = Counter()

    async def run(self) -> Verdict:
        """Start, strike, recover and judge; ends everything that it started."""
        try:
            await self._crew.start()
            self._crew.start_gateways(past=False)
            await self._strike()
            self._crew.plant.stop()
            await self._recovered()
            async with Store(self._crew.database.url) as store:
                rows = await _everything(store, self._park)
            return judge(logged(self._log, self._park), rows, self._park)
        finally:
            await self._crew.stop()

    async def _strike(self) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for blow in self._blows:
                tasks.create_task(self._do(blow, began))
            await asyncio.sleep(self._seconds)

    async def _do(self, blow: Blow, began: float) -> None:
        await asyncio.sleep(began + blow.at - time.monotonic())
        victim = self._victim(blow)
        self.done[blow.deed, blow.part] += 1
        if blow.deed == "pause":
            victim.pause()
            await asyncio.sleep(blow.lasting)
            victim.resume()
            return
        victim.kill()
        if blow.part == "broker":
            self._crew.broker.forget()
        await asyncio.sleep(blow.lasting)
        victim.start()

    def _victim(self, blow: Blow) -> Child:
        match blow.part:
            case "gateway":
                return self._crew.gateways[blow.number]
            case "broker":
                return self._crew.broker.process
            case "ingest":
                return self._crew.ingesters[blow.number]
            case "database":
                return self._crew.database.process

    async def _recovered(self) -> None:
        """Wait until the gateways have nothing left that the database has not confirmed."""
        side = GatewaySide(self._park, self._crew.broker.address)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(side.run(asyncio.Event()))
            with suppress(TimeoutError):
                await asyncio.wait_for(side.until(lambda: side.all_delivered), RECOVER_S)
            listening.cancel()


async def _everything(store: Store, park: Park) -> list[Row]:
    rows: list[Row] = []
    for utility in Utility:
        names = ", ".join(f'"{name}"' for name in UTILITIES[utility].quantities)
        statement = f'SELECT {names} FROM "{utility.value}" WHERE "park" = \'{park.id}\' GROUP BY "meter"'
        rows += await store.query(statement, OPERATOR_DATABASE)
    return rows

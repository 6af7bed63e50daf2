"""A simulated park on private servers, an ordeal, and the count of what is in the database in the end.

Chaos and outage differ in the ordeal; the count is the same.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt

from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import UTILITIES
from proving.chaos.hostile import told_to_end
from proving.chaos.schedule import INGESTERS
from proving.chaos.verdict import Verdict, judge, logged
from proving.demo.crew import Crew
from proving.demo.plan import DemoPlan
from proving.demo.tally import GatewaySide
from proving.servers import Servers
from store.answers import Row
from store.client import Store
from store.schema import OPERATOR_DATABASE
from store.select import select, where

RECOVER_S = 600.0
BEGIN_S = 300.0
LOOK_S = 0.1


class Trial:
    """A park in `folder`, described by `text`, whose plant keeps a record of every read."""

    def __init__(self, folder: Path, text: str, seed: int, servers: Servers = Servers()) -> None:  # noqa: B008 (frozen)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "park.yaml"
        file.write_text(text)
        self.park: Park = load_park(file)
        start = datetime.now(UTC) - timedelta(hours=1)
        plan = DemoPlan(start=start, days=1, since=round(start.timestamp() * 1000), seed=seed)
        self._log = folder / "reads.jsonl"
        self.crew = Crew(
            folder,
            self.park,
            plan,
            ingesters=INGESTERS,
            plant_options=("--tally", "--log", str(self._log)),
            servers=servers,
        )

    async def run(self, ordeal: Callable[[], Awaitable[None]]) -> Verdict:
        """Start, go through the ordeal, recover and judge; ends everything that it started."""
        try:
            await self.crew.start()
            self.crew.start_gateways(past=False)
            await self._reading()
            await ordeal()
            self.crew.plant.stop()
            waiting = [f"after {RECOVER_S:.0f} s {each}" for each in await self._undelivered()]
            async with self.crew.database.store() as store:
                rows = await _everything(store, self.park)
            verdict = judge(logged(self._log, self.park), rows, self.park)
            return replace(verdict, faults=(*waiting, *verdict.faults))
        finally:
            await self.crew.stop()

    async def _reading(self) -> None:
        """Wait until every gateway has begun to poll the plant: on a busy machine the ordeal would be over before.

        Raises `OperatorError` where one does not begin.
        """
        carriers = {source.gateway for source in self.park.sources}
        silent = {gateway.id for gateway in self.park.gateways if self.park.meters_of(gateway.id)} - carriers
        deadline = time.monotonic() + BEGIN_S
        with self._log.open() as log:
            while silent:
                if time.monotonic() > deadline:
                    raise OperatorError(f"for {BEGIN_S:.0f} s {', '.join(sorted(silent))} did not read any meter")
                await asyncio.sleep(LOOK_S)
                silent -= {json.loads(line)["gateway"] for line in log.readlines() if line.endswith("\n")}

    async def _undelivered(self) -> list[str]:
        """Wait until the gateways hold nothing that the database has not confirmed; returns what is left in the end.

        What they still hold is missing in the database, but not lost.
        """
        side = GatewaySide(self.park, self.crew.broker.address)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(_listen(side))
            with suppress(TimeoutError):
                await asyncio.wait_for(side.until(lambda: not side.undelivered), RECOVER_S)
            listening.cancel()
        return side.undelivered


async def _listen(side: GatewaySide) -> None:
    """Listen to the gateways, again where the broker is not back yet."""
    while not told_to_end():
        with suppress(aiomqtt.MqttError, TimeoutError):
            await side.run(asyncio.Event())
        await asyncio.sleep(LOOK_S)


async def _everything(store: Store, park: Park) -> list[Row]:
    """All points of all meters; asked meter by meter, since those of a large park's hour are a million."""
    rows: list[Row] = []
    for meter in park.meters:
        its = where({"park": park.id, "meter": meter.id})
        quantities = UTILITIES[meter.utility].quantities
        rows += await store.query(select(meter.utility.value, quantities, its, ["meter"]), OPERATOR_DATABASE)
    return rows

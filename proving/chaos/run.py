"""One run of chaos: strikes a park as scheduled, while one of its gateways is hostile to all others."""

import asyncio
import re
import time
from collections import Counter
from pathlib import Path

from ecopark.broker.accounts import gateway_account
from ecopark.secretfiles import read_secrets
from proving.chaos.hostile import HOSTILE, Hostile
from proving.chaos.schedule import Blow, schedule
from proving.chaos.trial import Trial
from proving.chaos.verdict import Verdict
from proving.demo.plan import EXAMPLE
from proving.servers import Servers, Struck
from wire.address import BrokerAddress


class Chaos:
    """A park in `folder` with one reading a second of each meter, and the blows against it in `seconds`.

    `guarded`: the broker keeps the rules of accounts, so that a gateway may be hostile; else none is.
    """

    def __init__(
        self,
        folder: Path,
        seconds: float,
        seed: int,
        *,
        servers: Servers = Servers(),  # noqa: B008 (frozen)
        guarded: bool = True,
    ) -> None:
        self._seconds = seconds
        self._guarded = guarded
        self._blows = schedule(seconds, seed)
        text = re.sub(r"interval_s: \d+", "interval_s: 1", EXAMPLE.read_text())
        taken_over = f"gateways:\n  - {{id: {HOSTILE}, name: {{en: Hostile, vi: Thù địch}}}}\n"
        self._trial = Trial(folder, text.replace("gateways:\n", taken_over, 1), seed, servers)
        self._crew = self._trial.crew
        file = self._crew.broker.account(gateway_account(self._trial.park.id, HOSTILE))
        self.hostile = Hostile(BrokerAddress.parse(read_secrets(file)["ECOPARK_MQTT_URL"]), self._trial.park, seed)
        self.done: Counter[tuple[str, str]] = Counter()

    async def run(self) -> Verdict:
        """Strike, and count."""
        return await self._trial.run(self._strike)

    async def _strike(self) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            harming = tasks.create_task(self.hostile.run() if self._guarded else asyncio.sleep(0))
            for blow in self._blows:
                tasks.create_task(self._do(blow, began))
            await asyncio.sleep(self._seconds)
            harming.cancel()

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

    def _victim(self, blow: Blow) -> Struck:
        match blow.part:
            case "gateway":
                return self._crew.gateways[blow.number]
            case "broker":
                return self._crew.broker.process
            case "ingest":
                return self._crew.ingesters[blow.number]
            case "database":
                return self._crew.database.process

"""Everything that a simulated park runs: broker, database, ingesters, plant and gateways, in one folder."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ecopark.broker.accounts import INGEST, OPERATOR, gateway_account
from ecopark.settings import ENV_FILE
from metering.errors import OperatorError
from metering.park import Park
from proving.demo.plan import DemoPlan
from proving.plant.modbus import scheme_of
from proving.processes import Child
from proving.servers import START_S, Servers, Struck


class Crew:
    """Starts the parts in the order in which they need each other, and ends them in the other.

    `folder` holds a `park.yaml`. With `usage` its service runs too. `plant_options` go to the plant's server.
    """

    def __init__(
        self,
        folder: Path,
        park: Park,
        plan: DemoPlan,
        *,
        ingesters: int = 1,
        usage: bool = False,
        plant_options: Sequence[str] = (),
        servers: Servers = Servers(),  # noqa: B008 (frozen)
    ) -> None:
        self._folder = folder
        self._park = park
        self._logs = folder / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        (folder / "spools").mkdir(exist_ok=True)
        self.broker = servers.broker(folder / "broker", [park])
        self.database = servers.database(folder / "influx")
        self.environment = {
            "ECOPARK_PARK": str(folder / "park.yaml"),
            **self.database.environment,
            ENV_FILE: str(self.broker.account(OPERATOR)),
        }
        """For the operator at a terminal; each part has its own account."""
        self.ingesters = [
            self._child(name, ("-m", "ecopark", "ingest"), INGEST, ECOPARK_INSTANCE=name)
            for name in (f"ingest-{number}" for number in range(1, ingesters + 1))
        ]
        self.usage = [self._child("usage", ("-m", "ecopark", "usage", "run"), ECOPARK_INSTANCE="usage-1")] * usage
        reading = [gateway.id for gateway in park.gateways if park.meters_of(gateway.id)]
        self._ports = dict.fromkeys(reading, 0)
        self._plan = plan
        ports = ",".join(f"{gateway}=0" for gateway in reading)
        simulated = ("--park", str(folder / "park.yaml"), "--seed", str(plan.seed), "--start", plan.start.isoformat())
        self.plant = self._child("plant", ("-m", "proving.plant.server", *simulated, "--ports", ports, *plant_options))
        self.gateways: list[Child] = []

    async def start(self) -> None:
        """Start everything but the gateways.

        Raises `OperatorError` with the last words of one that does not come up.
        """
        await asyncio.gather(self.broker.start(), self.database.start())
        for service in (*self.ingesters, *self.usage):
            service.start()
        self._ports = await self._start_plant()

    def start_gateways(self, *, past: bool) -> None:
        """Start the gateways once an ingester has subscribed; with a `past` they first deliver that."""
        for gateway, port in self._ports.items():
            simulated = ["--seed", str(self._plan.seed), "--start", self._plan.start.isoformat()]
            command = ["-m", "ecopark", "gateway", "run", gateway]
            if any(source.gateway == gateway for source in self._park.sources):
                since = self._plan.since if past else time.time_ns() // 1_000_000
                command = ["-m", "proving.demo.foreign", gateway, *simulated, "--since", str(since)]
            elif past:
                command = ["-m", "proving.demo.gateway", gateway, *simulated, "--since", str(self._plan.since)]
            child = self._child(
                gateway,
                command,
                gateway_account(self._park.id, gateway),
                ECOPARK_SPOOL=str(self._folder / "spools" / f"{gateway}.sqlite"),
                ECOPARK_MODBUS_URL=f"{scheme_of(self._park, gateway)}://127.0.0.1:{port}",
            )
            child.start()
            self.gateways.append(child)

    async def _start_plant(self) -> dict[str, int]:
        self.plant.log.unlink(missing_ok=True)
        self.plant.start()
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.plant.running:
            for line in self.plant.log.read_text().splitlines():
                if line.startswith('{"ports"'):
                    found: dict[str, int] = json.loads(line)["ports"]
                    return found
            await asyncio.sleep(0.05)
        raise OperatorError(f"the simulated plant did not start:\n{self.plant.last_words()}")

    def fallen(self) -> Struck | None:
        """A part that has ended by itself."""
        parts: list[Struck] = [
            self.broker.process,
            self.database.process,
            *self.ingesters,
            *self.usage,
            self.plant,
            *self.gateways,
        ]
        return next((part for part in parts if not part.running), None)

    async def stop_reading(self) -> None:
        """End the gateways: what they have read is delivered first."""
        await asyncio.gather(*(asyncio.to_thread(gateway.stop, 15.0) for gateway in self.gateways))

    async def stop(self) -> None:
        """End everything that still runs."""
        await self.stop_reading()
        for part in (self.plant, *self.ingesters, *self.usage, self.broker.process, self.database.process):
            await asyncio.to_thread(part.stop)

    def _child(self, name: str, arguments: Sequence[str], account: str = OPERATOR, **environment: str) -> Child:
        """A part with the broker's account that it needs."""
        command = [sys.executable, *arguments]
        environment[ENV_FILE] = str(self.broker.account(account))
        return Child(name, command, self._logs / f"{name}.log", self.environment | environment)

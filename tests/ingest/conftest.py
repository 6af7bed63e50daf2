"""A small park, the ingester as the process that operators run, and a gateway's side of the broker."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiomqtt
import pytest

from ingest.batch import Batch
from ingest.directory import Directory, directory
from ingest.taken import Taken
from metering.parkfile import load_park
from proving.processes import Child
from proving.servers import Influxd, Mosquitto
from store.answers import Row
from store.client import Store
from store.schema import OPERATOR_DATABASE

PATIENCE_S = 90.0
"""No test of behaviour depends on how fast the machine is: this only ends one that would never end."""

ECOPARK = Path(sys.executable).parent / "ecopark"

PARK = """\
park: {id: ID, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: textile, name: {en: Textile, vi: Dệt}, sector: {en: textile, vi: dệt may}}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
  - {id: gw-2, name: {en: Two, vi: Hai}}
meters:
  - id: em-1
    name: {en: Supply, vi: Nguồn}
    tenant: textile
    gateway: gw-1
    utility: electricity
    interval_s: 60
    rated: 1000
    registers: {energy_kwh: {rollover: 1000000}, power_kw: {}}
  - id: wm-2
    name: {en: Water, vi: Nước}
    gateway: gw-2
    utility: water
    interval_s: 60
    rated: 50
    registers: {volume_m3: {}, ph: {}}
"""


def taken_of(batch: Batch) -> list[Taken]:
    """All readings of a batch, lane by lane, whether they are lines yet or not."""
    return [
        each
        for lane in batch.lanes
        for each in (*(lane.taken(place) for place in range(len(lane.lines))), *lane.waiting)
    ]


def park_file(folder: Path, park: str = "demo", text: str = PARK) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{park}.yaml"
    file.write_text(text.replace("ID", park, 1), encoding="utf-8")
    return file


@pytest.fixture
def park(tmp_path: Path) -> Path:
    return park_file(tmp_path / "parks")


class Until(Protocol):
    async def __call__(
        self, condition: Callable[[], Awaitable[Any]], what: str = "", *, within_s: float = PATIENCE_S
    ) -> Any: ...


@pytest.fixture
def until() -> Until:
    """Wait for a condition, and fail at its deadline with what was seen last."""

    async def wait(condition: Callable[[], Awaitable[Any]], what: str = "", *, within_s: float = PATIENCE_S) -> Any:
        seen: Any = None
        try:
            async with asyncio.timeout(within_s):
                while not (seen := await condition()):  # noqa: ASYNC110 (other processes set no event of ours)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{what or 'the condition'} did not come within {within_s} s; last seen: {seen!r}")
        return seen

    return wait


class Station:
    """One broker, one database, and as many ingesters as a test starts; a gateway's view of what is stored."""

    def __init__(self, broker: Mosquitto, influx: Influxd, store: Store, park: Path, folder: Path) -> None:
        self.broker = broker
        self.influx = influx
        self.store = store
        self.park = park
        self._folder = folder
        self.ingesters: list[Child] = []

    def ingester(self, instance: str = "one", **environment: str) -> Child:
        """An ingester process, not yet started."""
        env = {
            "ECOPARK_PARK": str(self.park),
            "ECOPARK_MQTT_URL": self.broker.url,
            "ECOPARK_INFLUX_URL": self.influx.url,
            "ECOPARK_INSTANCE": instance,
            **environment,
        }
        for name in [name for name in os.environ if name.startswith("ECOPARK_")]:
            env.setdefault(name, "")
        log = self._folder / f"{instance}-{len(self.ingesters)}.log"
        child = Child(f"ingester {instance}", [str(ECOPARK), "--verbose", "ingest"], log, env)
        self.ingesters.append(child)
        return child

    async def started(self, instance: str = "one", **environment: str) -> Child:
        """An ingester that has subscribed."""
        child = self.ingester(instance, **environment)
        child.start()
        await self.connected(child)
        return child

    async def connected(self, child: Child, times: int = 1) -> None:
        """Wait until an ingester has connected so many times."""
        async with asyncio.timeout(PATIENCE_S):
            while child.log.read_text().count("connected; session") < times:
                assert child.running, child.last_words()
                await asyncio.sleep(0.02)

    async def stored(self, measurement: str = "electricity") -> list[Row]:
        """Every point of a measurement, by time."""
        return await self.store.query(f'SELECT * FROM "{measurement}"', OPERATOR_DATABASE)

    async def count(self, measurement: str = "electricity", field: str = "energy_kwh") -> int:
        rows = await self.store.query(f'SELECT count("{field}") FROM "{measurement}"', OPERATOR_DATABASE)
        return int(rows[0]["count"]) if rows else 0

    @asynccontextmanager
    async def gateway(self, name: str = "gw-1", park: str = "demo") -> AsyncIterator["Gateway"]:
        """A client that publishes readings and hears the answers."""
        async with aiomqtt.Client("127.0.0.1", self.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            yield Gateway(client, f"ecopark/v1/{park}/{name}")


class Gateway:
    """What a test does in a gateway's place."""

    def __init__(self, client: aiomqtt.Client, topic: str) -> None:
        self.client = client
        self.topic = topic

    async def publish(self, payload: str | bytes) -> None:
        await self.client.publish(f"{self.topic}/readings", payload, qos=1)

    async def listen(self, channel: str) -> None:
        await self.client.subscribe(f"{self.topic}/{channel}", qos=1)

    async def heard(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            message = await anext(aiter(self.client.messages))
        assert isinstance(message.payload, bytes)
        return message.payload


@pytest.fixture
def station(broker: Mosquitto, influx: Influxd, store: Store, park: Path, tmp_path: Path) -> Iterator[Station]:
    made = Station(broker, influx, store, park, tmp_path)
    yield made
    for child in made.ingesters:
        child.kill()


@pytest.fixture(scope="session")
def park_text() -> str:
    return PARK.replace("ID", "demo", 1)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory, park_text: str) -> Directory:
    """The directory of the small park."""
    file = tmp_path_factory.mktemp("park") / "demo.yaml"
    file.write_text(park_text, encoding="utf-8")
    return directory(load_park(file))

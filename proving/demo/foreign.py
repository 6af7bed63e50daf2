"""Devices of the demo that do not speak Ecopark's messages: a ChirpStack server's uplinks, and a Sparkplug edge node.

Each plays a gateway of the park file that has a source. It publishes the past and then the present of its meters,
and says in the gateway's status how much it has read and how much the broker has not acknowledged. Like most such
devices it keeps nothing once the broker has acknowledged it.
"""

import argparse
import asyncio
import itertools
import json
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiomqtt

from ecopark.settings import read_settings
from ingest.sparkplug import PAYLOAD, REBIRTH
from metering.errors import OperatorError
from metering.meters import Meter
from metering.park import Park
from metering.parkfile import load_park
from metering.sources import Source
from proving.demo.plan import plant_past
from proving.plant.history import WireReading, history
from proving.plant.plant import Plant
from wire.address import BrokerAddress
from wire.client import client_of
from wire.messages import Status
from wire.topics import Channel, topic

AT_ONCE: Final = 64
"""Messages on their way to the broker."""

PAUSE_S: Final = 1.0
OLD_MS: Final = 60_000
"""Values older than this are marked as historical."""

GROUP: Final = "song-xanh"
DOUBLE: Final = 10
UINT64: Final = 8
"""Data types of Sparkplug."""
METRICS: Final[Mapping[str, str]] = {
    "energy_kwh": "energy/import",
    "reactive_kvarh": "energy/reactive",
    "power_kw": "power/active",
}
"""Names of the node's metrics; they count in Wh, varh and W."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A message of a device and how many readings it holds."""

    topic: str
    payload: bytes
    readings: int = 0


class Uplinks:
    """LoRaWAN meters as ChirpStack 4 publishes them: one uplink a reading, litres and litres an hour."""

    commands: str | None = None

    def __init__(self, meters: Iterable[Meter]) -> None:
        self._devices = {meter.id: meter.alias or meter.id for meter in meters}
        self._counters = {meter: itertools.count() for meter in self._devices}

    def births(self) -> list[Publication]:
        """Nothing is published before the first uplink."""
        return []

    def of(self, readings: Sequence[Mapping[str, Any]], now_ms: int) -> Iterator[Publication]:
        """Messages for readings."""
        del now_ms
        for reading in readings:
            device = self._devices[reading["meter"]]
            values = reading["values"]
            at = datetime.fromtimestamp(reading["ts"] / 1000, UTC)
            content = {
                "time": at.isoformat(timespec="microseconds"),
                "deviceInfo": {"devEui": device, "deviceName": reading["meter"]},
                "fCnt": next(self._counters[reading["meter"]]),
                "fPort": 100,
                "object": {
                    "volume_l": round(values["volume_m3"] * 1000),
                    "flow_lh": round(values["flow_m3h"] * 1000, 3),
                    "battery_v": 3.6,
                },
            }
            yield Publication(f"application/1/device/{device}/event/up", json.dumps(content).encode(), 1)


class EdgeNode:
    """A Sparkplug edge node: births with names and aliases, then data by alias, many instants in a message."""

    def __init__(self, meters: Iterable[Meter]) -> None:
        self._devices = {meter.id: (meter.alias or meter.id).split("/", 1) for meter in meters}
        self._node = next(iter(self._devices.values()))[0]
        self._names = {meter.id: [name for name in METRICS if name in meter.quantities] for meter in meters}
        self._sequence = itertools.cycle(range(256))
        self._session = int(time.time())
        self.commands = f"spBv1.0/{GROUP}/NCMD/{self._node}"

    def births(self) -> list[Publication]:
        """The node's birth, then that of each device; the values come with the data."""
        self._sequence = itertools.cycle(range(256))
        node = self._message()
        node.metrics.add(name="bdSeq", datatype=UINT64, long_value=self._session)
        made = [Publication(f"spBv1.0/{GROUP}/NBIRTH/{self._node}", node.SerializeToString())]
        for meter, (_, device) in self._devices.items():
            birth = self._message()
            for alias, name in enumerate(self._names[meter]):
                birth.metrics.add(name=METRICS[name], alias=alias, datatype=DOUBLE, is_null=True)
            made.append(Publication(f"spBv1.0/{GROUP}/DBIRTH/{self._node}/{device}", birth.SerializeToString()))
        return made

    def of(self, readings: Sequence[Mapping[str, Any]], now_ms: int) -> Iterator[Publication]:
        """Messages for readings, one for each device."""
        by_meter: dict[str, list[Mapping[str, Any]]] = {}
        for reading in readings:
            by_meter.setdefault(reading["meter"], []).append(reading)
        for meter, own in by_meter.items():
            data = self._message()
            for reading in own:
                for alias, name in enumerate(self._names[meter]):
                    data.metrics.add(
                        alias=alias,
                        timestamp=reading["ts"],
                        datatype=DOUBLE,
                        is_historical=reading["ts"] < now_ms - OLD_MS,
                        double_value=round(reading["values"][name] * 1000, 3),
                    )
            where = f"spBv1.0/{GROUP}/DDATA/{self._node}/{self._devices[meter][1]}"
            yield Publication(where, data.SerializeToString(), len(own))

    def _message(self) -> Any:
        message: Any = PAYLOAD()
        message.timestamp = time.time_ns() // 1_000_000
        message.seq = next(self._sequence)
        return message


def dialect_of(source: Source, meters: Sequence[Meter]) -> Uplinks | EdgeNode:
    """How the devices of a source speak.

    Raises `OperatorError` for a preset that the demo cannot imitate.
    """
    match source.preset:
        case "chirpstack4":
            return Uplinks(meters)
        case "sparkplug-b":
            return EdgeNode(meters)
        case other:
            raise OperatorError(f"sources[{source.id}].preset: the demo cannot imitate {other}")


class ForeignGateway:
    """Publishes the past and the present of a gateway's meters in the dialect of its source."""

    def __init__(self, plant: Plant, gateway: str, address: BrokerAddress, since_ms: int) -> None:
        self._plant = plant
        self._gateway = gateway
        self._address = address
        self._next_ms = since_ms
        self._read = 0
        self._due: Iterator[list[WireReading]] = iter(())
        self._held: list[Publication] = []
        meters = plant.park.meters_of(gateway)
        self._dialect = dialect_of(source_of(plant.park, gateway), meters)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set; connects again where the connection is lost."""
        while not stop.is_set():
            with suppress(aiomqtt.MqttError):
                async with client_of(self._address, self._address.user) as client:
                    client.pending_calls_threshold = 2 * AT_ONCE  # as many are meant to be under way
                    await self._connected(client, stop)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE_S)

    async def _connected(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        if self._dialect.commands is not None:
            await client.subscribe(self._dialect.commands, qos=1)
        commands = asyncio.create_task(self._obey(client))
        try:
            await self._publish(client, self._dialect.births())
            while True:
                await self._publish(client, self._held)
                self._held = []
                await self._say(client, online=not stop.is_set())
                if stop.is_set():
                    return
                await self._publish_due(client)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAUSE_S)
        finally:
            commands.cancel()

    async def _publish_due(self, client: aiomqtt.Client) -> None:
        """Read what is due up to now and publish it; what is not acknowledged is held and published again.

        Where the connection is lost on the way, the rest of the span is still due at the next.
        """
        now_ms = time.time_ns() // 1_000_000
        zone = self._plant.park.zone
        first, last = (datetime.fromtimestamp(ms / 1000, zone) for ms in (self._next_ms, now_ms))
        self._due = itertools.chain(self._due, history(self._plant, self._gateway, first, last))
        self._next_ms = now_ms
        for readings in self._due:
            made = list(self._dialect.of(readings, now_ms))
            self._held += made
            self._read += sum(one.readings for one in made)
            if len(self._held) >= AT_ONCE:
                await self._publish(client, self._held)
                self._held = []
        self._due = iter(())

    async def _publish(self, client: aiomqtt.Client, publications: Sequence[Publication]) -> None:
        for at in range(0, len(publications), AT_ONCE):
            some = publications[at : at + AT_ONCE]
            await asyncio.gather(*(client.publish(one.topic, one.payload, qos=1) for one in some))

    async def _obey(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            command: Any = PAYLOAD.FromString(message.payload)
            if any(metric.name == REBIRTH and metric.boolean_value for metric in command.metrics):
                await self._publish(client, self._dialect.births())

    async def _say(self, client: aiomqtt.Client, *, online: bool) -> None:
        status = Status(online=online, version="demo", read=self._read, spooled=len(self._held))
        where = topic(self._plant.park.id, self._gateway, Channel.STATUS)
        await client.publish(where, status.model_dump_json(exclude_none=True).encode(), qos=1, retain=True)


def source_of(park: Park, gateway: str) -> Source:
    """The source that a gateway carries. Raises `OperatorError` where it has none."""
    found = next((source for source in park.sources if source.gateway == gateway), None)
    if found is None:
        raise OperatorError(f"the gateway {gateway} carries no source")
    return found


async def _work(options: argparse.Namespace) -> None:
    settings = read_settings()
    park = load_park(settings.park)
    plant = Plant(park, seed=options.seed, start=options.start)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await ForeignGateway(plant, options.gateway, settings.broker(), options.since).run(stop)


if __name__ == "__main__":
    asyncio.run(_work(plant_past("proving.demo.foreign", "A device of another make.")))

"""The demo's devices of other makes say what the plant shows: read back by the ingester's own accept step."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import aiomqtt
import pytest

from ingest.accept import accept
from ingest.directory import directory
from metering.instants import milliseconds
from metering.parkfile import load_park
from proving.demo.foreign import ForeignGateway, dialect_of, source_of
from proving.demo.plan import EXAMPLE
from proving.plant.history import history
from proving.plant.plant import Plant
from proving.servers import Mosquitto
from wire.address import BrokerAddress

START = datetime.fromisoformat("2026-11-02T00:00:00+07:00")


@pytest.mark.parametrize("gateway", ["gw-lora", "gw-pharma"])
def test_what_is_published_is_accepted_as_what_the_plant_showed(gateway: str) -> None:
    park = load_park(EXAMPLE)
    plant = Plant(park, seed=7, start=START)
    known = directory(park)
    dialect = dialect_of(source_of(park, gateway), park.meters_of(gateway))
    end = START + timedelta(hours=6)
    now_ms = milliseconds(end)
    for born in dialect.births():
        assert not accept(born.topic, born.payload, now_ms, known).refusals
    compared = 0
    for readings in history(plant, gateway, START, end):
        shown = {(reading["meter"], reading["ts"]): reading["values"] for reading in readings}
        for publication in dialect.of(readings, now_ms):
            accepted = accept(publication.topic, publication.payload, now_ms, known)
            assert not accepted.refusals
            assert len(accepted.taken) == publication.readings
            for taken in accepted.taken:
                right = shown[taken.meter.meter, taken.ms]
                assert taken.values == pytest.approx({name: right[name] for name in taken.values}, abs=1e-3)
                compared += 1
    assert compared == sum(6 * 3600 // meter.interval_s for meter in park.meters_of(gateway))


class Relay:
    """A proxy before the broker that cuts its first connection after so many bytes from the device."""

    def __init__(self, port: int, cut_after: int) -> None:
        self._port = port
        self._left = cut_after
        self.cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.create_task(self._pass(there, writer))
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                self._left -= len(data)
                if self._left < 0 and not self.cut:
                    self.cut = True
                    break
                back.write(data)
        answers.cancel()
        for end in (back, writer):
            end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                writer.write(data)


async def test_what_is_due_when_the_connection_is_lost_is_published_by_the_next_one(broker: Mosquitto) -> None:
    park = load_park(EXAMPLE)
    since = datetime.now(UTC) - timedelta(days=2)
    plant = Plant(park, seed=7, start=since - timedelta(days=1))
    wanted = {
        (reading["meter"], reading["ts"])
        for readings in history(plant, "gw-lora", since, since + timedelta(days=2))
        for reading in readings
    }
    relay = Relay(broker.port, cut_after=100_000)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    address = BrokerAddress(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    stop = asyncio.Event()
    async with server, aiomqtt.Client(broker.address.host, broker.address.port) as listener, asyncio.timeout(120):
        await listener.subscribe("application/#", qos=1)
        device = asyncio.create_task(ForeignGateway(plant, "gw-lora", address, milliseconds(since)).run(stop))
        async for message in listener.messages:
            assert isinstance(message.payload, bytes)
            uplink = json.loads(message.payload)
            instant = milliseconds(datetime.fromisoformat(uplink["time"]))
            wanted.discard((uplink["deviceInfo"]["deviceName"], instant))
            if not wanted:
                break
        stop.set()
        await device
    assert relay.cut

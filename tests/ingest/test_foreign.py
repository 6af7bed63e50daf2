"""Devices of other makes through a real broker and the ingester, as their makers publish."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, cast

import aiomqtt
import pysparkplug as other
import pytest

from ingest.accept import accept
from ingest.connection import Connection, Delivery
from ingest.directory import directory
from ingest.intake import Intake
from ingest.refusal import Ledger
from metering.parkfile import ParkFileError, load_park
from store.schema import OPERATOR_DATABASE
from tests.ingest.conftest import PARK, Station, Until, park_file, taken_of

SOURCES = """
sources:
  - id: plugs
    gateway: gw-1
    preset: tasmota
    zone: Asia/Ho_Chi_Minh
  - id: water
    gateway: gw-2
    messages:
      - topic: lora/+/up
        device: {path: dev}
        values: {volume_m3: {path: litres, unit: L}, ph: ph}
  - id: nodes
    gateway: gw-1
    preset: sparkplug-b
    values: {energy_kwh: metrics.E1}
"""


@pytest.fixture
def park(tmp_path: Path) -> Path:
    text = (PARK + SOURCES).replace("  - id: em-1\n", "  - id: em-1\n    alias: edge/line-1\n")
    return park_file(tmp_path / "parks", text=text)


def sensor(kwh: float, at: str) -> str:
    return json.dumps({"Time": at, "ENERGY": {"Total": kwh, "Power": 1250}})


def local(ago_s: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 7 * 3600 - ago_s))


async def test_what_a_device_publishes_is_stored_in_canonical_units(station: Station, until: Until) -> None:
    await station.started()
    async with aiomqtt.Client("127.0.0.1", station.broker.port) as device:
        await device.publish("tele/em-1/SENSOR", sensor(530.25, local(60)), qos=1)
        await device.publish(
            "lora/1/up", json.dumps({"dev": "wm-2", "litres": 811532, "ph": None, "battery": 3.6}), qos=1
        )
        (power,) = await until(station.stored)
        (water,) = await until(lambda: station.stored("water"))
    assert (power["meter"], power["energy_kwh"], power["power_kw"]) == ("em-1", 530.25, 1.25)
    assert power.get("arrived") is None
    assert (water["meter"], water["volume_m3"], water["arrived"]) == ("wm-2", 811.532, True)
    assert abs(water["time"] / 1e9 - time.time()) < 60


async def test_what_cannot_be_read_is_refused_with_source_device_and_field(station: Station, until: Until) -> None:
    await station.started()
    async with aiomqtt.Client("127.0.0.1", station.broker.port) as device:
        await device.publish("lora/1/up", json.dumps({"dev": "wm-2", "litres": "many", "ph": 7.1}), qos=1)
        await device.publish("lora/1/up", json.dumps({"dev": "stranger", "litres": 5}), qos=1)
        await device.publish("lora/1/up", b"\xff", qos=1)
        refused = await until(lambda: _refused(station, 3))
        (water,) = await until(lambda: station.stored("water"))
    said = {row["reason"]: (row["gateway"], row["detail"]) for row in refused}
    assert water["ph"] == 7.1
    assert said["not_a_number"] == ("gw-2", "source water: volume_m3: the text 'many' is not a number")
    assert said["unknown_meter"] == ("gw-2", "source water: the park file has no such meter")
    assert said["malformed"][1].startswith("source water: not JSON")


def test_each_record_says_by_itself_whether_its_time_is_that_of_arrival(tmp_path: Path) -> None:
    text = PARK + "\nsources:\n  - {id: lines, gateway: gw-1, preset: influx-line}\n"
    now = int(time.time() * 1000)
    sent = f"modbus,device=em-1 energy_kwh=5 {now - 60_000}000000\nmodbus,device=em-1 energy_kwh=6\n"
    known = directory(load_park(park_file(tmp_path, text=text)))
    accepted = accept("telegraf/x", sent.encode(), now, known)
    assert [(each.ms, each.state) for each in accepted.taken] == [(now - 60_000, ""), (now, ",arrived=true")]
    (late,) = accept("telegraf/x", b"modbus,device=em-1 energy_kwh=5 1600000000000000000", now, known).refusals
    assert late.detail.startswith("source lines: 2020-09-13T12:26:40+00:00: more than ")


async def _refused(station: Station, count: int) -> list[Any]:
    rows = await station.store.query('SELECT * FROM "refused"', OPERATOR_DATABASE)
    return rows if len(rows) >= count else []


async def test_a_retained_message_is_no_reading(station: Station, until: Until) -> None:
    async with aiomqtt.Client("127.0.0.1", station.broker.port) as device:
        await device.publish("tele/em-1/SENSOR", sensor(1.0, local(120)), qos=1, retain=True)
        await station.started()
        await device.publish("tele/em-1/SENSOR", sensor(2.0, local(60)), qos=1, retain=True)  # as many devices do
        (row,) = await until(station.stored)
    assert row["energy_kwh"] == 2.0


async def test_a_new_source_of_the_park_file_is_subscribed_to(station: Station, until: Until) -> None:
    text = station.park.read_text() if station.park.is_file() else ""
    file = station.park if station.park.is_file() else next(station.park.glob("*.yaml"))
    text = file.read_text()
    file.write_text(text.replace("lora/+/up", "other/+/up"))
    await station.started()
    file.write_text(text)
    async with aiomqtt.Client("127.0.0.1", station.broker.port) as device:

        async def arrives() -> Any:
            await device.publish("lora/1/up", json.dumps({"dev": "wm-2", "litres": 1000}), qos=1)
            return await station.stored("water")

        assert (await until(arrives, within_s=30))[0]["volume_m3"] == 1.0


def metric(name: str | None, value: float, alias: int, ms: int) -> other.Metric:
    return other.Metric(timestamp=ms, name=name, datatype=other.DataType.DOUBLE, value=value, alias=alias)


async def test_data_before_its_birth_waits_for_the_rebirth_that_is_asked_for(station: Station, until: Until) -> None:
    await station.started()
    now = int(time.time() * 1000)
    async with aiomqtt.Client("127.0.0.1", station.broker.port) as node:
        await node.subscribe("spBv1.0/plant/NCMD/edge", qos=1)
        data = other.DData(timestamp=now - 60_000, seq=7, metrics=(metric(None, 48214.8, 1, now - 60_000),))
        await node.publish("spBv1.0/plant/DDATA/edge/line-1", data.encode(), qos=1)
        async with asyncio.timeout(20):
            command = await anext(aiter(node.messages))
        asked = other.NCmd.decode(command.payload)
        assert [(m.name, m.value) for m in asked.metrics] == [("Node Control/Rebirth", True)]
        assert not await station.stored()
        birth = other.DBirth(timestamp=now, seq=8, metrics=(metric("E1", 48215.0, 1, now),))
        await node.publish("spBv1.0/plant/DBIRTH/edge/line-1", birth.encode(), qos=1)
        rows = await until(lambda: _several(station, 2), within_s=20)
    assert [(row["meter"], row["energy_kwh"]) for row in rows] == [("em-1", 48214.8), ("em-1", 48215.0)]


async def _several(station: Station, count: int) -> list[Any]:
    rows = await station.stored()
    return rows if len(rows) >= count else []


def test_a_source_of_no_gateway_is_a_fault_of_the_park_file(tmp_path: Path) -> None:
    file = park_file(tmp_path, text=PARK + SOURCES.replace("gateway: gw-2", "gateway: gw-9"))
    with pytest.raises(ParkFileError, match=r"sources\[water\].gateway is gw-9"):
        load_park(file)


def test_two_sources_on_one_topic_each_read_only_their_devices(tmp_path: Path) -> None:
    both = """
sources:
  - {id: a, gateway: gw-1, messages: [{topic: x/up, device: {path: dev}, values: {energy_kwh: e}}]}
  - {id: b, gateway: gw-2, messages: [{topic: x/up, device: {path: dev}, values: {volume_m3: v}}]}
"""
    known = directory(load_park(park_file(tmp_path, text=PARK + both)))
    now = int(time.time() * 1000)
    for payload, meter in [({"dev": "em-1", "e": 5.0}, "em-1"), ({"dev": "wm-2", "v": 2.0}, "wm-2")]:
        accepted = accept("x/up", json.dumps(payload).encode(), now, known)
        assert [taken.meter.meter for taken in accepted.taken] == [meter]
        assert not accepted.refusals


class _Socket:
    """A connection that is never read."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


async def test_what_is_delivered_again_keeps_the_time_at_which_it_first_came(tmp_path: Path) -> None:
    now = 1_795_000_000_000
    intake = Intake(lambda: now, Ledger("one"))
    intake.know(directory(load_park(park_file(tmp_path, text=PARK + SOURCES))))
    socket = cast("Connection", _Socket())

    async def instants(packet_id: int, litres: int, *, again: bool) -> list[int]:
        payload = json.dumps({"dev": "wm-2", "litres": litres}).encode()
        intake.receive([Delivery("lora/1/up", payload, packet_id, socket, again=again)])
        batch = await intake.next_batch()
        return [taken.ms for taken in taken_of(batch)]

    first = now
    assert await instants(7, 1000, again=False) == [first]
    now += 60_000
    assert await instants(7, 1000, again=True) == [first]  # after a lost connection: the same reading
    assert await instants(7, 2000, again=True) == [now]  # another message under a packet identifier that was free again
    now += 60_000
    assert await instants(7, 2000, again=False) == [now]  # not said to be sent again: a new reading

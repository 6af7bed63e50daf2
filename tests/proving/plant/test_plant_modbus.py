import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType

from gateway.modbus import ModbusMeterBlock
from gateway.modbusmap import Request, decode, plan
from metering.errors import OperatorError
from metering.meters import Meter
from metering.park import Park
from metering.parkfile import load_park
from proving.plant.clock import HOUR_MS
from proving.plant.events import Gap
from proving.plant.modbus import serving
from proving.plant.plant import Plant
from proving.plant.readlog import ReadLog
from proving.plant.registers import encode, faces

REQUEST_WORDS = 125


@asynccontextmanager
async def connected(port: int, gateway: str) -> AsyncIterator[AsyncModbusTcpClient]:
    framer = FramerType.RTU if gateway == "gw-east" else FramerType.SOCKET
    client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer, timeout=5, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


def only(meter: Meter, name: str) -> tuple[int, Request]:
    """The device and the request for one quantity of a meter."""
    block = ModbusMeterBlock.model_validate(meter.modbus)
    (request,) = plan({meter.id: block.model_copy(update={"registers": {name: block.registers[name]}})})
    return block.device, request


async def read(client: AsyncModbusTcpClient, meter: Meter, name: str) -> float:
    device, request = only(meter, name)
    answer = await client.read_holding_registers(request.address, count=request.words, device_id=device)
    assert not answer.isError()
    return decode(request, answer.registers).values[meter.id][name]


async def test_every_register_of_every_meter_is_served_as_the_plant_has_it(plant: Plant) -> None:
    now = plant.start_ms + 30 * HOUR_MS
    ports = {gateway.id: 0 for gateway in plant.park.gateways}
    carriers = {source.gateway for source in plant.park.sources}
    async with serving(plant, ports, clock=lambda: now) as chosen:
        assert chosen.keys() == ports.keys()
        for gateway, port in chosen.items():
            async with connected(port, gateway) as client:
                for meter in plant.park.meters_of(gateway):
                    if meter.modbus is None:
                        by_hand = meter.interval_s > 86_400
                        assert by_hand or gateway in carriers, f"{meter.id} is neither on Modbus nor of another make"
                        continue
                    shown = plant.registers(meter.id, now)
                    assert shown == {name: await read(client, meter, name) for name in meter.instruments[-1].registers}


async def test_registers_far_apart_can_be_read_in_one_request(plant: Plant) -> None:
    meter = plant.park.meter["em-textile"]
    block = ModbusMeterBlock.model_validate(meter.modbus)
    places = {name: place.address for name, (place,) in block.registers.items() if place.address > 3100}
    first = min(places.values())
    async with (
        serving(plant, {"gw-east": 0}, clock=lambda: plant.start_ms) as ports,
        connected(ports["gw-east"], "gw-east") as client,
    ):
        answer = await client.read_input_registers(first, count=REQUEST_WORDS - 11, device_id=block.device)
    shown = plant.registers("em-textile", plant.start_ms)
    assert shown is not None
    for name, address in places.items():
        words = encode(faces(meter)[name], shown[name])
        assert answer.registers[address - first :][: len(words)] == words


async def test_what_is_not_there_is_answered_by_an_exception(plant: Plant) -> None:
    gap = next(event for event in plant.events if isinstance(event, Gap))
    meter = plant.park.meter[gap.meter]
    device = ModbusMeterBlock.model_validate(meter.modbus).device
    async with (
        serving(plant, {meter.gateway: 0}, clock=lambda: plant.at(gap)) as ports,
        connected(ports[meter.gateway], meter.gateway) as client,
    ):
        silent = await client.read_holding_registers(0, count=2, device_id=device)
        beyond = await client.read_holding_registers(9000, count=2, device_id=device)
        written = await client.write_register(0, 1, device_id=device)
    assert silent.exception_code == ExcCodes.GATEWAY_NO_RESPONSE
    assert beyond.exception_code == ExcCodes.ILLEGAL_ADDRESS
    assert written.exception_code == ExcCodes.ILLEGAL_FUNCTION


async def test_a_tally_makes_every_read_unique(plant: Plant) -> None:
    meters = [plant.park.meter[name] for name in ("em-textile", "em-steel-furnace", "pm-textile")]
    async with (
        serving(plant, {"gw-east": 0}, clock=lambda: plant.start_ms, tally=True) as ports,
        connected(ports["gw-east"], "gw-east") as client,
        connected(ports["gw-east"], "gw-east") as another,
    ):
        for meter in meters:
            counted = [await read(each, meter, meter.counter) for _ in range(20) for each in (client, another)]
            step = meter.instruments[-1].registers[meter.counter].resolution
            assert counted == pytest.approx([step * (number + 1) for number in range(40)], rel=1e-12)
            assert len(set(counted)) == 40


async def test_each_read_is_logged_with_the_connection_that_made_it(plant: Plant, tmp_path: Path) -> None:
    file, meter = tmp_path / "reads.jsonl", plant.park.meter["em-feed"]
    with ReadLog(file) as log:
        async with serving(plant, {"gw-west": 0}, clock=lambda: plant.start_ms, log=log) as ports:
            for epoch in (1, 2):
                async with connected(ports["gw-west"], "gw-west") as client:
                    value = await read(client, meter, "energy_kwh")
                assert json.loads(file.read_text().splitlines()[-1]) == {
                    "epoch": epoch,
                    "gateway": "gw-west",
                    "meter": "em-feed",
                    "ts": plant.start_ms,
                    "values": {"energy_kwh": value},
                }
    assert len(file.read_text().splitlines()) == 2


def test_a_read_that_is_answered_late_is_logged_with_the_connection_it_came_on(
    song_xanh_file: Path, song_xanh: Park, tmp_path: Path
) -> None:
    file, meter = tmp_path / "reads.jsonl", song_xanh.meter["em-feed"]
    device, energy = only(meter, "energy_kwh")
    request = struct.pack(">HHHBBHH", 1, 0, 6, device, 3, energy.address, energy.words)
    options = ("--park", str(song_xanh_file), "--start", "2026-11-01T00:00:00+07:00", "--log", str(file))
    with process(*options, "--ports", "gw-west=0") as child:
        assert child.stdout is not None
        plant = ("127.0.0.1", json.loads(child.stdout.readline())["ports"]["gw-west"])
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        with socket.create_connection(plant, timeout=20) as first:
            first.sendall(request)
        with socket.create_connection(plant, timeout=20) as second:
            child.send_signal(signal.SIGCONT)
            second.sendall(request)
            assert second.recv(100)
    assert [json.loads(line)["epoch"] for line in file.read_text().splitlines()] == [1, 2]


async def test_a_taken_port_and_an_unknown_gateway_are_reported_to_the_operator(plant: Plant) -> None:
    async with serving(plant, {"gw-east": 0}, clock=lambda: plant.start_ms) as ports:
        with pytest.raises(OperatorError, match="choose a free port"):
            async with serving(plant, {"gw-west": ports["gw-east"]}, clock=lambda: plant.start_ms):
                pass
    with pytest.raises(OperatorError, match="no such gateway"):
        async with serving(plant, {"gw-north": 0}, clock=lambda: plant.start_ms):
            pass


def plant_of(file: Path, began: datetime) -> Plant:
    return Plant(load_park(file), seed=11, start=began)


@contextmanager
def process(*options: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "proving.plant.server", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("kill", [False, True])
async def test_the_server_process_keeps_its_record_however_it_ends(
    song_xanh_file: Path, tmp_path: Path, kill: bool
) -> None:
    log = tmp_path / "reads.jsonl"
    began = datetime.now(UTC) - timedelta(hours=1)
    plant = plant_of(song_xanh_file, began)
    options = ("--park", str(song_xanh_file), "--seed", "11", "--start", began.isoformat(), "--log", str(log))
    with process(*options, "--ports", "gw-east=0,gw-west=0") as child:
        assert child.stdout is not None
        ports = json.loads(child.stdout.readline())["ports"]
        assert ports.keys() == {"gw-east", "gw-west"}
        async with connected(ports["gw-west"], "gw-west") as client:
            values = [await read(client, meter, meter.counter) for meter in plant.park.meters_of("gw-west")]
            child.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            assert child.wait(timeout=60) == (-9 if kill else 0)
    records = [json.loads(line) for line in log.read_text().splitlines()]
    counters = [plant.park.meter[record["meter"]].counter for record in records]
    assert [record["values"][counter] for record, counter in zip(records, counters, strict=True)] == values
    for record, counter in zip(records, counters, strict=True):
        shown = plant.registers(record["meter"], record["ts"])
        assert shown is not None
        assert record["values"] == {counter: shown[counter]}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--ports", "gw-north=0"), "gw-north: no such gateway"),
        (("--ports", "gw-east=0", "--log", "/nowhere/reads.jsonl"), "the log cannot be opened"),
        (("--ports", "gw-east"), "gateway=port"),
        (("--ports", "gw-east=0", "--start", "2026-10-24T00:00:00"), "lacks its offset"),
        (("--ports", "gw-east=0", "--start", "2199-01-01T00:00:00+07:00"), "cannot begin in the future"),
        (("--ports", "gw-east=0", "--start", "yesterday"), "yesterday is no time"),
        (("--ports", "gw-east=0", "--park", "/nowhere/park.yaml"), "/nowhere/park.yaml:1"),
    ],
)
def test_wrong_options_end_with_one_clear_line_and_status_2(
    song_xanh_file: Path, options: tuple[str, ...], complaint: str
) -> None:
    start = datetime.now(UTC).isoformat()
    with process("--park", str(song_xanh_file), "--start", start, *options) as child:
        _, said = child.communicate(timeout=20)
    assert child.returncode == 2
    assert complaint in said
    assert "Traceback" not in said


def test_a_taken_port_is_reported_in_one_line(song_xanh_file: Path) -> None:
    options = ("--park", str(song_xanh_file), "--start", "2026-11-01T00:00:00+07:00")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process(*options, "--ports", f"gw-east={port}") as child:
            _, said = child.communicate(timeout=60)
    assert child.returncode == 2
    assert said == f"gw-east: cannot listen on 127.0.0.1:{port}; choose a free port, or 0 to have one chosen\n"

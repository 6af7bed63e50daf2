"""Modbus on every kind of line, against pymodbus' own servers: TCP, RTU frames over TCP, and pseudo-terminals."""

import asyncio
import os
import struct
import tty
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.modbus import ModbusLine, lines
from gateway.polling import PolledLine
from metering.meters import Meter, Register
from metering.model import Localized
from metering.park import Gateway
from metering.quantities import Utility
from proving.processes import free_port

GATEWAY = Gateway(id="gw", name=Localized(en="Gw", vi="Gw"))
MINUTE_S = 60.0
Words = dict[int, int]


class Now:
    """A clock that stands still until the test moves it: a line is due when it has moved by an interval."""

    def __init__(self) -> None:
        self.seconds = 1_763_900_000.0

    def __call__(self) -> float:
        return self.seconds


def meter_at(device: int, **block: Any) -> Meter:
    return Meter.model_validate(
        {
            "id": f"m-{device}",
            "name": Localized(en="M", vi="M"),
            "gateway": "gw",
            "utility": Utility.ELECTRICITY,
            "interval_s": 60,
            "rated": 1.0,
            "modbus": {"device": device, "addresses_from": 0, **block},
            "registers": {name: Register() for name in block["registers"]},
        }
    )


def line_of(url: str, now: Now, meters: Sequence[Meter]) -> ModbusLine:
    (line,) = lines(GATEWAY, meters, where=url, clock=now)
    assert isinstance(line, ModbusLine)
    return line


async def read(line: PolledLine, now: Now) -> dict[str, dict[str, float | None]]:
    """What one round brings."""
    now.seconds += MINUTE_S
    return {reading.meter: dict(reading.values) for reading in await line.read()}


def device_of(number: int, words: Words, *, holding: bool = True) -> SimDevice:
    """A device that answers for its own words, to one of the two functions only."""

    async def answer(
        function: int, start: int, address: int, count: int, registers: list[int], _set: object
    ) -> ExcCodes | None:
        if function != (3 if holding else 4):
            return ExcCodes.ILLEGAL_FUNCTION
        if not set(range(address, address + count)) <= words.keys():
            return ExcCodes.ILLEGAL_ADDRESS
        registers[address - start : address - start + count] = [words[address + at] for at in range(count)]
        return None

    first, last = min(words), max(words)
    block = SimData(first, values=0, count=last - first + 1, datatype=DataType.REGISTERS)
    return SimDevice(number, [block], action=answer)


@asynccontextmanager
async def served(devices: Iterable[SimDevice], *, rtu: bool = False) -> AsyncIterator[str]:
    port, framer = free_port(), FramerType.RTU if rtu else FramerType.SOCKET
    server = ModbusTcpServer(list(devices), framer=framer, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield f"modbus{'-rtu' if rtu else ''}://127.0.0.1:{port}?timeout=0.5"
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped


@asynccontextmanager
async def serial_pair() -> AsyncIterator[tuple[str, str]]:
    """Two serial ports that are wired to each other."""
    loop = asyncio.get_running_loop()
    pairs = [os.openpty(), os.openpty()]
    masters = [master for master, _ in pairs]
    for _, slave in pairs:
        tty.setraw(slave)

    def carry(source: int, target: int) -> None:
        os.write(target, os.read(source, 4096))

    for own, other in (masters, masters[::-1]):
        loop.add_reader(own, carry, own, other)
    try:
        yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    finally:
        for pair in pairs:
            loop.remove_reader(pair[0])
            for handle in pair:
                os.close(handle)


def numbers(order: str) -> tuple[dict[str, dict[str, Any]], Words, dict[str, float]]:
    """Registers of all sizes at one order, the words that hold them, and their values."""
    chosen = {
        "power_factor": ("int16", "h", -875, 0.001),
        "power_kw": ("float32", "f", 230.5, 1.0),
        "energy_kwh": ("uint64", "Q", 48_211_290, 0.001),
        "reactive_kvarh": ("uint32", "I", 404_046, 0.1),
    }
    places: dict[str, dict[str, Any]] = {}
    words: Words = {}
    at = 100
    for name, (kind, code, raw, scale) in chosen.items():
        data = struct.pack(f">{code}", raw)
        pairs = [data[place : place + 2] for place in range(0, len(data), 2)]
        if order in {"CDAB", "DCBA"}:
            pairs.reverse()
        if order in {"BADC", "DCBA"}:
            pairs = [pair[::-1] for pair in pairs]
        places[name] = {"address": at, "type": kind, "scale": scale}
        words |= {at + place: int.from_bytes(pair) for place, pair in enumerate(pairs)}
        at += len(pairs)
    values = {"power_factor": -0.875, "power_kw": 230.5, "energy_kwh": 48_211.29, "reactive_kvarh": 40_404.6}
    return places, words, values


@pytest.mark.parametrize("rtu", [False, True], ids=["tcp", "rtu-over-tcp"])
async def test_every_order_is_read_with_both_functions(*, rtu: bool) -> None:
    orders = ("ABCD", "CDAB", "BADC", "DCBA")
    meters, devices, expected = [], [], {}
    for number, (order, function) in enumerate(((order, function) for order in orders for function in (3, 4)), start=1):
        places, words, values = numbers(order)
        meters.append(meter_at(number, order=order, function=function, registers=places))
        devices.append(device_of(number, words, holding=function == 3))
        expected[f"m-{number}"] = values
    now = Now()
    async with served(devices, rtu=rtu) as url:
        line = line_of(url, now, meters)
        assert await read(line, now) == expected
        assert line.bad_values == 0
        line.close()


async def test_a_serial_line_is_read() -> None:
    places, words, values = numbers("CDAB")
    now = Now()
    async with AsyncExitStack() as stack:
        ours, theirs = await stack.enter_async_context(serial_pair())
        server = ModbusSerialServer([device_of(7, words)], framer=FramerType.RTU, port=theirs, baudrate=19_200)
        await server.serve_forever(background=True)
        stack.push_async_callback(server.shutdown)
        meter = meter_at(7, order="CDAB", registers=places)
        line = line_of(f"modbus-rtu://{ours}?baud=19200&parity=none&timeout=2", now, [meter])
        assert await read(line, now) == {"m-7": values}
        line.close()


async def test_the_scale_factor_may_change_from_one_round_to_the_next() -> None:
    words = {14: 1234, 15: 0}
    meter = meter_at(1, registers={"power_kw": {"address": 14, "type": "int16", "exponent": 15, "scale": 0.001}})
    now, found = Now(), []
    async with served([device_of(1, words)]) as url:
        line = line_of(url, now, [meter])
        for exponent in (0, 1, 0xFFFF):
            words[15] = exponent
            found.append((await read(line, now))["m-1"]["power_kw"])
        line.close()
    assert found == [1.234, 12.34, 0.1234]


async def test_unavailable_values_are_counted_and_named(caplog: pytest.LogCaptureFixture) -> None:
    places, words, values = numbers("ABCD")
    words[100] = 0x8000
    now = Now()
    async with served([device_of(1, words)]) as url:
        line = line_of(url, now, [meter_at(1, registers=places)])
        assert await read(line, now) == {
            "m-1": {name: value for name, value in values.items() if name != "power_factor"}
        }
        line.close()
    assert line.bad_values == 1
    assert "m-1 power_factor: 0x8000 says that there is no value" in caplog.text


@pytest.mark.parametrize("rtu", [False, True], ids=["tcp", "rtu-over-tcp"])
async def test_an_answer_from_another_device_is_discarded(caplog: pytest.LogCaptureFixture, *, rtu: bool) -> None:
    async def impostor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers every request as device 9, with the words that were asked for."""
        while data := await reader.read(300):
            body = bytes([9, 3, 2, 0x12, 0x34])
            frame = body + crc(body) if rtu else data[:4] + struct.pack(">H", len(body)) + body
            writer.write(frame)
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    server = await asyncio.start_server(impostor, "127.0.0.1", 0)
    port, now = server.sockets[0].getsockname()[1], Now()
    places = {"power_kw": {"address": 0, "type": "uint16"}}
    line = line_of(
        f"modbus{'-rtu' if rtu else ''}://127.0.0.1:{port}?timeout=0.2", now, [meter_at(4, registers=places)]
    )
    async with server:
        assert await read(line, now) == {}
        line.close()
        await left.wait()
    assert "device 4 on" in caplog.text
    assert "device 9 answers in its place" in caplog.text
    assert line.bad_values == 1


def crc(data: bytes) -> bytes:
    """The check of an RTU frame, low byte first."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


async def test_a_sunspec_model_is_found_wherever_it_starts() -> None:
    base = 50_000
    words: Words = dict.fromkeys(range(base, base + 150), 0)
    words |= {base: 0x5375, base + 1: 0x6E53, base + 2: 1, base + 3: 66}
    start = base + 2 + 2 + 66
    words |= {start: 103, start + 1: 50, start + 52: 0xFFFF}
    words |= {start + 14: 52_340, start + 15: 0xFFFF, start + 24: 0x0001, start + 25: 0x86A1, start + 26: 1}
    words[start + 14] = 5_234
    places = {
        "power_kw": {"address": 14, "type": "int16", "exponent": 15, "scale": 0.001},
        "energy_kwh": {"address": 24, "type": "uint32", "exponent": 26, "scale": 0.001, "unavailable": [0]},
    }
    meter = meter_at(1, addresses_from=None, sunspec=[101, 102, 103], registers=places)
    now = Now()
    async with served([device_of(1, words)]) as url:
        line = line_of(url, now, [meter])
        assert await read(line, now) == {"m-1": {"power_kw": 0.5234, "energy_kwh": 1000.01}}
        line.close()


async def test_a_device_without_the_sunspec_model_is_named(caplog: pytest.LogCaptureFixture) -> None:
    words = {40_000: 0x5375, 40_001: 0x6E53, 40_002: 203, 40_003: 2, 40_004: 0, 40_005: 0, 40_006: 0xFFFF, 40_007: 0}
    meter = meter_at(1, sunspec=[103], registers={"power_kw": {"address": 14, "type": "int16", "exponent": 15}})
    now = Now()
    async with served([device_of(1, words)]) as url:
        line = line_of(url, now, [meter])
        assert await read(line, now) == {}
        line.close()
    assert "has the models 203, none of 103" in caplog.text


@pytest.mark.parametrize("block", [{}, {"sunspec": [103]}], ids=["plain", "sunspec"])
async def test_a_device_that_is_silent_is_due_again_in_the_next_round_and_not_before(block: dict[str, Any]) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(300):
            pass
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    now, places = Now(), {"power_kw": {"address": 14, "type": "int16"}}
    url = f"modbus://127.0.0.1:{server.sockets[0].getsockname()[1]}?timeout=0.1"
    line = line_of(url, now, [meter_at(1, registers=places, **block)])
    async with server:
        for _ in range(3):  # in its pause, too
            assert await read(line, now) == {}
            assert now.seconds < line.next_round() <= now.seconds + MINUTE_S
        line.close()
        await left.wait()
    assert line.bad_values >= 1


async def test_a_device_that_did_not_answer_is_asked_last() -> None:
    asked: list[int] = []

    def logged(number: int) -> SimDevice:
        async def answer(*_: object) -> None:
            asked.append(number)
            if number == 1:
                await asyncio.sleep(0.3)

        return SimDevice(number, [SimData(0, values=5, datatype=DataType.REGISTERS)], action=answer)

    now, places = Now(), {"power_kw": {"address": 0, "type": "uint16"}}
    async with served([logged(1), logged(2)]) as url:
        line = line_of(url.replace("0.5", "0.2"), now, [meter_at(1, registers=places), meter_at(2, registers=places)])
        async with asyncio.timeout(30):
            await read(line, now)
            assert asked == [1, 2]
            asked.clear()
            while 1 not in asked:  # after a pause
                asked.clear()
                assert await read(line, now) == {"m-2": {"power_kw": 5.0}}
        line.close()
    assert asked == [2, 1]

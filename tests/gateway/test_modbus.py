"""The Modbus driver against a real pymodbus server, and what registers mean."""

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.drivers import lines_of
from gateway.modbusmap import MAX_WORDS, Map, decode, plan
from gateway.polling import PolledLine, Polling
from metering.errors import OperatorError
from metering.meters import Belonging, Instrument, Meter, Register
from metering.model import Localized
from metering.park import Park
from metering.quantities import Utility
from proving.processes import free_port
from wire.messages import Reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Until = Callable[..., Awaitable[None]]


def meter(name: str, device: int = 1, line: str | None = None, interval_s: int = 1, **registers: object) -> Meter:
    places = registers or {"energy_kwh": {"address": 10, "type": "uint32", "scale": 0.001}}
    where = {} if line is None else {"line": line}
    return Meter(
        id=name,
        name=Localized(en=name, vi=name),
        gateway="gw",
        utility=Utility.ELECTRICITY,
        interval_s=interval_s,
        rated=1.0,
        modbus={"device": device, "addresses_from": 0, "registers": places, **where},
        belongs=(Belonging(),),
        instruments=(Instrument(registers={quantity: Register() for quantity in places}),),
    )


def lines(*meters: Meter, line: str | None) -> list[PolledLine]:
    park = Park.model_validate(
        {
            "park": {"id": "p", "name": {"en": "P", "vi": "P"}, "timezone": "Asia/Ho_Chi_Minh"},
            "gateways": [{"id": "gw", "name": {"en": "Gw", "vi": "Gw"}}],
            "meters": meters,
        }
    )
    return lines_of(park, park.gateways[0], {} if line is None else {"modbus": line}, time.time)


@dataclass
class Plant:
    """A Modbus server of devices with 200 registers; it notes each request with the connection that it came by."""

    port: int
    devices: tuple[int, ...] = (1,)
    dead: set[int] = field(default_factory=set)
    wrong: set[int] = field(default_factory=set)
    hanging: set[int] = field(default_factory=set)
    words: dict[int, int] = field(default_factory=dict)
    requests: list[tuple[int, int, int]] = field(default_factory=list)
    connections: int = 0
    server: ModbusTcpServer | None = None

    @property
    def line(self) -> str:
        return f"modbus://127.0.0.1:{self.port}?timeout=0.3"

    async def start(self) -> None:
        devices = [self._device(number) for number in self.devices]
        self.server = ModbusTcpServer(devices, address=("127.0.0.1", self.port), trace_connect=self._connection)
        await self.server.serve_forever(background=True)

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped
            self.server = None

    def _connection(self, opened: bool) -> None:
        self.connections += opened

    def _device(self, number: int) -> SimDevice:
        async def answer(
            _function: int, _start: int, address: int, _count: int, registers: list[int], _set: object
        ) -> ExcCodes | None:
            self.requests.append((number, address, self.connections))
            if number in self.dead:
                await asyncio.sleep(1.5)
            if address in self.hanging:
                await asyncio.sleep(1.5)
            if address in self.wrong:
                return ExcCodes.ILLEGAL_ADDRESS
            for place, value in self.words.items():
                registers[place] = value
            return None

        return SimDevice(number, [SimData(0, values=0, count=200, datatype=DataType.REGISTERS)], action=answer)


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    made = Plant(free_port())
    yield made
    await made.stop()


@asynccontextmanager
async def polled(*meters: Meter, line: str | None = None, abandon: bool = False) -> AsyncIterator[list[list[Reading]]]:
    """What the source has yielded so far; `abandon`: do not wait for its end."""
    stop = asyncio.Event()
    batches: list[list[Reading]] = []

    async def take(source: Polling) -> None:
        async for batch in source:
            batches.append(batch)  # noqa: PERF401 - the test looks on while it grows

    async with Polling(lines(*meters, line=line), clock=time.time, stop=stop) as source:
        task = asyncio.create_task(take(source))
        yield batches
        stop.set()
        if abandon:
            task.cancel()
            return
        async with asyncio.timeout(2):
            await task


async def test_meters_of_all_hosts_are_read_on_the_second_and_travel_together(plant: Plant, until: "Until") -> None:
    plant.devices = (1, 2)
    plant.words = {10: 0x0001, 11: 0x86A1}
    await plant.start()
    meters = (meter("m-1", 1), meter("m-2", 2), meter("m-3", 1, line=f"modbus://localhost:{plant.port}"))
    async with polled(*meters, line=plant.line) as batches:
        await until(lambda: len(batches) >= 2)
    for batch in batches[:2]:
        assert sorted(one.meter for one in batch) == ["m-1", "m-2", "m-3"]
        assert all(one.values == {"energy_kwh": 100.001} for one in batch)
        assert all(one.ms % 1000 < 500 for one in batch)
    assert batches[1][0].ms - batches[0][0].ms == pytest.approx(1000, abs=300)
    assert plant.connections == 2


async def test_a_device_that_does_not_answer_stops_no_other(plant: Plant, until: "Until") -> None:
    plant.devices = (1, 2, 3)
    plant.dead = {1}
    await plant.start()
    async with polled(*[meter(f"m-{number}", number) for number in plant.devices], line=plant.line) as batches:
        await until(lambda: len(batches) >= 3)
        assert {one.meter for batch in batches for one in batch} == {"m-2", "m-3"}
        assert batches[-1][0].ms - batches[0][0].ms < (len(batches) - 1) * 1000 + 500
        plant.dead = set()
        await until(lambda: any(one.meter == "m-1" for batch in batches for one in batch))


async def test_one_block_with_an_error_or_without_an_answer_hides_no_other(plant: Plant, until: "Until") -> None:
    """Field case 25: registers 0 to 3 answer, 50 has an exception, 20 hangs; another device is on the line."""
    plant.devices = (1, 2)
    plant.wrong = {50}
    plant.hanging = {20}
    await plant.start()
    registers = {
        "energy_kwh": {"address": 0, "type": "uint32"},
        "power_kw": {"address": 50, "type": "uint16"},
        "current_a": {"address": 20, "type": "uint16"},
        "voltage_v": {"address": 90, "type": "uint16"},
    }
    meters = (meter("m-1", 1, None, 1, **registers), meter("m-2", 2))
    async with polled(*meters, line=plant.line) as batches:
        await until(lambda: len(batches) >= 3)
    read = [{one.meter: set(one.values) for one in batch} for batch in batches[:3]]
    assert read == [{"m-1": {"energy_kwh", "voltage_v"}, "m-2": {"energy_kwh"}}] * 3
    hung = [connection for _, address, connection in plant.requests if address == 20]
    for connection in hung:
        assert [address for _, address, by in plant.requests if by == connection][-1] == 20


async def test_a_slow_line_delays_no_other(plant: Plant, until: "Until") -> None:
    """A device that never answers holds its own line for the whole test."""
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(300):
            asked.set()
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    await plant.start()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    slow = f"modbus://127.0.0.1:{server.sockets[0].getsockname()[1]}?timeout=60"
    async with server:
        async with polled(meter("m-1"), meter("m-2", line=slow), line=plant.line, abandon=True) as batches:
            await until(lambda: len(batches) >= 3)
        assert asked.is_set()
        await left.wait()
    assert {one.meter for batch in batches for one in batch} == {"m-1"}


async def test_a_host_is_not_asked_again_before_its_readings_are_safe(plant: Plant, until: "Until") -> None:
    await plant.start()
    stop = asyncio.Event()
    async with Polling(lines(meter("m-1"), line=plant.line), clock=time.time, stop=stop) as source:
        await anext(source)
        with suppress(TimeoutError):
            await until(lambda: len(plant.requests) > 1, 1.5)
        assert len(plant.requests) == 1
        await anext(source)
        assert len(plant.requests) == 2
        stop.set()
        with pytest.raises(StopAsyncIteration):
            await anext(source)


async def test_a_host_that_comes_back_is_read_again(plant: Plant, until: "Until") -> None:
    async with polled(meter("m-1"), line=plant.line) as batches:
        await asyncio.sleep(0)
        await plant.start()
        await until(lambda: bool(batches))
        await plant.stop()
        seen = len(batches)
        await plant.start()
        await until(lambda: len(batches) > seen)


async def test_a_meter_with_a_longer_interval_is_read_less_often(plant: Plant, until: "Until") -> None:
    await plant.start()
    meters = (meter("m-1"), meter("m-2", interval_s=2))
    async with polled(*meters, line=plant.line) as batches:
        await until(lambda: sum(one.meter == "m-2" for batch in batches for one in batch) == 2)
    rounds = [one.ms // 1000 for batch in batches for one in batch if one.meter == "m-2"]
    assert [at % 2 for at in rounds] == [0, 0]
    assert rounds[1] - rounds[0] == 2


def test_a_meter_without_a_host_is_reported_to_the_operator() -> None:
    with pytest.raises(OperatorError, match="m-1 names no Modbus line"):
        lines(meter("m-1"), line=None)


_TYPES = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "uint64": "Q", "int64": "q", "float32": "f"}


@given(
    st.dictionaries(
        st.integers(0, 1_000),
        st.tuples(st.sampled_from(sorted(_TYPES)), st.binary(min_size=8, max_size=8)),
        min_size=1,
        max_size=60,
    )
)
def test_few_requests_cover_every_register_and_nothing_else(chosen: dict[int, tuple[str, bytes]]) -> None:
    registers = {
        f"q{address}": {"address": address, "type": kind, "unavailable": []} for address, (kind, _) in chosen.items()
    }
    memory: dict[int, int] = {}
    sizes = {address: struct.calcsize(_TYPES[kind]) // 2 for address, (kind, _) in chosen.items()}
    for address, (_, data) in chosen.items():
        for place in range(sizes[address]):
            memory[address + place] = int.from_bytes(data[2 * place : 2 * place + 2])
    requests = plan({"m": Map.model_validate({"addresses_from": 0, "registers": registers})})
    asked = [place for request in requests for place in range(request.address, request.address + request.words)]
    assert set(asked) == set(memory)
    assert all(request.words <= MAX_WORDS for request in requests)
    found: dict[str, float] = {}
    for request in requests:
        words = [memory[place] for place in range(request.address, request.address + request.words)]
        found |= decode(request, words).values.get("m", {})
    for address, (kind, _) in chosen.items():
        data = b"".join(memory[address + place].to_bytes(2) for place in range(sizes[address]))
        value = struct.unpack(f">{_TYPES[kind]}", data)[0]
        assert found.get(f"q{address}") == (float(value) if math.isfinite(value) else None)


def test_a_decimal_scale_gives_the_decimal_number() -> None:
    chart = {"addresses_from": 0, "registers": {"energy_kwh": {"address": 0, "type": "uint32", "scale": 0.001}}}
    (request,) = plan({"m": Map.model_validate(chart)})
    assert decode(request, [0x02DF, 0xA2D3]).values == {"m": {"energy_kwh": 48210.643}}

"""M-Bus: records of telegrams that real meters send, and a bus with several meters behind a TCP converter and a pty."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.mbus import MbusMeterBlock, lines
from gateway.mbusmap import Answer, NoAnswerError, RecordMap, understood, value_of
from gateway.polling import PolledLine
from gateway.sources import faults
from metering.meterlibrary import library_model
from metering.meters import Meter, Register
from metering.model import Localized
from metering.park import Gateway
from metering.parkfile import ParkFileError, load_park
from metering.quantities import UTILITIES, Utility

CASES = Path(__file__).parents[1] / "cases" / "mbus"


def telegram(name: str) -> bytes:
    """A telegram of tests/cases/mbus."""
    lines = (CASES / f"{name}.hex").read_text(encoding="utf-8").splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


EXAMPLE, HEAT, WATER, GAS = map(telegram, ("example", "kamstrup-multical-601", "siemens-water", "itron-gas"))
GATEWAY = Gateway(id="gw", name=Localized(en="Gw", vi="Gw"))


def readdressed(data: bytes, primary: int) -> bytes:
    """The same telegram from a meter with another primary address."""
    body = bytearray(data)
    body[-2] = (body[-2] - body[5] + primary) % 256
    body[5] = primary
    return bytes(body)


def with_data(identification: str, records: str) -> bytes:
    """A telegram of a water meter with an identification number and records."""
    body = bytes.fromhex("080572") + bytes.fromhex(identification)[::-1] + bytes.fromhex("2440010755000000")
    body += bytes.fromhex(records)
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])


def value(answer: Answer, **wanted: Any) -> float | None:
    return value_of(answer, RecordMap.model_validate(wanted))[0]


def test_the_standards_example_means_what_it_says() -> None:
    answer = understood([EXAMPLE])
    assert (answer.secondary[:8], answer.manufacturer) == ("12345678", "PAD")
    assert value(answer, kind="volume") == 12.565
    assert value(answer, kind="volume_flow", function="maximum", storage=5) == 0.113
    assert value(answer, kind="energy", tariff=2, unit=1) == 218.37
    assert value(answer, kind="energy") is None


@pytest.mark.parametrize(
    ("sent", "profile", "expected"),
    [
        (
            HEAT,
            "mbus-chilled-water",
            {"energy_kwh": 37_351.0, "volume_m3": 561.08, "supply_c": 101.69, "return_c": 46.16},
        ),
        (WATER, "mbus-water", {"volume_m3": 0.101, "flow_m3h": 0.0}),
        (GAS, "mbus-gas", {"volume_nm3": 0.26}),
    ],
)
def test_telegrams_of_real_meters_become_quantities(sent: bytes, profile: str, expected: dict[str, float]) -> None:
    answer = understood([sent])
    records = library_model(profile)["mbus"]["registers"]
    assert {name: value(answer, **record) for name, record in records.items()} == expected


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ("0C13FFFFFFFF", "0xFFFFFFFF says that there is no value"),
        ("0C130000A012", "0x12A00000 says that there is no value"),
        ("041300000080", "0x80000000 says that there is no value"),
        ("05130000C07F", "0x7FC00000 says that there is no value"),
        ("0213150004130100000000", "2 records are volume with these codes"),
        ("023B1500", "no records are volume with these codes"),
        ("8413", "no records are volume with these codes"),
    ],
)
def test_a_record_without_a_value_has_a_reason(records: str, why: str) -> None:
    try:
        answer = understood([with_data("11111111", records)])
    except NoAnswerError as error:
        assert "cannot be read" in str(error)  # noqa: PT017 (a telegram that ends too early may be none at all)
    else:
        assert value_of(answer, RecordMap(kind="volume")) == (None, why)


def test_a_negative_number_of_digits_is_negative() -> None:
    assert value(understood([with_data("11111111", "0B3B5634F2")]), kind="volume_flow") == -23.456


@dataclass
class Bus:
    """A bus with meters by primary address and by identification number; `log` has the frames that were sent to it."""

    primary: dict[int, list[bytes]] = field(default_factory=dict)
    secondary: dict[str, list[bytes]] = field(default_factory=dict)
    selected: list[bytes] | None = None
    log: list[bytes] = field(default_factory=list)
    toggled: dict[int, int] = field(default_factory=dict)

    def answer(self, frame: bytes) -> bytes:
        self.log.append(frame)
        if frame[0] == 0x68:
            wanted = frame[7:11][::-1].hex().upper()
            self.selected = self.secondary.get(wanted)
            return b"\xe5" if self.selected else b""
        control, address = frame[1], frame[2]
        meter = self.selected if address == 253 else self.primary.get(address)
        if meter is None:
            return b""
        if control == 0x40:
            self.toggled[address] = 0
            return b"\xe5"
        part = self.toggled.get(address, 0)
        self.toggled[address] = part + 1
        return meter[part % len(meter)]

    def take(self, waiting: bytearray) -> bytes:
        """Answers to what came in whole; the rest stays."""
        answers = b""
        while waiting:
            length = waiting[1] + 6 if waiting[0] == 0x68 and len(waiting) > 1 else 5
            if len(waiting) < length:
                break
            answers += self.answer(bytes(waiting[:length]))
            del waiting[:length]
        return answers


@pytest.fixture
async def bus() -> AsyncIterator[tuple[Bus, str]]:
    made, left = Bus(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = bytearray()
        while data := await reader.read(300):
            waiting += data
            writer.write(made.take(waiting))
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield made, f"mbus://127.0.0.1:{server.sockets[0].getsockname()[1]}?timeout=0.3"
        await left.wait()


class Now:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1_763_900_000.0

    def __call__(self) -> float:
        return self.seconds


def meter_at(name: str, address: int | str, registers: dict[str, dict[str, Any]]) -> Meter:
    return Meter.model_validate(
        {
            "id": name,
            "name": Localized(en="M", vi="M"),
            "gateway": "gw",
            "utility": Utility.WATER,
            "interval_s": 900,
            "rated": 1.0,
            "mbus": {"address": address, "registers": registers},
            "registers": {quantity: Register() for quantity in registers},
        }
    )


async def read(line: PolledLine, now: Now) -> dict[str, dict[str, float | None]]:
    now.seconds += 900
    return {reading.meter: dict(reading.values) for reading in await line.read()}


VOLUME: dict[str, dict[str, Any]] = {"volume_m3": {"kind": "volume"}}


async def test_meters_are_read_by_both_kinds_of_address(bus: tuple[Bus, str]) -> None:
    served, url = bus
    served.primary[5] = [readdressed(EXAMPLE, 5)]
    served.secondary["08021382"] = [WATER]
    now = Now()
    meters = [meter_at("wm-1", 5, VOLUME), meter_at("wm-2", "08021382", VOLUME)]
    (line,) = lines(GATEWAY, meters, where=url, clock=now)
    for _ in range(2):
        assert await read(line, now) == {"wm-1": {"volume_m3": 12.565}, "wm-2": {"volume_m3": 0.101}}
    assert line.bad_values == 0
    line.close()


async def test_an_answer_of_several_telegrams_is_read_whole(bus: tuple[Bus, str]) -> None:
    served, url = bus
    served.primary[5] = [with_data("12345678", "0413150000001F"), with_data("12345678", "023B1500")]
    now = Now()
    meter = meter_at("wm-1", 5, {**VOLUME, "flow_m3h": {"kind": "volume_flow"}})
    (line,) = lines(GATEWAY, [meter], where=url, clock=now)
    assert await read(line, now) == {"wm-1": {"volume_m3": 0.021, "flow_m3h": 0.021}}
    controls = [frame[1] for frame in served.log if frame[0] == 0x10]
    assert controls == [0x40, 0x7B, 0x5B]
    line.close()


async def test_a_meter_that_is_silent_or_another_costs_no_other(
    bus: tuple[Bus, str], caplog: pytest.LogCaptureFixture
) -> None:
    served, url = bus
    served.primary[5] = [readdressed(EXAMPLE, 5)]
    served.primary[6] = [readdressed(EXAMPLE, 9)]
    now = Now()
    meters = [meter_at("wm-3", 7, VOLUME), meter_at("wm-2", 6, VOLUME), meter_at("wm-1", 5, VOLUME)]
    (line,) = lines(GATEWAY, meters, where=url, clock=now)
    assert await read(line, now) == {"wm-1": {"volume_m3": 12.565}}
    assert line.bad_values == 2
    line.close()
    assert "(wm-3): does not answer within 0.3 s" in caplog.text
    assert "(wm-2): a meter with the address 9 answers in its place" in caplog.text


@asynccontextmanager
async def on_a_serial_port(bus: Bus) -> AsyncIterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    waiting = bytearray()

    def come() -> None:
        waiting.extend(os.read(master, 300))
        os.write(master, bus.take(waiting))

    asyncio.get_running_loop().add_reader(master, come)
    try:
        yield f"mbus://{os.ttyname(slave)}?baud=2400&timeout=0.5"
    finally:
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
        os.close(slave)


async def test_a_bus_on_a_serial_port_is_read() -> None:
    served, now = Bus(primary={5: [readdressed(EXAMPLE, 5)]}), Now()
    async with on_a_serial_port(served) as url:
        (line,) = lines(GATEWAY, [meter_at("wm-1", 5, VOLUME)], where=url, clock=now)
        assert await read(line, now) == {"wm-1": {"volume_m3": 12.565}}
        line.close()


@pytest.mark.parametrize(("written", "meant"), [(5, "5"), ("005", "5"), ("12345678", "12345678FFFFFFFF")])
def test_an_address_is_primary_or_secondary(written: int | str, meant: str) -> None:
    assert MbusMeterBlock.model_validate({"address": written}).address == meant


def test_faults_of_a_block_are_told_in_words(tmp_path: Path) -> None:
    gas = UTILITIES[Utility.NATURAL_GAS].counter
    meter = {"id": "g", "name": {"en": "G", "vi": "G"}, "gateway": "gw", "utility": "natural_gas", "interval_s": 60}
    meter |= {"rated": 10, "mbus": {"address": 12345678, "registers": {gas: {"kind": "volume"}}}}
    other = {**meter, "id": "h", "mbus": {"address": 3, "registers": {gas: {"kind": "volume"}}}}
    gateways = [{"id": "gw", "name": {"en": "Gw", "vi": "Gw"}, "mbus": {"line": "mbus://10.0.0.1"}}]
    park = {"park": {"id": "p", "name": {"en": "P", "vi": "P"}, "timezone": "Asia/Ho_Chi_Minh"}}
    file = tmp_path / "park.yaml"
    file.write_text(yaml.safe_dump({**park, "gateways": gateways, "meters": [meter, other]}), encoding="utf-8")
    with pytest.raises(ParkFileError) as caught:
        load_park(file, [faults])
    assert [(fault.key, fault.right) for fault in caught.value.faults] == [
        (
            "gateways[gw].mbus.line",
            "the port is missing; write mbus://10.0.0.9:10001 or mbus:///dev/ttyUSB1?baud=2400",
        ),
        (
            "meters[g].mbus.address",
            'must be a primary address (0 to 250), or in quotes the 8 digits on the meter: "12345678"',
        ),
        ("meters[h].mbus.registers.volume_nm3", "volume comes in m³, not in Nm³: give scale"),
    ]

"""M-Bus: records of real meters' telegrams, and a bus with several meters behind a TCP converter and a pty."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.drivers import faults
from gateway.mbus import MbusMeterBlock, lines
from gateway.mbusmap import Answer, NoAnswerError, RecordMap, understood, value_of
from gateway.modbusmap import NoMeasurementError
from gateway.polling import PolledLine
from metering.meterlibrary import library_model
from metering.meters import Meter, Register
from metering.model import Localized
from metering.park import Gateway
from metering.parkfile import ParkFileError, load_park
from metering.quantities import UTILITIES, Utility
from tests.gateway.bus import EXAMPLE, GAS, HEAT, WATER, Bus, behind_tcp, on_a_serial_port, readdressed, with_data

GATEWAY = Gateway(id="gw", name=Localized(en="Gw", vi="Gw"))


def value(answer: Answer, **wanted: Any) -> float:
    return value_of(answer, RecordMap.model_validate(wanted))


def test_the_standards_example_means_what_it_says() -> None:
    answer = understood([EXAMPLE])
    assert (answer.secondary[:8], answer.manufacturer) == ("12345678", "PAD")
    assert value(answer, kind="volume") == 12.565
    assert value(answer, kind="volume_flow", function="maximum", storage=5) == 0.113
    assert value(answer, kind="energy", tariff=2, unit=1) == 218.37
    with pytest.raises(NoMeasurementError):
        value(answer, kind="energy")


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
        with pytest.raises(NoMeasurementError, match=re.escape(why)):
            value_of(answer, RecordMap(kind="volume"))


def test_a_negative_number_of_digits_is_negative() -> None:
    assert value(understood([with_data("11111111", "0B3B5634F2")]), kind="volume_flow") == -23.456


@pytest.fixture
async def bus() -> AsyncIterator[tuple[Bus, str]]:
    made = Bus()
    async with behind_tcp(made) as where:
        yield made, f"{where}?timeout=0.3"


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


async def test_a_bus_on_a_serial_port_is_read() -> None:
    served, now = Bus(primary={5: [readdressed(EXAMPLE, 5)]}), Now()
    async with on_a_serial_port(served) as url:
        (line,) = lines(GATEWAY, [meter_at("wm-1", 5, VOLUME)], where=url, clock=now)
        assert await read(line, now) == {"wm-1": {"volume_m3": 12.565}}
        line.close()


@pytest.mark.parametrize(("written", "meant"), [(5, "5"), ("005", "5"), ("12345678", "12345678FFFFFFFF")])
def test_an_address_is_primary_or_secondary(written: int | str, meant: str) -> None:
    assert MbusMeterBlock.model_validate({"address": written}).address == meant


def test_faults_of_a_block_are_described(tmp_path: Path) -> None:
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

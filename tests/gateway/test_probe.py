"""`ecopark gateway probe`: the values that it shows and its remarks.

The devices are pymodbus' own server, and a bus whose telegrams real M-Bus meters sent.
"""

import asyncio
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.lines import parse_line
from gateway.modbus import BUS
from gateway.modbusmap import Map
from gateway.probe import probe_modbus
from metering.errors import UnavailableError
from proving.processes import free_port
from tests.gateway.bus import GAS, WATER, Bus, behind_tcp, on_a_serial_port, readdressed, with_data

ECOPARK = Path(sys.executable).parent / "ecopark"


async def serve(words: dict[int, int], number: int = 1) -> tuple[ModbusTcpServer, int]:
    port = free_port()
    blocks = [SimData(place, values=word, datatype=DataType.REGISTERS) for place, word in sorted(words.items())]
    server = ModbusTcpServer([SimDevice(number, blocks)], framer=FramerType.SOCKET, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    return server, port


def floats(at: int, *values: float) -> dict[int, int]:
    words = struct.unpack(f">{2 * len(values)}H", struct.pack(f">{len(values)}f", *values))
    return {at + place: word for place, word in enumerate(words)}


async def run(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        ECOPARK, "gateway", "probe", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_register_that_only_makes_sense_with_swapped_words_is_said() -> None:
    server, port = await serve(floats(0, 230.5, 49.98, 812.25))
    places = {name: {"address": at, "type": "float32"} for at, name in ((0, "voltage_v"), (4, "energy_kwh"))}
    places["frequency_hz"] = {"address": 2, "type": "float32", "order": "CDAB"}
    chart = Map.model_validate({"addresses_from": 0, "registers": places})
    found = {
        one.quantity: one for one in await probe_modbus(parse_line(f"modbus://127.0.0.1:{port}", BUS.schemes), 1, chart)
    }
    await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped
    assert (found["voltage_v"].value, found["voltage_v"].remark, found["voltage_v"].raw) == (230.5, "", "4366 8000")
    assert found["energy_kwh"].value == 812.25
    assert found["frequency_hz"].remark.endswith("it would be 49.98 with order: ABCD")


async def test_the_command_shows_a_device_by_a_profile() -> None:
    values = {
        30001 - 30001: 230.5,
        30007 - 30001: 4.0,
        30013 - 30001: 915.0,
        30031 - 30001: 0.99,
        30071 - 30001: 50.0,
        30073 - 30001: 1234.5,
        30077 - 30001: 12.5,
    }
    words: dict[int, int] = {}
    for place, value in values.items():
        words |= floats(place, value)
    server, port = await serve(words, number=5)
    line = f"127.0.0.1:{port}"
    status, out, err = await run(line, "--profile", "eastron-sdm120", "--device", "5", "--json")
    absent = await run(line, "--profile", "eastron-sdm120", "--device", "6")
    await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped
    assert status == 0, err
    found: dict[str, dict[str, Any]] = {one["quantity"]: one for one in json.loads(out)}
    assert found["power_kw"]["value"] == 0.915
    assert found["energy_kwh"] == {
        "quantity": "energy_kwh",
        "place": "30073 (float32, function 04)",
        "raw": "449A 5000",
        "value": 1234.5,
        "unit": "kWh",
        "remark": "",
    }
    assert found["energy_export_kwh"]["value"] is None
    assert "exception 2" in found["energy_export_kwh"]["remark"]
    assert absent[0] == 1
    assert "device 6 on" in absent[2]


@pytest.mark.parametrize("device", ["5", "08021382"])
async def test_an_mbus_meter_behind_a_converter_is_shown_by_either_address(device: str) -> None:
    bus = Bus(primary={5: [readdressed(WATER, 5)]}, secondary={"08021382": [WATER]})
    async with behind_tcp(bus) as line:
        status, out, err = await run(line, "--profile", "mbus-water", "--device", device, "--json")
    assert status == 0, err
    assert json.loads(out) == [
        {
            "quantity": "volume_m3",
            "place": "volume",
            "raw": "{kind: volume}",
            "value": 0.101,
            "unit": "m³",
            "remark": "",
        },
        {
            "quantity": "flow_m3h",
            "place": "volume_flow",
            "raw": "{kind: volume_flow}",
            "value": 0.0,
            "unit": "m³/h",
            "remark": "",
        },
    ]


async def test_an_mbus_meter_on_a_serial_port_is_shown_with_all_that_it_says(tmp_path: Path) -> None:
    profile = tmp_path / "own.yaml"
    profile.write_text("mbus: {registers: {volume_m3: {kind: volume, storage: 9}, pressure_bar: {kind: pressure}}}")
    far_too_much = with_data("12345678", "041300000001026B0F27")  # 16777 m3, 9999 bar
    bus = Bus(primary={3: [readdressed(far_too_much, 3)]})
    async with on_a_serial_port(bus) as line:
        status, out, err = await run(line, "--profile", str(profile), "--device", "3", "--json")
    assert status == 0, err
    async with on_a_serial_port(bus) as line:
        shown = await run(line, "--profile", str(profile), "--device", "3")
    volume, pressure = json.loads(out)
    assert (volume["value"], volume["remark"]) == (None, "no records are volume with these codes")
    assert (pressure["value"], pressure["remark"]) == (9999.0, "is not what this quantity usually is")
    assert "secondary address 12345678" in shown[1], shown
    assert "{kind: volume}: 16777.216" in shown[1]


@pytest.mark.parametrize(
    ("bus", "device", "says"),
    [
        (Bus(), "7", "M-Bus 7 on"),
        (Bus(), "08021382", "no meter answers to 08021382FFFFFFFF"),
        (Bus(primary={6: [readdressed(GAS, 9)]}), "6", "a meter with the address 9 answers in its place"),
        (Bus(primary={6: [b"\x68\x03\x03\x68\x08\x06\x72\x00\x16"]}), "6", "its answer is damaged"),
    ],
)
async def test_a_silent_mbus_meter_is_reported_as_unavailable(bus: Bus, device: str, says: str) -> None:
    async with behind_tcp(bus) as line:
        status, _, err = await run(f"{line}?timeout=0.5", "--profile", "mbus-water", "--device", device)
    assert (status, says in err) == (1, True), err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("10.0.0.7", "--profile", "eastron", "--device", "1"), "no such profile or file; there are abb-b23"),
        (("10.0.0.7", "--profile", "abb-b23", "--device", "five"), "a number from 0 to 255"),
        (("10.0.0.7", "--profile", "mbus-water", "--device", "1"), "has no block modbus"),
        (("mbus://10.0.0.7:1", "--profile", "mbus-water", "--device", "999"), "must be a primary address"),
        (("modbus-rtu:///dev/ttyX?baud=9600", "--profile", "abb-b23", "--device", "1"), "parity: field required"),
    ],
)
async def test_wrong_options_are_reported_in_one_line(arguments: tuple[str, ...], says: str) -> None:
    status, _, err = await run(*arguments)
    assert status == 2
    assert says in err


@pytest.mark.parametrize(("scheme", "profile"), [("mbus", "mbus-water"), ("modbus-rtu", "abb-b23")])
async def test_a_port_that_cannot_be_set_is_a_line_that_cannot_be_connected(scheme: str, profile: str) -> None:
    master, slave = os.openpty()
    line = f"{scheme}://{os.ttyname(slave)}?baud=9600&timeout=0.2" + ("&parity=even" if scheme != "mbus" else "")
    said = [await run(line, "--profile", profile, "--device", "1") for _ in range(2)]
    os.close(master)
    os.close(slave)
    # A pseudo-terminal has no parity bit: the second time nothing of what is asked for can be set, which is an error.
    assert [status for status, *_ in said] == [1, 1]
    assert "cannot be connected" in said[1][2], said


async def test_a_silent_line_is_reported_as_unavailable(tmp_path: Path) -> None:
    profile = tmp_path / "own.yaml"
    profile.write_text("modbus: {addresses_from: 0, registers: {power_kw: {address: 1, type: uint16}}}")
    chart = Map.model_validate({"addresses_from": 0, "registers": {"power_kw": {"address": 1, "type": "uint16"}}})
    port = free_port()
    with pytest.raises(UnavailableError, match="cannot be connected"):
        await probe_modbus(parse_line(f"modbus://127.0.0.1:{port}", BUS.schemes), 1, chart)
    status, _, err = await run(f"127.0.0.1:{port}", "--profile", str(profile), "--device", "1")
    assert (status, "cannot be connected" in err) == (1, True)

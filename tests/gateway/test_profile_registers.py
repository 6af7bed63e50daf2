"""Profiles read a device whose registers follow other public maps of that make."""

from pathlib import Path
from typing import Any

import pytest
import ryaml
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.lines import parse_line
from gateway.modbus import BUS
from gateway.modbusmap import Map
from gateway.probe import probe_modbus
from metering.meterlibrary import library_model, library_names
from proving.processes import free_port

FILE = Path(__file__).parents[1] / "cases" / "profiles" / "registers.yaml"
HOLDING = 3
METERS: dict[str, dict[str, Any]] = ryaml.loads(FILE.read_text(encoding="utf-8"))


def test_every_profile_of_a_make_with_addresses_of_its_own_has_registers_to_compare_with() -> None:
    modbus = {name for name in library_names() if "addresses_from" in library_model(name).get("modbus", {})}
    assert modbus - {"pulse-counter-water"} == METERS.keys()
    assert all(len(meter["registers"]) >= 3 for meter in METERS.values())


@pytest.mark.parametrize("name", METERS)
async def test_a_profile_reads_what_others_read(name: str) -> None:
    meter = METERS[name]
    registers = {int(address): dict(said) for address, said in meter["registers"].items()}
    words = {address: [int(word, 16) for word in said.pop("words").split()] for address, said in registers.items()}
    port = free_port()
    blocks = [
        SimData(address, values=values if len(values) > 1 else values[0], datatype=DataType.REGISTERS)
        for address, values in sorted(words.items())
    ]
    bits, other = [SimData(0, values=False, datatype=DataType.BITS)], [SimData(60_000, values=0)]
    device = SimDevice(1, (bits, bits, *((blocks, other) if meter["function"] == HOLDING else (other, blocks))))
    server = ModbusTcpServer([device], framer=FramerType.SOCKET, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    chart = Map.model_validate(library_model(name)["modbus"])
    found = {
        one.quantity: one for one in await probe_modbus(parse_line(f"modbus://127.0.0.1:{port}", BUS.schemes), 1, chart)
    }
    await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped
    for said in registers.values():
        ((quantity, value),) = said.items()
        assert found[quantity].value == pytest.approx(value, rel=2e-7), (quantity, found[quantity])

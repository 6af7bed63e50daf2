"""The register maps that come with Ecopark: whole, with their sources, and free of faults in a park that uses them."""

import struct
from pathlib import Path

import pytest
import yaml

from gateway.drivers import faults
from gateway.modbus import ModbusMeterBlock
from gateway.modbusmap import decode, plan
from metering.meterlibrary import library_model, library_names
from metering.parkfile import ParkFileError, load_park
from metering.quantities import UTILITIES, Utility

HEAD = {
    "park": {"id": "p", "name": {"en": "P", "vi": "P"}, "timezone": "Asia/Ho_Chi_Minh"},
    "gateways": [
        {
            "id": "gw",
            "name": {"en": "Gw", "vi": "Gw"},
            "modbus": {"line": "modbus-rtu:///dev/ttyS0?baud=9600&parity=none"},
            "mbus": {"line": "mbus:///dev/ttyS1?baud=2400"},
        }
    ],
}


def utility_of(name: str) -> Utility:
    served = set(library_model(name)[driver_of(name)]["registers"])
    return next(utility for utility, spec in UTILITIES.items() if served <= spec.quantities.keys())


def driver_of(name: str) -> str:
    return "modbus" if "modbus" in library_model(name) else "mbus"


def park_with(name: str, folder: Path, **meter: object) -> Path:
    where = {"modbus": {"modbus": {"device": 1}}, "mbus": {"mbus": {"address": 1}}}[driver_of(name)]
    entry = {
        "id": "m",
        "name": {"en": "M", "vi": "M"},
        "gateway": "gw",
        "utility": utility_of(name).value,
        "interval_s": 60,
        "rated": 100,
        "model": name,
        **where,
        **meter,
    }
    file = folder / "park.yaml"
    file.write_text(yaml.safe_dump({**HEAD, "meters": [entry]}), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", library_names())
def test_a_meter_names_a_profile_and_nothing_else(name: str, tmp_path: Path) -> None:
    park = load_park(park_with(name, tmp_path), [faults])
    profile = library_model(name)
    assert profile["source"]
    assert profile["unverified"]
    assert set(park.meter["m"].instruments[-1].registers) == set(profile[driver_of(name)]["registers"])
    assert park.meter["m"].counter in park.meter["m"].instruments[-1].registers


def test_the_makes_that_were_asked_for_are_there() -> None:
    assert set(library_names()) == {
        "abb-b23",
        "acrel-adl400",
        "carlo-gavazzi-em24",
        "carlo-gavazzi-em340",
        "chint-dtsu666",
        "eastron-sdm120",
        "eastron-sdm630",
        "janitza-umg96",
        "mbus-chilled-water",
        "mbus-gas",
        "mbus-water",
        "pulse-counter-water",
        "schneider-iem3000",
        "schneider-pm5000",
        "siemens-pac3200",
        "sunspec-inverter",
        "sunspec-meter",
    }


def test_a_meter_may_leave_a_register_of_its_profile_out_and_change_another(tmp_path: Path) -> None:
    own = {"registers": {"energy_export_kwh": None}, "modbus": {"device": 7, "registers": {"power_kw": {"scale": 0.4}}}}
    meter = load_park(park_with("schneider-pm5000", tmp_path, **own), [faults]).meter["m"]
    block = ModbusMeterBlock.model_validate(meter.modbus)
    assert "energy_export_kwh" not in meter.instruments[-1].registers
    assert "energy_export_kwh" not in block.registers
    assert block.device == 7
    assert (block.registers["power_kw"][0].address, block.registers["power_kw"][0].scale) == (3060, 0.4)


def test_gauges_behind_transformers_are_scaled_where_they_are_read(tmp_path: Path) -> None:
    """Field case 39, as far as the gateway goes: a meter that shows secondary values behind a ratio of 400."""
    own = {"modbus": {"device": 1, "registers": {"power_kw": {"scale": 400.0}}}}
    meter = load_park(park_with("schneider-pm5000", tmp_path, **own), [faults]).meter["m"]
    block = ModbusMeterBlock.model_validate(meter.modbus)
    (request,) = plan({"m": block.model_copy(update={"registers": {"power_kw": block.registers["power_kw"]}})})
    words = struct.unpack(">2H", struct.pack(">f", 0.53))
    assert decode(request, words).values["m"]["power_kw"] == pytest.approx(212.0)


def test_what_the_park_file_says_of_a_counter_must_fit_its_registers(tmp_path: Path) -> None:
    wrong = {"registers": {"energy_kwh": {"resolution": 1.0}, "reactive_kvarh": {"rollover": 1e20}}}
    with pytest.raises(ParkFileError) as caught:
        load_park(park_with("schneider-pm5000", tmp_path, **wrong), [faults])
    said = [fault.right for fault in caught.value.faults]
    assert said == ["is read in steps of 0.001; write resolution: 0.001", "its registers roll over at 9.22337e+15"]

"""What drivers find wrong with their blocks of a park file is reported like any other fault, and once."""

import re
from pathlib import Path

import pytest
import ryaml

from gateway.drivers import faults
from gateway.modbusmap import Map, wrong_in
from metering.meterlibrary import library_names
from metering.parkfile import ParkFileError, load_park

CASES = Path(__file__).parents[1] / "cases" / "drivers"
PAGE = (Path(__file__).parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_case(case: Path) -> None:
    with pytest.raises(ParkFileError) as caught:
        load_park(case / "park.yaml", [faults])
    said = "".join(f"{fault}\n" for fault in caught.value.faults).replace(f"{case}/", "")
    assert said == (case / "faults.txt").read_text(encoding="utf-8")


def test_services_do_not_judge_what_only_a_driver_understands() -> None:
    assert load_park(CASES / "model-said-once" / "park.yaml").id == "demo"


def test_the_page_on_devices_lists_every_profile() -> None:
    table = PAGE[PAGE.index("| profile |") : PAGE.index("## Writing a map")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    assert sorted(name for row in rows for name in re.findall(r"`([\w-]+)`", row)) == list(library_names())


def test_the_maps_on_the_page_are_right() -> None:
    (text,) = re.findall(r"(?m)^    meter_models:\n(?:    .*\n)+", PAGE)
    model = ryaml.loads("\n".join(line[4:] for line in text.splitlines()))["meter_models"]["hall-meter"]
    assert not list(wrong_in(Map.model_validate(model["modbus"])))
    own = re.findall(r"(?m)^    modbus: (\{.*\})$", PAGE)
    assert all(ryaml.loads(block)["device"] == 5 for block in own)
    assert own

"""Every fault of a park file is reported, all at once: file, line, key, value, and what would be right."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering.errors import OperatorError
from metering.parkfile import ParkFileError, load_park, load_parks

CASES = Path(__file__).parents[1] / "cases" / "parkfile"
GOOD = (CASES / "good" / "park.yaml").read_text(encoding="utf-8")
ECOPARK = Path(sys.executable).parent / "ecopark"


def faults_of(file: Path) -> str:
    try:
        load_park(file)
    except ParkFileError as error:
        return "".join(f"{fault}\n" for fault in error.faults).replace(f"{file.parent}/", "")
    return ""


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_case(case: Path) -> None:
    assert faults_of(case / "park.yaml") == (case / "faults.txt").read_text(encoding="utf-8")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_a_park_or_has_faults(tmp_path: Path, data: st.DataObject) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 20))
        text = (
            text[:start] + data.draw(st.text(alphabet="{}[]:,-&*?!|>'\"#%@ \n\tab1.", max_size=6)) + text[start + cut :]
        )
    file = tmp_path / "park.yaml"
    file.write_text(text, encoding="utf-8")
    assert faults_of(file) or load_park(file).id


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"- " * 5_000, b"[" * 50_000, b"{a: " * 5_000])
def test_text_that_is_no_yaml_has_a_fault(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "park.yaml"
    file.write_bytes(content)
    assert faults_of(file)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD + "tariffs: " + "x" * 20_000_000, "has more than 16,000,000 characters"),
        (GOOD + "tariffs: " + "x" * 100_000, "this line has more than 65,536 characters"),
        (BOMB + GOOD, "its aliases (*) stand for more than 2,000,000 values"),
    ],
    ids=["large file", "long line", "aliases of aliases"],
)
def test_what_is_too_large_is_refused_before_it_is_read(text: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "park.yaml"
    file.write_text(text, encoding="utf-8")
    assert fault in faults_of(file)


def test_aliases_of_a_sensible_size_are_written_out(tmp_path: Path) -> None:
    file = tmp_path / "park.yaml"
    text = GOOD.replace("registers: {energy_kwh: {rollover: 1000000}, power_kw: {}}", "registers: &r {energy_kwh: {}}")
    file.write_text(text.replace("registers: {energy_kwh: {}}", "registers: *r"), encoding="utf-8")
    assert load_park(file).meter["em-2"].quantities.keys() == {"energy_kwh"}


def test_a_folder_reports_the_faults_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("Asia/Ho_Chi_Minh", "Mars"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "park.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ParkFileError) as caught:
        load_parks(tmp_path)
    assert [(fault.file.name, fault.key) for fault in caught.value.faults] == [
        ("a.yaml", "park.timezone"),
        ("park.yaml", "park.id"),
    ]


def test_a_bill_in_the_folder_of_park_files_is_named_as_one(tmp_path: Path) -> None:
    (tmp_path / "park.yaml").write_text(GOOD, encoding="utf-8")
    bill = "utility: water\nfrom: 2026-10-01\nto: 2026-10-31\nlines: []\nvat_vnd: 0\ntotal_vnd: 0\n"
    (tmp_path / "water.yaml").write_text(bill, encoding="utf-8")
    with pytest.raises(ParkFileError, match="keep bills in a folder of their own") as caught:
        load_parks(tmp_path)
    assert [fault.file.name for fault in caught.value.faults] == ["water.yaml"]


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="point ECOPARK_PARK at"):
        load_parks(tmp_path)


def test_check_prints_every_fault_and_exits_2() -> None:
    case = CASES / "many-at-once"
    done = subprocess.run([ECOPARK, "check", case / "park.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.replace(f"{case}/", "") == (case / "faults.txt").read_text(encoding="utf-8")
    good = subprocess.run([ECOPARK, "check", CASES / "good" / "park.yaml"], capture_output=True, text=True, check=False)
    assert good.returncode == 0
    assert "demo: 1 tenants, 1 gateways, 2 meters" in good.stdout

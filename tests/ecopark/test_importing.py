"""Spreadsheets: how cells are read, which rows become readings, and an import through a real broker and ingester."""

import csv
import json
import subprocess
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import ryaml
from openpyxl import Workbook

from ecopark.importing import (
    ImportMapping,
    RowFault,
    load_mapping,
    load_rows,
    readings_of,
    write_refused,
)
from ecopark.metertable import columns_of
from ecopark.parkdraft import draft_park, profile_of
from ecopark.sheets import CellError, instant, number, plain, read_rows
from gateway.drivers import faults
from metering.errors import OperatorError
from metering.parkfile import load_park

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("cell", "decimal", "right"),
    [
        ("1.234,5", ",", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("1 234,5", ",", 1234.5),
        ("-0,5", ",", -0.5),
        ("1234", ",", 1234.0),
        (12, ",", 12.0),
        ("", ".", None),
        (None, ".", None),
    ],
)
def test_a_number_is_read_in_the_notation_that_is_stated(cell: Any, decimal: str, right: float | None) -> None:
    assert number(cell, decimal) == right


@pytest.mark.parametrize(
    ("cell", "decimal"),
    [
        ("1.5", ","),
        ("12,5", "."),
        ("1.23.456", ","),
        ("abc", "."),
        (True, "."),
        (date(2026, 1, 1), "."),
        ("1,2345.6", "."),
    ],
)
def test_a_number_in_another_notation_is_refused_and_not_guessed(cell: Any, decimal: str) -> None:
    with pytest.raises(CellError):
        number(cell, decimal)


def test_times_need_a_zone_and_must_exist_once() -> None:
    assert instant("2026-11-20T10:15:00+07:00", None) == 1795144500000
    assert instant("20/11/2026 10:15", HANOI, "%d/%m/%Y %H:%M") == 1795144500000
    assert instant(datetime(2026, 11, 20, 10, 15), HANOI) == 1795144500000  # noqa: DTZ001 - a cell of a sheet has no zone
    for cell, zone, said in [
        ("2026-11-20 10:15", None, "say the zone"),
        ("20.11.2026", HANOI, "is not ISO 8601"),
        ("2026-03-29 02:30", ZoneInfo("Europe/Berlin"), "clocks skip"),
        ("2026-10-25 02:30", ZoneInfo("Europe/Berlin"), "there twice"),
    ]:
        with pytest.raises(CellError, match=said):
            instant(cell, zone)


def test_heads_are_compared_without_marks() -> None:
    assert plain("Đồng hồ (số)") == "dong ho so"
    found, unknown = columns_of(["Mã công tơ", "Tên", "Doanh nghiệp", "Loại", "Hệ số nhân", "Ghi chú"])
    assert list(found) == ["id", "name", "tenant", "utility", "multiplier"]
    assert unknown == ["Ghi chú"]


PARK = """
park: {id: import-park, name: {en: P, vi: P}, timezone: Asia/Ho_Chi_Minh}
gateways: [{id: gw-hand, name: {en: By hand, vi: Ghi tay}}]
meters:
  - id: em-1
    name: {en: One, vi: Một}
    gateway: gw-hand
    utility: electricity
    interval_s: 3600
    rated: 1000.0
    registers: {energy_kwh: {rollover: 1000000.0}}
  - id: wm-1
    name: {en: Two, vi: Hai}
    gateway: gw-hand
    utility: water
    interval_s: 3600
    rated: 100.0
    registers: {volume_m3: {rollover: 1000000.0}}
"""


@pytest.fixture
def park_file(tmp_path: Path) -> Path:
    file = tmp_path / "park.yaml"
    file.write_text(PARK, encoding="utf-8")
    return file


def mapping(**changes: Any) -> ImportMapping:
    said = {
        "gateway": "gw-hand",
        "time": "Ngày",
        "format": "%d/%m/%Y %H:%M",
        "zone": "Asia/Ho_Chi_Minh",
        "meter": "Công tơ",
        "decimal": ",",
        "values": [{"column": "Chỉ số", "quantity": "energy_kwh"}],
    }
    return ImportMapping.model_validate(said | changes)


def sheet(file: Path, *rows: tuple[Any, ...]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as written:
        csv.writer(written, delimiter=";").writerows(rows)
    return file


def test_good_rows_are_read_and_each_bad_one_says_why(tmp_path: Path, park_file: Path) -> None:
    file = sheet(
        tmp_path / "r.csv",
        ("Ngày", "Công tơ", "Chỉ số"),
        ("20/11/2026 10:15", "em-1", "1.234,5"),
        ("20/11/2026 10:15", "em-9", "1"),
        ("20.11.2026", "em-1", "1"),
        ("20/11/2026 10:30", "em-1", "1.5"),
        ("20/11/2026 10:45", "em-1", ""),
    )
    readings, faults = readings_of(load_rows(file, mapping()), mapping(), load_park(park_file))
    assert [(one.row, one.meter, one.ms, one.values) for one in readings] == [
        (2, "em-1", 1795144500000, {"energy_kwh": 1234.5})
    ]
    assert [fault.row for fault in faults] == [3, 4, 5]
    assert "no meter with the id or alias 'em-9'" in faults[0].reason


def test_increments_become_totals_and_units_are_converted(tmp_path: Path, park_file: Path) -> None:
    file = sheet(
        tmp_path / "r.csv",
        ("Ngày", "L"),
        ("20/11/2026 10:00", "35"),
        ("20/11/2026 10:15", "0"),
        ("20/11/2026 10:30", "500"),
    )
    column = {"column": "L", "quantity": "volume_m3", "meter": "wm-1", "unit": "L", "kind": "increment", "base": 7.0}
    said = mapping(meter=None, values=[column])
    readings, faults = readings_of(load_rows(file, said), said, load_park(park_file))
    assert not faults
    assert [one.values["volume_m3"] for one in readings] == [7.035, 7.035, 7.535]


def test_a_workbook_knows_dates_and_numbers(tmp_path: Path, park_file: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["Danh sách"])
    page.append(["Ngày", "Công tơ", "Chỉ số"])
    page.append([datetime(2026, 11, 20, 10, 15), "em-1", 12.5])  # noqa: DTZ001 - a cell of a sheet has no zone
    book.save(tmp_path / "r.xlsx")
    said = mapping(header=2, format=None)
    readings, faults = readings_of(load_rows(tmp_path / "r.xlsx", said), said, load_park(park_file))
    assert not faults
    assert [(one.ms, one.values) for one in readings] == [(1795144500000, {"energy_kwh": 12.5})]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"meter": None}, "which column names the meter"),
        ({"values": [{"column": "x", "quantity": "energy"}]}, "is not a quantity"),
        ({"values": [{"column": "x", "quantity": "energy_kwh", "unit": "L"}]}, "cannot become kWh"),
        ({"values": [{"column": "x", "quantity": "energy_kwh", "kind": "increment"}]}, "need base"),
        ({"zone": "Hanoi"}, "not a time zone"),
    ],
)
def test_a_mapping_with_a_fault_says_what_is_wrong(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    whole = mapping().model_dump(exclude_none=True) | changes
    file = tmp_path / "map.yaml"
    file.write_text(
        ryaml.dumps({key: value for key, value in json.loads(json.dumps(whole)).items() if value is not None})
    )
    with pytest.raises(OperatorError, match=said):
        load_mapping(file)


def test_unreadable_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"no")
    with pytest.raises(OperatorError, match="not a workbook"):
        read_rows(tmp_path / "x.xlsx")
    (tmp_path / "x.csv").write_bytes(b"")
    with pytest.raises(OperatorError, match="no column heads"):
        read_rows(tmp_path / "x.csv")
    with pytest.raises(OperatorError, match="no column 'Ngày'"):
        readings_of(
            read_rows(sheet(tmp_path / "y.csv", ("a", "b"), ("1", "2"))), mapping(), load_park(_written(tmp_path))
        )


def _written(folder: Path) -> Path:
    (folder / "park.yaml").write_text(PARK, encoding="utf-8")
    return folder / "park.yaml"


LIST: list[list[Any]] = [
    ["Mã công tơ", "Tên", "Doanh nghiệp", "Loại", "Hệ số nhân", "Công suất (kW)", "Công tơ tổng", "Ghi chú"],
    ["EM-01", "Lộ tổng", "", "Điện", "4000/5", 20000, "", "mới"],
    [10203040, "Xưởng dệt", "Công ty Dệt A", "Điện", 40, "1.000", "EM-01", ""],
    ["ĐH-03", "Nước xưởng dệt", "Công ty Dệt A", "Nước", "", 50, "EM-77", ""],
]


def test_a_draft_from_a_vietnamese_list_passes_the_check_or_says_what_is_missing(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in LIST:
        page.append(row)
    book.save(tmp_path / "m.xlsx")
    draft = draft_park(tmp_path / "m.xlsx", "draft")
    assert "Not used: the column 'Ghi chú'" in draft.text
    assert any("no meter 'EM-77'" in doubt for doubt in draft.doubts)
    (tmp_path / "park.yaml").write_text(draft.text, encoding="utf-8")
    park = load_park(tmp_path / "park.yaml")
    assert [(meter.id, meter.alias) for meter in park.meters] == [
        ("EM-01", None),
        ("m-10203040", "10203040"),
        ("dh-03", "ĐH-03"),
    ]
    assert {tenant.name.vi for tenant in park.tenants} == {"Công ty Dệt A"}
    assert park.meter["m-10203040"].rated == 1000.0
    assert "    # CHECK rated: '50' is in kW, which cannot become m³/h; 50 m³/h was taken" in draft.text
    assert "    # CHECK rated: '1.000' can be 1 or 1000; the larger one was taken" in draft.text
    for doubt in draft.doubts:
        assert f"    # CHECK {doubt.partition(': ')[2]}" in draft.text


@pytest.mark.parametrize(
    ("words", "utility"),
    [
        ("Hơi nước", "steam"),
        ("Nước lạnh", "chilled_water"),
        ("Nước thải", "wastewater"),
        ("Nước cấp", "water"),
        ("Khí nén", "compressed_air"),
        ("Khí thiên nhiên", "natural_gas"),
        ("Điện năng", "electricity"),
        ("Compressed air", "compressed_air"),
    ],
)
def test_a_utility_is_recognised_by_its_more_special_word(tmp_path: Path, words: str, utility: str) -> None:
    file = sheet(tmp_path / "m.csv", ("Mã", "Loại", "Định mức"), ("x-1", words, 5))
    assert f"utility: {utility}\n" in draft_park(file, "p").text


def test_a_known_make_on_modbus_gets_its_profile_and_others_their_comments(tmp_path: Path) -> None:
    heads = ("Mã", "Loại", "Định mức", "Hãng / Model", "Địa chỉ Modbus", "IP", "Công tơ cha")
    rows: list[tuple[Any, ...]] = [
        ("a", "Điện", "2.500,5 kW", "Schneider PM5310", 1, "10.0.0.7", ""),
        ("b", "Hơi", "8 t/h", "no such make", 2, "10.0.0.7", ""),
        ("b", "Điện", 5, "SDM630-Modbus", "", "", "a"),
    ]
    draft = draft_park(sheet(tmp_path / "m.csv", heads, *rows), "p")
    (tmp_path / "park.yaml").write_text(draft.text, encoding="utf-8")
    first, second, third = load_park(tmp_path / "park.yaml", [faults]).meters
    assert (first.rated, first.instruments[0].model) == (2500.5, "schneider-pm5000")
    assert first.modbus is not None
    assert (first.modbus["device"], first.modbus["line"]) == (1, "modbus://10.0.0.7")
    assert (second.rated, second.modbus, third.id) == (8.0, None, "b-2")
    assert "# Modbus device 2 at 10.0.0.7" in draft.text
    assert "the profile eastron-sdm630 may fit" in draft.text


@pytest.mark.parametrize(
    ("model", "profile"),
    [("ABB B23 112-100", "abb-b23"), ("UMG 96RM", "janitza-umg96"), ("iEM3255", "schneider-iem3000"), ("PM53", None)],
)
def test_a_make_and_model_names_a_profile(model: str, profile: str | None) -> None:
    assert profile_of(model) == profile


def test_the_command_writes_a_draft_that_check_accepts(tmp_path: Path, run: Any) -> None:
    file = sheet(
        tmp_path / "m.csv", ("Meter", "Type", "Rated"), ("em-1", "electricity", 100), ("em-1", "electricity", 100)
    )
    done: subprocess.CompletedProcess[str] = run("park", "draft", str(file), "--park", "p1")
    assert done.returncode == 0, done.stderr
    assert "another row has 'em-1'" in done.stderr
    (tmp_path / "park.yaml").write_text(done.stdout, encoding="utf-8")
    assert run("check", str(tmp_path / "park.yaml")).returncode == 0


def test_refused_rows_can_be_corrected_and_imported_again(tmp_path: Path) -> None:
    file = sheet(tmp_path / "r.csv", ("Ngày", "Chỉ số"), ("x", "1"), ("y", "2"))
    write_refused(tmp_path / "again.csv", read_rows(file), [RowFault(3, "no time, really")], mapping())
    assert [row.cells for row in read_rows(tmp_path / "again.csv")] == [
        {"Ngày": "y", "Chỉ số": "2", "row": "3", "reason": "no time, really"}
    ]


@pytest.mark.parametrize("time", ["Ngày", ["Ngày", "Giờ"]])
def test_refused_rows_of_a_workbook_are_read_again_by_the_same_mapping(
    tmp_path: Path, park_file: Path, time: Any
) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["Ngày", "Giờ", "Công tơ", "Chỉ số"])
    page.append([datetime(2026, 11, 20, 10, 15), time_of_day(10, 15), "em-1", 12.345])  # noqa: DTZ001 - a cell of a sheet has no zone
    page.append([datetime(2026, 11, 20), "10:15", "em-1", 12.345] if time != "Ngày" else [None])  # noqa: DTZ001 - a cell of a sheet has no zone
    book.save(tmp_path / "r.xlsx")
    said = mapping(time=time)
    rows = load_rows(tmp_path / "r.xlsx", said)
    write_refused(tmp_path / "again.csv", rows, [RowFault(row.number, "?") for row in rows], said)
    park = load_park(park_file)
    for found in (rows, load_rows(tmp_path / "again.csv", said)):
        readings, faults = readings_of(found, said, park)
        assert not faults
        assert {(one.ms, one.values["energy_kwh"]) for one in readings} == {(1795144500000, 12.345)}


def test_the_good_values_of_a_row_are_readings_though_another_is_bad(tmp_path: Path, park_file: Path) -> None:
    file = sheet(tmp_path / "r.csv", ("Ngày", "E", "W"), ("20/11/2026 10:15", "hỏng", "5,5"))
    columns = [
        {"column": "E", "quantity": "energy_kwh", "meter": "em-1"},
        {"column": "W", "quantity": "volume_m3", "meter": "wm-1"},
    ]
    said = mapping(meter=None, values=columns)
    readings, faults = readings_of(load_rows(file, said), said, load_park(park_file))
    assert [(one.meter, one.values) for one in readings] == [("wm-1", {"volume_m3": 5.5})]
    assert [fault.reason for fault in faults] == ["E: 'hỏng' is not a number"]


def test_increments_with_an_unreadable_row_are_not_added_up(tmp_path: Path, park_file: Path) -> None:
    file = sheet(tmp_path / "r.csv", ("Ngày", "L"), ("20/11/2026 10:00", "35"), ("20/11/2026 10:15", "?"))
    column = {"column": "L", "quantity": "volume_m3", "meter": "wm-1", "kind": "increment", "base": 0.0}
    said = mapping(meter=None, values=[column])
    with pytest.raises(OperatorError, match=r"nothing was sent:\nrow 3: L: "):
        readings_of(load_rows(file, said), said, load_park(park_file))

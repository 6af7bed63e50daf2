"""Lists of meters as parks have them: titles, heads in two rows, merged cells, sections, sums, ratios."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ecopark.metertable import columns_of, meter_table
from ecopark.parkdraft import draft_park
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility


def book(file: Path, merged: tuple[str, ...] = (), **sheets: list[list[Any]]) -> Path:
    made = Workbook()
    for place, (name, rows) in enumerate(sheets.items()):
        page = made.worksheets[0] if place == 0 else made.create_sheet()
        page.title = name
        for row in rows:
            page.append(row)
        for area in merged if place == 0 else ():
            page.merge_cells(area)
    made.save(file)
    return file


def drafted(file: Path) -> tuple[Park, str]:
    draft = draft_park(file, "p")
    (file.parent / "park.yaml").write_text(draft.text, encoding="utf-8")
    return load_park(file.parent / "park.yaml"), draft.text


VIETNAMESE: list[list[Any]] = [
    ["DANH SÁCH CÔNG TƠ ĐIỆN, NƯỚC - THÁNG 10/2026"],
    [],
    ["STT", "Mã điểm đo", "Khách hàng", "Công tơ", None, None, "TI (A)", "TU (kV)", "Công suất (kW)", "Tủ"],
    [None, None, None, "Số chế tạo", "Chủng loại", "Loại"],
    ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)"],
    [1, "CT-01", "", 20231045, "Elster A1700", "Điện", "400/5", "22/0,1", 1600, "A"],
    [2, "CT-02", "Dệt An Phát", 20231046, "Schneider PM5310", "Điện", "1500/5A", None, "1,5 MW", "B"],
    [3, "CT-03", None, 20231047, "Acrel ADL400", "Điện", "80 (400/5)", None, 250, "B"],
    [4, "ĐH-N01", None, 190012345, "Zenner", "Nước", None, None, "25 m³/h", "B"],
    [None, "Tổng cộng", None, None, None, None, None, None, 2935],
]
MERGED = ("A1:J1", "A3:A4", "B3:B4", "C3:C4", "D3:F3", "G3:G4", "H3:H4", "I3:I4", "J3:J4", "C7:C9")


def test_a_vietnamese_list_with_a_title_two_rows_of_heads_and_merged_cells(tmp_path: Path) -> None:
    park, text = drafted(book(tmp_path / "m.xlsx", MERGED, ds=VIETNAMESE))
    assert [meter.alias or meter.id for meter in park.meters] == ["CT-01", "CT-02", "CT-03", "ĐH-N01"]
    assert [meter.instruments[0].multiplier for meter in park.meters] == [17600.0, 300.0, 80.0, 1.0]
    assert [meter.rated for meter in park.meters] == [1600.0, 1500.0, 250.0, 25.0]
    assert [meter.gateway for meter in park.meters] == ["A", "B", "B", "B"]
    owners = [meter.belongs[0].tenant for meter in park.meters]
    assert owners == [None, "det-an-phat", "det-an-phat", "det-an-phat"]  # one cell across three rows
    assert "# serial number 20231047" in text
    assert "# Not used: row 5: '(1)'." in text
    assert "# Not used: row 10: 'Tổng cộng'." in text


def test_an_english_list_with_sections_on_another_sheet(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Meter List Rev. 3"],
        ["Meter No.", "Description", "Feeder from", "CT ratio", "Max. demand", "Read interval (min)"],
        ["ELECTRICITY"],
        ["EM-MAIN", "Incomer", None, "200:5", 2000, 15],
        ["EM-F1", "Brewery", "EM-MAIN", "600/5", 400, 15],
        ["Compressed air", "Compressed air", "Compressed air", "Compressed air", "Compressed air", "Compressed air"],
        ["AM-1", "Line 4", None, None, 80, 60],
    ]
    park, text = drafted(book(tmp_path / "m.xlsx", Cover=[["Prepared by the contractor"]], Meters=rows))
    assert [meter.utility for meter in park.meters] == [Utility.ELECTRICITY] * 2 + [Utility.COMPRESSED_AIR]
    assert [meter.interval_s for meter in park.meters] == [900, 900, 3600]
    assert park.meter["EM-F1"].belongs[0].parent == "EM-MAIN"
    assert "CHECK" not in text


def test_a_stated_factor_that_the_transformers_do_not_make_is_a_doubt(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Mã", "Loại", "Hệ số nhân", "TI", "Định mức"], ["a", "Điện", 60, "400/5", 5]]
    park, text = drafted(book(tmp_path / "m.xlsx", ds=rows))
    assert park.meter["a"].instruments[0].multiplier == 60
    assert "CHECK multiplier: 60 is stated, but the transformers make 80" in text


def test_an_interval_in_a_unit_that_nobody_knows_is_a_doubt(tmp_path: Path) -> None:
    text = drafted(book(tmp_path / "m.xlsx", ds=[["Mã", "Loại", "Chu kỳ (ca)", "Định mức"], ["a", "Điện", 8, 5]]))[1]
    assert "CHECK interval_s: 8 ca was taken for seconds" in text


def test_a_file_without_a_list_of_meters_is_refused_and_not_drafted(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no row with the heads of a list of meters"):
        draft_park(book(tmp_path / "m.xlsx", Cover=[["Prepared by"], ["2026-11-20", 5]]), "p")
    with pytest.raises(OperatorError, match="no meters below the heads in row 1"):
        draft_park(book(tmp_path / "n.xlsx", Meters=[["Mã", "Loại"]]), "p")


def test_a_second_list_in_the_file_is_named(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Mã", "Loại", "Định mức"], ["a", "Điện", 5]]
    table = meter_table(book(tmp_path / "m.xlsx", One=rows, Other=[row[:2] for row in rows]))
    assert table.left_out == ["the sheet 'Other', which looks like a list too (--sheet)"]
    assert [row.cells["Mã"] for row in table.rows] == ["a"]


def test_a_cabinet_is_no_voltage_transformer() -> None:
    assert columns_of(["Tủ", "TU", "TI"]).columns == {"gateway": "Tủ", "vt": "TU", "ct": "TI"}

"""No text of a form is run as a formula, however it begins."""

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook

from efficiency.reports.formfiles import export
from efficiency.reports.forms import TENANT_FORMS, FormRow
from efficiency.reports.tablefiles import plain_cell
from metering.park import Tenant
from metering.words import Language

STARTS = ["=", "+", "-", "@", "|", "%", "\t=", "\r=", "\n=", " =", "\u00a0=", "\uff1d", "\uff0b", "\ufeff="]


@pytest.mark.parametrize("start", STARTS)
def test_what_could_be_a_formula_is_a_text(start: str) -> None:
    assert str(plain_cell(f"{start}HYPERLINK(1)")).startswith("'")


def test_other_texts_and_numbers_stay_as_they_are() -> None:
    cells: list[str | float | None] = ["Dệt may", "", "%", -1.5, None]
    assert [plain_cell(cell) for cell in cells] == cells


def test_control_characters_are_left_out() -> None:
    assert "\x07" not in str(plain_cell("a\x07b"))


@pytest.mark.parametrize("language", list(Language))
def test_no_cell_of_the_files_is_a_formula(language: Language, tmp_path: Path) -> None:
    """What a tenant is called and what was entered, in the files as they are opened."""
    form = next(iter(TENANT_FORMS))
    field = TENANT_FORMS[form][0]
    tenants = [
        Tenant.model_validate({"id": f"t{number}", "name": {"en": text, "vi": text}, "sector": {"en": "s", "vi": "s"}})
        for number, start in enumerate(STARTS)
        if (text := f"{start}HYPERLINK(1)").isprintable()
    ]
    rows = [FormRow(form, tenant, field, "%", None, tenant.name.en) for tenant in tenants]
    rows += [FormRow(form, None, field, "", None, f"{start}cmd|' /C calc'!A0") for start in STARTS]
    table, book = export(rows, language, tmp_path / "park.html", "=1+1")
    with table.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert len(lines) == 1 + len(rows)
    assert "'=1+1" in {cell for line in lines for cell in line}
    assert not [
        cell for line in lines for cell in line if cell != "%" and cell.lstrip()[:1] in set("=+-@|%\uff1d\uff0b")
    ]
    cells = [cell for sheet in load_workbook(book).worksheets for line in sheet.iter_rows() for cell in line]
    assert "'=1+1" in {cell.value for cell in cells}
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]

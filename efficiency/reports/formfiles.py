"""The yearly forms as CSV, one row a field, and as XLSX, one sheet a form. Both beside the report."""

import csv
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from efficiency.reports.forms import Given, Row
from efficiency.reports.language import Language
from efficiency.reports.shown import unit_text
from efficiency.reports.words import TEXTS
from efficiency.valuation.valued import REASON_TEXT, reasons_in

_HEAD = ("form", "subject", "code", "figure", "value", "unit", "data", "status")
_WIDTHS = (8, 40, 28, 44, 18, 12, 12, 40)


def export(forms: Sequence[Row], language: Language, beside: Path, name: str) -> list[Path]:
    """Write both files into the folder of `beside`, under its stem; `name` is the park's."""
    files = [beside.with_name(f"{beside.stem}-forms{suffix}") for suffix in (".csv", ".xlsx")]
    table = [_cells(row, language, name) for row in forms]
    head = [language.say(TEXTS[key]) for key in _HEAD]
    # Spreadsheet programs take the byte order mark as the sign of UTF-8.
    with files[0].open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows([head, *([_plain(cell) for cell in row] for row in table)])
    book = Workbook()
    book.remove(book.worksheets[0])
    for form in dict.fromkeys(row.form for row in forms):
        sheet = book.create_sheet(form)
        sheet.append(head)
        for row, cells in zip(forms, table, strict=True):
            if row.form == form:
                sheet.append([_plain(cell) if isinstance(cell, str) else cell for cell in cells])
        for column, width in enumerate(_WIDTHS, 1):
            sheet.column_dimensions[get_column_letter(column)].width = width
            sheet.cell(1, column).font = Font(bold=True)
        sheet.freeze_panes = "A2"
    book.save(files[1])
    return files


Cell = str | float | None


def _cells(row: Row, language: Language, park: str) -> list[Cell]:
    subject = language.say(row.tenant.name) if row.tenant is not None else park
    shown = row.measured if row.measured is not None and row.measured.value is not None else None
    value: Cell = shown.value if shown is not None else entered_text(row.given, language)
    data = shown.completeness if shown is not None else None
    return [
        row.form,
        subject,
        row.field.code,
        language.say(row.field.label),
        value,
        unit_text(row.unit, language),
        data,
        status_text(row, language),
    ]


def status_text(row: Row, language: Language) -> str:
    """Where the value comes from; for a measured field without one, why it has none."""
    status = language.say(TEXTS[row.status])
    if row.status != "open" or row.measured is None:
        return status
    why = "; ".join(language.say(REASON_TEXT[reason]) for reason in reasons_in(row.measured.reasons))
    return f"{status} ({why})" if why else status


def entered_text(given: Given | None, language: Language) -> str | float | None:
    """What was entered: yes and no in the language, numbers and texts as they are."""
    if isinstance(given, bool):
        return language.say(TEXTS["yes" if given else "no"])
    return given


def _plain(cell: Cell) -> Cell:
    """A text that a spreadsheet program would run as a formula is written as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@"} else cell

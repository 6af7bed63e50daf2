"""Writes tables as files: CSV, and workbooks whose sheets have a bold, frozen head."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

Cell = str | float | None


def put_csv(rows: Sequence[Sequence[Cell]], out: Path) -> None:
    """Write rows as CSV; spreadsheet programs recognise UTF-8 by the byte order mark."""
    with out.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened).writerows([[plain_cell(cell) for cell in row] for row in rows])


def put_book(sheets: Mapping[str, Sequence[Sequence[Cell]]], widths: Sequence[int], out: Path) -> None:
    """Write a workbook with sheets by title; the first row of each is its head."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title[:31])
        for row in rows:
            sheet.append([plain_cell(cell) for cell in row])
        for column, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(column)].width = width
            sheet.cell(1, column).font = Font(bold=True)
        sheet.freeze_panes = "A2"
    book.save(out)


def plain_cell(cell: Cell) -> Cell:
    """Neutralise a cell that a spreadsheet program would run as a formula; control characters become spaces.

    Programs skip leading blanks, and some accept the fullwidth forms of the signs. The unit "%" alone is harmless.
    """
    if not isinstance(cell, str) or cell == "%":
        return cell
    text = "".join(each if each.isprintable() else " " for each in cell)
    begins = normalize("NFKC", text.lstrip())[:1]
    return f"'{text}" if begins in set("=+-@|%") or text != cell else text

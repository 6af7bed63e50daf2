"""Rows of a CSV file or a worksheet, unchanged: texts, numbers and dates, with the number of each row.

Only what the file itself states is interpreted: in CSV everything is text; a worksheet knows numbers and dates. Numbers
and times are read by `number` and `instant`, in the notation that the caller states.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from openpyxl import load_workbook

from metering.errors import OperatorError
from metering.instants import milliseconds

_ENCODINGS: Final = ("utf-8-sig", "cp1258")
"""Of a text without a byte order mark, in this order: what Excel writes, and what it used to write in Viet Nam."""

_WORKBOOKS: Final = frozenset({".xlsx", ".xlsm"})

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the file (from 1) and its cells by the head of their column."""

    number: int
    cells: dict[str, Any]


class CellError(ValueError):
    """A cell that cannot be read as what it should be, in words."""


def read_rows(file: Path, *, sheet: str | None = None, header: int = 1, delimiter: str | None = None) -> list[SheetRow]:
    """Read all rows below the row of heads.

    Raises `OperatorError` where the file is no CSV file or workbook, or has no heads there.
    """
    lines = _worksheet(file, sheet) if file.suffix.lower() in _WORKBOOKS else _csv(file, delimiter)
    heads: list[str] = []
    rows: list[SheetRow] = []
    for number, cells in enumerate(lines, 1):
        if number == header:
            heads = [str(cell).strip() if cell is not None else "" for cell in cells]
        elif number > header and any(cell not in {None, ""} for cell in cells):
            rows.append(SheetRow(number, {head: cell for head, cell in zip(heads, cells, strict=False) if head}))
    if not any(heads):
        raise OperatorError(f"{file}: no column heads in row {header}; say in which row they are (header)")
    return rows


def grids(file: Path, sheet: str | None = None) -> dict[str, list[list[Any]]]:
    """All cells by sheet, for lists that people made: each cell of a merged range has the value of the range.

    Hidden sheets are left out unless one is named. Raises `OperatorError` where the file is no CSV file or workbook.
    """
    if file.suffix.lower() not in _WORKBOOKS:
        return {"": list(_csv(file, None))}
    book = _workbook(file, sheet, read_only=False)
    pages = book.worksheets if sheet is None else [book[sheet]]
    return {page.title: _unmerged(page) for page in pages if sheet is not None or page.sheet_state == "visible"}


def _unmerged(page: Any) -> list[list[Any]]:
    lines = [[*row] for row in page.iter_rows(values_only=True)]
    for area in page.merged_cells.ranges:
        value = lines[area.min_row - 1][area.min_col - 1]
        for line in lines[area.min_row - 1 : area.max_row]:
            line[area.min_col - 1 : area.max_col] = [value] * (area.max_col - area.min_col + 1)
    return lines


def _csv(file: Path, delimiter: str | None) -> Iterator[list[Any]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file}: cannot be read: {error.strerror}") from error
    text = _decoded(file, content)
    if delimiter is None:
        first = text.split("\n", 1)[0]
        delimiter = max(";\t,", key=first.count)
    yield from csv.reader(text.splitlines(), delimiter=delimiter)


def _decoded(file: Path, content: bytes) -> str:
    utf16 = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ("utf-16",) if utf16 else _ENCODINGS:
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise OperatorError(f"{file}: neither UTF-8, UTF-16 nor Windows-1258; save it as CSV UTF-8")


def _workbook(file: Path, sheet: str | None, *, read_only: bool) -> Any:
    try:
        book = load_workbook(file, read_only=read_only, data_only=True)
    except Exception as error:  # openpyxl raises the errors of zip files and XML
        raise OperatorError(f"{file}: not a workbook ({error})") from error
    if sheet is not None and sheet not in book.sheetnames:
        raise OperatorError(f"{file}: no sheet {sheet!r}; there are {', '.join(book.sheetnames)}")
    return book


def _worksheet(file: Path, sheet: str | None) -> Iterator[list[Any]]:
    book = _workbook(file, sheet, read_only=True)
    try:
        chosen = book[sheet] if sheet is not None else book.worksheets[0]
        yield from ([*row] for row in chosen.iter_rows(values_only=True))
    finally:
        book.close()


def number(cell: Any, decimal: str = ".") -> float | None:
    """A cell as a number; None where it is empty.

    In texts, `decimal` is the mark before the fraction; the other mark and blanks group thousands. Raises `CellError`.
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool | date | time_of_day):
        raise CellError(f"{cell} is not a number")
    if isinstance(cell, int | float):
        return float(cell)
    other = "," if decimal == "." else "."
    text = str(cell).strip().replace("\u00a0", "").replace(" ", "")
    whole, _, fraction = text.partition(decimal)
    groups = whole.lstrip("+-").split(other)
    if other in fraction or (len(groups) > 1 and (len(groups[0]) > 3 or any(len(group) != 3 for group in groups[1:]))):  # noqa: PLR2004 (thousands)
        raise CellError(f"{cell!r} is not a number with the decimal mark {decimal!r}")
    plain = whole.replace(other, "") + (f".{fraction}" if fraction else "")
    if not _NUMBER.fullmatch(plain):
        raise CellError(f"{cell!r} is not a number")
    return float(plain)


def instant(cell: Any, zone: ZoneInfo | None, form: str | None = None) -> int:
    """A cell as milliseconds since the epoch.

    A time without an offset needs `zone`. `form` is that of `strptime`, for texts that are not ISO 8601. A local time
    that the clocks skip or show twice is refused: it is unknown which one is meant. Raises `CellError`.
    """
    when = _when(cell, form)
    if when.tzinfo is not None:
        return milliseconds(when)
    if zone is None:
        raise CellError(f"{cell!r} has no offset; say the zone of the times, such as Asia/Ho_Chi_Minh")
    local = when.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != when:
        raise CellError(f"{cell!r} does not exist in {zone}: the clocks skip it")
    if local.replace(fold=1).utcoffset() != local.utcoffset():
        raise CellError(f"{cell!r} is there twice in {zone}: the clocks are set back; write it with its offset")
    return milliseconds(local)


def _when(cell: Any, form: str | None) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 (the zone is the caller's)
    text = "" if cell is None else str(cell).strip()
    try:
        return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 (as above)
    except ValueError as error:
        wanted = f"a time such as {datetime(2026, 11, 23, 18, 0, tzinfo=UTC).strftime(form)}" if form else "ISO 8601"
        raise CellError(f"{text[:40]!r} is not {wanted}") from error


def plain(text: str) -> str:
    """A head for comparing: lower case, without marks, signs and double blanks; `Đồng hồ (số)` becomes `dong ho so`."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    letters = "".join(sign if sign.isalnum() else " " for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(letters.split())

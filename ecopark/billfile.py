"""Reads a utility's bill of a month as somebody entered it: YAML, or a CSV file or worksheet with one line per row.

A table has the columns `item`, `value`, `quantity`, `price` and `amount`. Items are `utility`, `from` and `to` with a
`value`; the bands `off_peak`, `normal`, `peak` and `all`, and `demand` (kW); and `reactive`, `vat` and `total` with an
`amount`.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ecopark.sheets import CellError, SheetRow, number, read_rows
from efficiency.closing.bill import Bill
from metering.errors import OperatorError
from metering.months import next_month
from metering.parkfile import explained
from metering.tariffs import Band
from metering.yamllines import KeyPath, Lines, read_yaml

_LINE = {"quantity": "quantity", "price": "price", "amount_vnd": "amount"}
_AMOUNTS = {"reactive": "reactive_vnd", "vat": "vat_vnd", "total": "total_vnd"}


def load_bill(file: Path, month: date) -> Bill:
    """Read a bill of exactly this month.

    Raises `OperatorError` with the file and, where it is known, the line.
    """
    written = _of_yaml(file) if file.suffix.lower() in {".yaml", ".yml"} else _of_table(file)
    try:
        bill = Bill.model_validate(written.content)
    except ValidationError as error:
        raise OperatorError("\n".join(written.at(path, right) for path, right in explained(error, Bill))) from error
    last = next_month(month) - timedelta(days=1)
    for key, day, due in (("from", bill.first, month), ("to", bill.last, last)):
        if day != due:
            raise OperatorError(written.at((key,), f"is {day}: the bill must be of {month:%Y-%m}, {month} to {last}"))
    return bill


class _Written:
    """The content of a file, with the place of each value."""

    def __init__(self, file: Path, content: Any, lines: Lines | dict[str, int]) -> None:
        self._file = file
        self.content = content
        self._lines = lines

    def at(self, path: KeyPath, right: str) -> str:
        """A fault with its place."""
        name = ".".join(map(str, path))
        if isinstance(self._lines, Lines):
            return f"{self._file}:{self._lines.of(path)}: {self._lines.name(path)}: {right}"
        return f"{self._file}:{self._lines.get(name, 1)}: {name}: {right}"


def _of_yaml(file: Path) -> _Written:
    content, text = read_yaml(file)
    return _Written(file, content, Lines(text))


def _of_table(file: Path) -> _Written:
    lines: list[dict[str, Any]] = []
    content: dict[str, Any] = {"lines": lines}
    rows: dict[str, int] = {}
    for row in read_rows(file):
        item = str(row.cells.get("item") or "").strip()
        if item in {band.value for band in Band}:
            rows |= {f"lines.{len(lines)}.{key}": row.number for key in (*_LINE, "band")}
            lines.append({"band": item} | {key: _number(file, row, cell) for key, cell in _LINE.items()})
        elif item == "demand":
            rows |= {f"demand.{key}": row.number for key in _LINE}
            content[item] = {key: _number(file, row, cell) for key, cell in _LINE.items()}
        elif item in _AMOUNTS:
            content[_AMOUNTS[item]], rows[_AMOUNTS[item]] = _number(file, row, "amount"), row.number
        else:
            value = row.cells.get("value")
            content[item], rows[item] = value.date() if isinstance(value, datetime) else value, row.number
    return _Written(file, content, rows)


def _number(file: Path, row: SheetRow, cell: str) -> float | int | None:
    try:
        found = number(row.cells.get(cell))
    except CellError as error:
        raise OperatorError(f"{file}:{row.number}: {cell}: {error}") from error
    return int(found) if found is not None and cell == "amount" and found.is_integer() else found

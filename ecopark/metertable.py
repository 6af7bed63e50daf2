"""Finds the list of meters in a spreadsheet, and what each of its columns holds.

People put titles above the heads, heads in two rows, cells across rows, and lines that only contain "Water". Heads are
recognised in English and Vietnamese; what is left out is listed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from ecopark.sheets import SheetRow, grids, plain
from metering.errors import OperatorError
from metering.quantities import Utility

HEADS: Final[Mapping[str, Sequence[str]]] = {
    "id": (
        *("id", "meter", "meter id", "meter no", "meter code", "meter tag", "code", "tag", "tag no", "point"),
        *("ma", "ma cong to", "ma dong ho", "ma diem do", "diem do", "ma so", "so cong to", "so hieu", "ky hieu"),
    ),
    "name": (
        *("name", "meter name", "description", "location", "place"),
        *("ten", "ten cong to", "ten dong ho", "ten diem do", "mo ta", "vi tri", "vi tri lap dat", "noi lap dat"),
        *("dia diem", "dien giai"),
    ),
    "tenant": (
        *("tenant", "customer", "company", "firm", "doanh nghiep", "ten doanh nghiep", "khach hang", "ten khach hang"),
        *("don vi", "don vi su dung", "cong ty", "ten cong ty", "nha may"),
    ),
    "utility": (
        *("utility", "type", "medium", "kind", "service", "commodity"),
        *("loai", "loai dong ho", "loai cong to", "loai dich vu", "dich vu", "nang luong", "loai nang luong"),
    ),
    "gateway": ("gateway", "concentrator", "logger", "dcu", "rtu", "thiet bi thu thap", "tu dien", "bo tap trung"),
    "parent": (
        *("parent", "parent meter", "main meter", "upstream", "upstream meter", "feeder from", "fed from"),
        *("cong to tong", "dong ho tong", "cong to cha", "dong ho cha", "diem do cha", "cap tren"),
        *("cong to cap tren", "dong ho cap tren"),
    ),
    "multiplier": ("multiplier", "ratio", "he so nhan", "he so", "tu ti", "ti tu"),
    "ct": ("ct", "ct ratio", "ti", "ty so ti", "ty so bien dong", "bien dong", "ty so bien dong dien", "he so ti"),
    "vt": ("vt", "pt", "vt ratio", "pt ratio", "tu", "ty so tu", "ty so bien ap", "bien dien ap", "he so tu"),
    "rated": (
        *(
            "rated",
            "max",
            "maximum",
            "rated power",
            "rated flow",
            "max demand",
            "max power",
            "max flow",
            "pmax",
            "qmax",
        ),
        *("cong suat", "cong suat dinh muc", "cong suat cuc dai", "cong suat lon nhat", "cong suat max", "dinh muc"),
        *("luu luong dinh muc", "luu luong max", "luu luong lon nhat"),
    ),
    "interval_s": ("interval", "interval s", "read interval", "reading interval", "period", "chu ky", "chu ky doc"),
    "serial": (
        *("serial", "serial number", "serial no", "s n", "sn"),
        *("so che tao", "so seri", "so serial", "so may", "so no"),
    ),
    "model": ("model", "make", "make and model", "make model", "hang", "hang model", "chung loai", "kieu", "ma hieu"),
    "device": (
        *("device", "address", "modbus", "modbus address", "modbus id", "slave", "slave id", "unit id"),
        *("dia chi", "dia chi modbus", "dia chi slave", "id modbus"),
    ),
    "host": ("host", "ip", "ip address", "dia chi ip"),
}
"""Usual heads of columns in lists of meters, without marks and in lower case."""

UTILITY_WORDS: Final[Mapping[Utility, Sequence[str]]] = {
    Utility.WASTEWATER: ("wastewater", "waste water", "nuoc thai", "sewage"),
    Utility.CHILLED_WATER: ("chilled", "nuoc lanh", "cold water btu", "btu"),
    Utility.STEAM: ("steam", "hoi nuoc", "hoi"),
    Utility.WATER: ("water", "nuoc"),
    Utility.COMPRESSED_AIR: ("compressed air", "khi nen", "air"),
    Utility.NATURAL_GAS: ("natural gas", "gas", "khi thien nhien", "khi dot", "lng", "cng"),
    Utility.ELECTRICITY: ("electric", "power", "energy", "dien", "kwh"),
    Utility.PRODUCTION: ("production", "output", "san luong", "san pham"),
}
"""Words that identify the utility, the more specific ones first: steam is `hơi nước`, and no water."""

_SEARCHED: Final = 30
"""Rows in which the heads are searched for."""

_ENOUGH: Final = 2
"""How many known heads make a row the row of heads, where none is named."""

_TOTAL = re.compile(r"(tong|tong cong|tong so|cong|total|sum|subtotal|grand total)")
_COLUMN_NUMBER = re.compile(r"[(\[]?(\d{1,2})[)\]]?")
_UNIT_OF_HEAD = re.compile(r"[(\[]\s*([^)\]]+?)\s*[)\]]")


@dataclass(slots=True)
class MeterTable:
    """The rows that are meters, the head and unit of each field, and what was not taken.

    `section` is the utility that a line above the row names.
    """

    rows: list[SheetRow] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    section: dict[int, Utility] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


class RecognisedHeads(NamedTuple):
    """The head of each field, and the unknown heads."""

    columns: dict[str, str]
    unknown: list[str]


def columns_of(heads: Iterable[str]) -> RecognisedHeads:
    """Which head is which field."""
    found: dict[str, str] = {}
    unknown: list[str] = []
    for head in dict.fromkeys(heads):
        written = re.sub(r"\s*[(\[].*", "", head)
        name = _field_of(written)
        if name is None or name in found:
            unknown.append(head)
        else:
            found[name] = head
    return RecognisedHeads(found, unknown)


def _field_of(written: str) -> str | None:
    if written.strip().lower() in {"tủ", "tủ điện"}:  # a cabinet; without its mark it would be a voltage transformer
        return "gateway"
    words = plain(written)
    return next((name for name, known in HEADS.items() if words in known), None)


def utility_in(words: str) -> Utility | None:
    """The utility named in a text."""
    return next(
        (
            utility
            for utility, known in UTILITY_WORDS.items()
            if any(re.search(rf"\b{re.escape(word)}", words) for word in known)
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """A row that may be that of the heads, and how many of them are known."""

    sheet: str
    row: int
    known: int


def meter_table(file: Path, *, sheet: str | None = None, header: int | None = None) -> MeterTable:
    """Find the list of meters in a file. Raises `OperatorError` where there is none."""
    pages = grids(file, sheet)
    places = [
        _Place(name, row, len(columns_of(_heads(lines, row)).columns))
        for name, lines in pages.items()
        for row in ([header] if header else range(1, min(len(lines), _SEARCHED) + 1))
    ]
    best = max(places, key=lambda place: place.known, default=None)
    if best is None or best.known < (_ENOUGH if header is None else 1):
        known = ", ".join(words[0] for words in HEADS.values())
        raise OperatorError(
            f"{file}: no row with the heads of a list of meters, such as {known}; say where it is (--sheet, --header)"
        )
    lists = dict.fromkeys(place.sheet for place in places if place.sheet != best.sheet and place.known >= _ENOUGH)
    table = MeterTable(left_out=[f"the sheet {name!r}, which looks like a list too (--sheet)" for name in lists])
    _fill(table, pages[best.sheet], best.row)
    if not table.rows:
        raise OperatorError(f"{file}: no meters below the heads in row {best.row}")
    return table


def _heads(lines: Sequence[Sequence[Any]], row: int) -> list[str]:
    cells = lines[row - 1] if row <= len(lines) else []
    return [" ".join(str(cell).split()) if cell is not None else "" for cell in cells]


def _fill(table: MeterTable, lines: Sequence[Sequence[Any]], header: int) -> None:
    heads = _heads(lines, header)
    table.columns, unknown = columns_of(head for head in heads if head)
    table.left_out += [f"the column {head!r}" for head in unknown]
    for name, head in table.columns.items():
        if unit := _UNIT_OF_HEAD.search(head):
            table.units[name] = unit[1]
    section: Utility | None = None
    for number, cells in enumerate(lines[header:], header + 1):
        by_head: dict[str, Any] = {}
        for head, cell in zip(heads, cells, strict=False):
            if head:
                by_head.setdefault(head, cell)
        row = SheetRow(number, by_head)
        said = [text for cell in cells if cell is not None and (text := str(cell).strip())]
        if not said:
            continue
        if _is_no_meter(row, said, table.columns):
            section = utility_in(plain(said[0])) or section
            table.left_out.append(f"row {number}: {said[0]!r}")
            continue
        table.rows.append(row)
        if section is not None:
            table.section[number] = section


def _is_no_meter(row: SheetRow, said: Sequence[str], columns: Mapping[str, str]) -> bool:
    """Whether a row is a title, a sum, or the numbers of the columns."""
    named = [row.cells.get(columns[name]) for name in ("id", "serial", "name") if name in columns]
    if all(cell is None or not str(cell).strip() for cell in named):
        return True
    if any(_TOTAL.fullmatch(plain(text)) for text in said[:2]):
        return True
    numbers = [found[1] for text in said if (found := _COLUMN_NUMBER.fullmatch(text))]
    if len(numbers) == len(said) > _ENOUGH and all(
        int(after) == int(before) + 1 for before, after in pairwise(numbers)
    ):
        return True
    across = len(set(said)) == 1 and len(said) > 1
    return across or (len(said) == 1 and utility_in(plain(said[0])) is not None)

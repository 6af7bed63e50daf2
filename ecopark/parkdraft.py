"""Drafts a park file from a list of meters in a spreadsheet. Every doubt is a comment in the draft.

Columns are recognised by their heads in English and Vietnamese. Nothing is invented that no column states: it becomes a
comment about what is missing, and `ecopark check` then names it with its line.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecopark.metertable import MeterTable, meter_table, utility_in
from ecopark.sheets import CellError, SheetRow, number, plain
from ecopark.spelling import numbered
from metering.meterlibrary import library_names
from metering.model import IDENTIFIER
from metering.quantities import UTILITIES, Quantity, Utility
from metering.units import conversion

_INTERVAL_S: Final = 900
_TIMES: Final[Mapping[tuple[str, ...], int]] = {
    ("s", "sec", "giay"): 1,
    ("min", "minute", "minutes", "phut", "ph"): 60,
    ("h", "hour", "hours", "gio"): 3600,
    ("d", "day", "days", "ngay"): 86_400,
}


@dataclass(frozen=True, slots=True)
class ParkDraft:
    """The text of a park file, and the doubts that are comments in it."""

    text: str
    doubts: tuple[str, ...]


def draft_park(file: Path, park: str, *, sheet: str | None = None, header: int | None = None) -> ParkDraft:
    """Make a draft from a list of meters. Raises `OperatorError` where it cannot be read or names no meters."""
    return _Drafting(park, meter_table(file, sheet=sheet, header=header)).made()


class _Drafting:
    def __init__(self, park: str, table: MeterTable) -> None:
        self._park = park
        self._table = table
        self._rows = table.rows
        self._columns = table.columns
        self._doubts: list[str] = []
        self._noted: dict[int, list[str]] = {}
        self._ids: dict[str, str] = {}
        self._of_row: dict[int, str] = {}
        self._taken: set[str] = set()

    def made(self) -> ParkDraft:
        for row in self._rows:
            self._identify(row)
        meters = [line for row in self._rows for line in self._meter(row)]
        gateways = sorted({self._gateway(row) for row in self._rows})
        tenants = sorted({name for row in self._rows if (name := self._text(row, "tenant"))})
        lines = [
            *[f"# Not used: {what}." for what in self._table.left_out],
            "park:",
            f"  id: {self._park}",
            f"  name: {{en: {self._park}, vi: {self._park}}}  # as people call it",
            "  timezone: Asia/Ho_Chi_Minh",
            "gateways:",
            *[f"  - {{id: {name}, name: {{en: {name}, vi: {name}}}}}" for name in gateways],
            *(["tenants:"] if tenants else []),
            *[line for name in tenants for line in self._tenant(name)],
            "meters:",
            *meters,
        ]
        return ParkDraft("\n".join(lines) + "\n", tuple(self._doubts))

    def _identify(self, row: SheetRow) -> None:
        written = self._written(row)
        if written in self._ids:
            self._doubt(row, f"another row has {written!r}, too; the messages of one device can be of one meter only")
        self._of_row[row.number] = self._identifier(written)
        self._ids.setdefault(written, self._of_row[row.number])

    def _written(self, row: SheetRow) -> str:
        """The meter's name in the list."""
        return self._text(row, "id") or self._text(row, "serial") or f"row {row.number}"

    def _identifier(self, written: str) -> str:
        """An id from a text: unchanged where it is valid, else what is left without marks and signs."""
        made = written
        if not IDENTIFIER.fullmatch(written):
            made = re.sub(r"[^A-Za-z0-9_-]+", "-", plain(written)).strip("-") or "meter"
            made = made if made[0].isalpha() else f"m-{made}"
        made = next(name for name in numbered(made[:56]) if name not in self._taken)
        self._taken.add(made)
        return made

    def _tenant(self, name: str) -> list[str]:
        shown = json.dumps(name, ensure_ascii=False)
        return [
            f"  - id: {self._tenant_id(name)}",
            f"    name: {{en: {shown}, vi: {shown}}}",
            "    sector: {en: unknown, vi: chưa rõ}  # what the firm makes",
        ]

    def _tenant_id(self, name: str) -> str:
        made = re.sub(r"[^a-z0-9]+", "-", plain(name)).strip("-")[:40] or "tenant"
        return made if made[0].isalpha() else f"t-{made}"

    def _meter(self, row: SheetRow) -> list[str]:
        written = self._written(row)
        meter, name = self._of_row[row.number], json.dumps(self._text(row, "name") or written, ensure_ascii=False)
        utility = self._utility(row)
        lines = [f"  - id: {meter}  # row {row.number}"]
        if meter != written and self._ids[written] == meter and not written.startswith("row "):
            lines.append(f"    alias: {json.dumps(written, ensure_ascii=False)}")
        lines.append(f"    name: {{en: {name}, vi: {name}}}")
        if tenant := self._text(row, "tenant"):
            lines.append(f"    tenant: {self._tenant_id(tenant)}")
        lines += [f"    gateway: {self._gateway(row)}", f"    utility: {utility}"]
        parent = self._text(row, "parent")
        if parent and parent in self._ids:
            lines.append(f"    parent: {self._ids[parent]}")
        elif parent:
            self._doubt(row, f"the list has no meter {parent!r}, so no parent")
        lines.append(f"    interval_s: {self._interval(row)}")
        lines += self._numbers(row, utility)
        lines += self._connection(row, utility)
        return [lines[0], *(f"    # CHECK {what}" for what in self._noted.get(row.number, ())), *lines[1:]]

    def _numbers(self, row: SheetRow, utility: str) -> list[str]:
        lines = []
        if rated := self._rated(row, utility):
            lines.append(f"    rated: {rated}")
        else:
            self._doubt(row, "rated: the most that can pass in an hour is missing")
        multiplier = self._multiplier(row)
        if multiplier and multiplier != 1:
            lines.append(f"    multiplier: {multiplier}  # check: is it already in the register?")
        return lines

    def _connection(self, row: SheetRow, utility: str) -> list[str]:
        """The profile and the block of a driver where the list suffices; else its content, as comments."""
        device, host = self._text(row, "device"), self._text(row, "host")
        model = self._text(row, "model")
        profile = profile_of(model)
        lines = [f"    # serial number {serial}"] if (serial := self._text(row, "serial")) else []
        if profile and device.isdecimal():
            line = f', line: "modbus://{host}"' if re.fullmatch(r"[\w.:-]+", host) else ""
            shown = json.dumps(model, ensure_ascii=False)
            return [
                *lines,
                f"    model: {profile}  # CHECK: for {shown}; try it with ecopark gateway probe",
                f"    modbus: {{device: {device}{line}}}"
                + ("  # CHECK: modbus-rtu:// where a serial server is at this address" if line else ""),
            ]
        if model:
            fits = f"the profile {profile} may fit" if profile else "see which profile fits"
            lines.append(f"    # make and model {model}: {fits}, ecopark gateway probe --help")
        if device:
            lines.append(f"    # Modbus device {device}" + (f" at {host}" if host else ""))
        counter = UTILITIES[Utility(utility)].counter if utility in set(Utility) else "..."
        lines.append(f"    registers: {{{counter}: {{}}}}  # and what else it serves")
        return lines

    def _utility(self, row: SheetRow) -> str:
        for source in ("utility", "section", "name", "id"):
            words = plain(self._text(row, source))
            utility = self._table.section.get(row.number) if source == "section" else utility_in(words)
            if utility is not None:
                if source in {"name", "id"}:
                    self._doubt(row, f"utility {utility.value} was taken from the {source}")
                return f"{utility.value}"
        self._doubt(row, "utility: the list does not name it; electricity is a guess")
        return Utility.ELECTRICITY.value

    def _gateway(self, row: SheetRow) -> str:
        written = self._text(row, "gateway")
        if not written:
            return "gw-1"
        made = re.sub(r"[^A-Za-z0-9_-]+", "-", written if IDENTIFIER.fullmatch(written) else plain(written)).strip("-")
        return made if made[:1].isalpha() else f"gw-{made}"

    def _multiplier(self, row: SheetRow) -> float | None:
        """The factor that is stated, or the product of the ratios of both transformers."""
        stated, ct, vt = (self._ratio(row, name) for name in ("multiplier", "ct", "vt"))
        of_both = None if ct is vt is None else (ct or 1.0) * (vt or 1.0)
        if stated is not None and of_both not in {None, stated}:
            self._doubt(row, f"multiplier: {stated:g} is stated, but the transformers make {of_both:g}")
        return stated if stated is not None else of_both

    def _ratio(self, row: SheetRow, name: str) -> float | None:
        """A number, a ratio such as 200/5 or 22/0,1, or both, as in 80 (400/5)."""
        written = re.sub(r"\s*(kA|A|kV|V)\b", "", self._text(row, name))
        ratio = re.fullmatch(r"(?:[\d.,]+\s*[(\[])?\s*([\d.,]+)\s*[/:]\s*([\d.,]+)\s*[)\]]?", written)
        above, below = (_plain_number(part) for part in ratio.groups()) if ratio is not None else (None, None)
        return above / below if above and below else self._number(row, name)

    def _rated(self, row: SheetRow, utility: str) -> float | None:
        """A number, or one with a unit such as 8 t/h behind it or in the head of its column."""
        spec = UTILITIES[Utility(utility)]
        written = self._text(row, "rated")
        found = re.fullmatch(r"([\d.,\s]+)\s*([^\d\s.,].*)", written)
        unit = found[2] if found else self._table.units.get("rated")
        quantity = Quantity("", spec.rate_unit, 0, 0) if spec.rate is None else spec.quantities[spec.rate]
        into = conversion(unit, quantity)
        if written and into is None:
            taken = "" if found else f"; {written} {quantity.unit} was taken"
            self._doubt(row, f"rated: {written!r} is in {unit}, which cannot become {quantity.unit}{taken}")
        if found is None:
            stated = self._number(row, "rated")
            return stated if stated is None or into is None else into.of(stated)
        if into is None:
            return None
        try:
            sent = number(found[1], ",") if "," in found[1] else number(found[1])
        except CellError:
            return self._number(row, "rated")
        return None if sent is None else into.of(sent)

    def _interval(self, row: SheetRow) -> int:
        found = self._number(row, "interval_s")
        unit = plain(self._table.units.get("interval_s", "s"))
        times = next((times for words, times in _TIMES.items() if unit in words), None)
        if found and times is None:
            self._doubt(row, f"interval_s: {found:g} {unit} was taken for seconds")
        return int(found * (times or 1)) if found else _INTERVAL_S

    def _number(self, row: SheetRow, field: str) -> float | None:
        head = self._columns.get(field)
        if head is None:
            return None
        found = _readings_of(row.cells.get(head))
        if not found:
            self._doubt(row, f"{field}: {row.cells.get(head)!r} is not a number")
            return None
        if len(found) > 1:
            either = " or ".join(f"{value:g}" for value in found if value is not None)
            self._doubt(row, f"{field}: {row.cells.get(head)!r} can be {either}; the larger one was taken")
        return found[-1]

    def _text(self, row: SheetRow, field: str) -> str:
        cell: Any = row.cells.get(self._columns.get(field, ""))
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return "" if cell is None else str(cell).strip()

    def _doubt(self, row: SheetRow, what: str) -> None:
        self._doubts.append(f"row {row.number}: {what}")
        self._noted.setdefault(row.number, []).append(what)


def _readings_of(cell: Any) -> list[float | None]:
    """The numbers that a cell can mean: 2.500 is two and a half or two thousand five hundred."""
    found = set[float | None]()
    for decimal in (".", ","):
        with suppress(CellError):
            found.add(number(cell, decimal))
    return sorted(found, key=lambda value: value or 0.0)


def _plain_number(text: str) -> float | None:
    """A number with a decimal point or comma."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def profile_of(model: str) -> str | None:
    """The library's profile of a make and model: `Schneider PM5310` is one of `schneider-pm5000`."""
    written = plain(model)
    for name in library_names():
        series = re.fullmatch(r"([a-z]+)(\d+)", name.rpartition("-")[2])
        if series is not None:
            digits = re.sub(r"0+$", lambda zeros: r"\d" * len(zeros[0]), series[2])
            if re.search(rf"\b{series[1]} ?{digits}(?!\d)", written):
                return name
    return None

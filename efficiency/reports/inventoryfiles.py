"""The inventory as a table of a page, and as CSV and XLSX: one row per factor that held, with its source."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from efficiency.reports.inventory import InventoryRow, Watched
from efficiency.reports.tablefiles import Cell, put_book, put_csv
from efficiency.reports.words import TEXTS
from metering.model import Localized
from metering.words import Language

_HEAD = (
    ("subject", 40),
    ("scope", 8),
    ("basis", 16),
    ("figure", 30),
    ("value", 16),
    ("unit", 10),
    ("per_unit_kg", 16),
    ("co2_fossil_kg", 16),
    ("ch4_kg", 14),
    ("n2o_kg", 14),
    ("co2_biogenic_kg", 16),
    ("co2e_t", 14),
    ("data", 10),
    ("status", 14),
    ("since", 14),
    ("standing", 24),
    ("source", 80),
)


def export_inventory(rows: Sequence[InventoryRow], language: Language, beside: Path, park: Localized) -> list[Path]:
    """Write both files next to the report `beside`, named after it."""
    files = [beside.with_name(f"{beside.stem}-inventory{suffix}") for suffix in (".csv", ".xlsx")]
    head: list[Cell] = [language.say(TEXTS[key]) for key, _ in _HEAD]
    table = [head, *(_cells(row, language, park) for row in rows)]
    put_csv(table, files[0])
    put_book({language.say(TEXTS["inventory_sheet"]): table}, [width for _, width in _HEAD], files[1])
    return files


def _cells(row: InventoryRow, language: Language, park: Localized) -> list[Cell]:
    gases = row.gases
    return [
        language.say(park if row.subject is None else row.subject.name),
        str(row.scope),
        language.say(TEXTS[row.basis]) if row.basis else "",
        language.say(row.what),
        _exact(row.amount),
        row.unit,
        _exact(row.per_unit_kg),
        _exact(gases.co2_kg) if gases is not None else None,
        _exact(gases.ch4_kg) if gases is not None else None,
        _exact(gases.n2o_kg) if gases is not None else None,
        _exact(gases.biogenic_kg) if gases is not None else None,
        _exact(row.co2e_kg / 1000),
        row.completeness,
        language.say(TEXTS["given" if row.completeness is None else "measured"]),
        language.full_date(row.since),
        language.say(TEXTS[row.standing]),
        row.source,
    ]


def _exact(value: float) -> float:
    """Without binary rounding errors."""
    return float(f"{value:.10g}")


def inventory_rows(rows: Sequence[InventoryRow], language: Language) -> list[dict[str, str]]:
    """Rows for the lines of the park as a whole, and for their sums by scope and basis."""
    whole = [row for row in rows if row.subject is None]
    found = [
        {
            "scope": _scope(row.scope, row.basis, language),
            "what": language.say(row.what),
            "amount": f"{language.number(row.amount)} {row.unit}",
            "factor": language.number(row.per_unit_kg, 4),
            "standing": language.say(TEXTS[row.standing]),
            "co2e": language.number(row.co2e_kg / 1000),
            "data": language.say(TEXTS["given"]) if row.completeness is None else language.percent(row.completeness),
            "source": row.source,
        }
        for row in whole
    ]
    blank = dict.fromkeys(("amount", "factor", "standing", "data", "source"), "")
    for scope, basis in dict.fromkeys((row.scope, row.basis) for row in whole):
        tonnes = sum(row.co2e_kg for row in whole if (row.scope, row.basis) == (scope, basis)) / 1000
        words = {"scope": _scope(scope, basis, language), "what": language.say(TEXTS["sum"])}
        found.append({**blank, **words, "co2e": language.number(tonnes)})
    return found


def _scope(scope: int, basis: str, language: Language) -> str:
    return f"{scope} · {language.say(TEXTS[basis])}" if basis else str(scope)


def watched_rows(lines: Sequence[Watched], language: Language) -> list[dict[str, Any]]:
    """Rows for the tenants and their yearly thresholds."""
    return [
        {
            "name": language.say(line.tenant.name),
            "limit": f"{language.number(line.limit, 0)} {line.unit}",
            "known": "" if line.end is None else language.number(line.end.known),
            "likely": "" if line.end is None else language.number(line.end.likely),
            "range": "" if line.end is None else f"{language.number(line.end.low)} … {language.number(line.end.high)}",
            "days": "" if line.end is None else language.number(line.end.known_days, 0),
            "verdict": language.say(TEXTS[line.verdict]),
            "near": line.verdict in {"forecast_over", "forecast_will", "forecast_may"},
        }
        for line in lines
    ]

"""Statements as tables for the accounts: CSV with a row per line, and a workbook that includes the registers."""

from pathlib import Path

from efficiency.reports.statements.lines import StatementLine, point_name
from efficiency.reports.statements.page import StatementPage, say, tenant_name
from efficiency.reports.statements.words import COUNTER
from efficiency.reports.tablefiles import Cell, put_book, put_csv
from metering.words import UTILITY, Language

_LINE = ("month", "tenant", "kind", "utility", "point", "band", "from", "to", "quantity", "unit", "price", "amount")
_LINE_END = ("vat_rate", "reason", "source")
_REGISTER = (
    "point",
    "utility",
    "counter",
    "instrument",
    "from",
    "opening",
    "to",
    "closing",
    "multiplier",
    "use",
    "unit",
)
_WIDTH = 18


def write_csv(page: StatementPage, language: Language, out: Path) -> None:
    """Every charge and correction."""
    put_csv(_lines(page, language), out)


def write_xlsx(page: StatementPage, language: Language, out: Path) -> None:
    """The same, with totals and registers."""
    statement = page.statement
    lines = _lines(page, language)
    width = len(_LINE)
    lines.append([])
    lines.append([say("net", language), *[None] * (width - 2), statement.net_vnd])
    for each in statement.taxed:
        label = say("vat_of", language, rate=language.percent(each.rate, 0), net=language.number(each.net_vnd, 0))
        lines.append([label, *[None] * (width - 2), each.vat_vnd])
    lines.append([say("to_be_paid", language), *[None] * (width - 2), statement.total_vnd])
    sheets = {say("charges", language): lines, say("registers", language): _registers(page, language)}
    put_book(sheets, [_WIDTH] * max(len(rows[0]) for rows in sheets.values()), out)


def _lines(page: StatementPage, language: Language) -> list[list[Cell]]:
    tenant = tenant_name(page.park, page.statement, language)
    rows: list[list[Cell]] = [[say(key, language) for key in (*_LINE, *_LINE_END)]]
    rows += [[*_cells(line, tenant), "", line.why] for line in page.lines(language)]
    rows += [[*_cells(line, tenant), line.why, ""] for line in page.corrections(language)]
    return rows


def _cells(line: StatementLine, tenant: str) -> list[Cell]:
    days = [day.isoformat() if day is not None else "" for day in (line.first, line.last)]
    who = [f"{line.month:%Y-%m}", tenant, line.kind, line.utility, line.point, line.band, *days]
    return [*who, line.quantity, line.unit, line.price, line.net_vnd, line.vat]


def _registers(page: StatementPage, language: Language) -> list[list[Cell]]:
    rows: list[list[Cell]] = [[say(key, language) for key in _REGISTER]]
    for point in page.statement.points:
        for each in point.stretches:
            opening, closing = (end.shown if end is not None else None for end in (each.opening, each.closing))
            rows.append(
                [
                    point_name(point.point, page.park, language),
                    language.say(UTILITY[point.utility]),
                    language.say(COUNTER.get(each.counter, UTILITY[point.utility])),
                    each.serial or "",
                    f"{each.since:%Y-%m-%d %H:%M}",
                    opening,
                    f"{each.until:%Y-%m-%d %H:%M}",
                    closing,
                    each.multiplier,
                    each.use,
                    "kvarh" if each.counter == "reactive_kvarh" else point.unit,
                ]
            )
    return rows

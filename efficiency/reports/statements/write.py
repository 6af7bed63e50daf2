"""Statements as files: HTML, PDF, XLSX and CSV of each tenant in each language."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from efficiency.reports.statements.page import StatementPage, statement_page
from efficiency.reports.statements.tables import write_csv, write_xlsx
from efficiency.reports.write import write_pdf
from metering.errors import OperatorError
from metering.words import Language


class StatementKind(StrEnum):
    """What a statement is written as."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


_WRITERS: Final[Mapping[StatementKind, Callable[[StatementPage, Language, Path], None]]] = {
    StatementKind.HTML: lambda page, language, out: _text(statement_page(page, language), out),
    StatementKind.PDF: lambda page, language, out: write_pdf(statement_page(page, language), out),
    StatementKind.XLSX: write_xlsx,
    StatementKind.CSV: write_csv,
}


def write_statement(page: StatementPage, language: Language, kind: StatementKind, folder: Path) -> Path:
    """Write one file and return it; it is named by month, tenant and language.

    Raises `OperatorError` where it cannot be written.
    """
    out = folder / f"{page.month.month:%Y-%m}-{page.statement.tenant}-{language.value}.{kind.value}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _WRITERS[kind](page, language, out)
    except OSError as error:
        raise OperatorError(f"{out}: cannot be written: {error}") from error
    return out


def _text(page: str, out: Path) -> None:
    out.write_text(page, encoding="utf-8")

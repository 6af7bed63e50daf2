"""Statements and the park's account as files: HTML and PDF to read and print, XLSX and CSV for the accounts."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from efficiency.reports.statements.account import AccountPage, account_page
from efficiency.reports.statements.accounttables import write_account_csv, write_account_xlsx
from efficiency.reports.statements.page import StatementPage, statement_page
from efficiency.reports.statements.tables import write_csv, write_xlsx
from efficiency.reports.write import put_page
from metering.errors import OperatorError
from metering.words import Language


class StatementKind(StrEnum):
    """The format of a file."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


def _page(page: StatementPage, language: Language, out: Path) -> None:
    put_page(statement_page(page, language), out)


_WRITERS: Final[Mapping[StatementKind, Callable[[StatementPage, Language, Path], None]]] = {
    StatementKind.HTML: _page,
    StatementKind.PDF: _page,
    StatementKind.XLSX: write_xlsx,
    StatementKind.CSV: write_csv,
}


def _account(page: AccountPage, language: Language, out: Path) -> None:
    put_page(account_page(page, language), out)


_ACCOUNT_WRITERS: Final[Mapping[StatementKind, Callable[[AccountPage, Language, Path], None]]] = {
    StatementKind.HTML: _account,
    StatementKind.PDF: _account,
    StatementKind.XLSX: write_account_xlsx,
    StatementKind.CSV: write_account_csv,
}


def write_statement(page: StatementPage, language: Language, kind: StatementKind, folder: Path) -> Path:
    """Write one file and return it; it is named by month, tenant and language.

    Raises `OperatorError` if it cannot be written.
    """
    out = folder / f"{page.month.month:%Y-%m}-{page.statement.tenant}-{language.value}.{kind.value}"
    return _written(out, lambda: _WRITERS[kind](page, language, out))


def write_account(page: AccountPage, language: Language, kind: StatementKind, folder: Path) -> Path:
    """Write the park's account and return the file.

    Raises `OperatorError` if it cannot be written.
    """
    out = folder / f"{page.month.month:%Y-%m}-account-{language.value}.{kind.value}"
    return _written(out, lambda: _ACCOUNT_WRITERS[kind](page, language, out))


def _written(out: Path, write: Callable[[], None]) -> Path:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise OperatorError(f"{out}: cannot be written: {error}") from error
    return out

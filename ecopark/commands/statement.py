"""`ecopark statement`: what tenants are charged for a month, as files for them and for the accounts."""

import json
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ecopark.commands import AmongParks, AsJson
from ecopark.commands.close import drafted
from ecopark.progressbar import progress_bar
from ecopark.settings import read_settings
from ecopark.whichpark import find_park
from efficiency.closing.file import ClosedMonth, load_closed
from efficiency.reports.statements.page import StatementPage
from efficiency.reports.statements.write import StatementKind, write_statement
from metering.errors import OperatorError
from metering.months import month_of
from metering.park import Park
from metering.words import Language

app = typer.Typer(add_completion=False)
ALL = "all"

MonthName = Annotated[str, typer.Argument(help="The month, as 2026-10.")]
OutFolder = Annotated[Path, typer.Option(help="The folder to write into.")]
OnlyLanguages = Annotated[list[Language] | None, typer.Option(help="Only this language; may be given twice.")]
OnlyKinds = Annotated[
    list[StatementKind] | None, typer.Option(help="Only this kind of file; may be given several times.")
]
AsDraft = Annotated[bool, typer.Option("--draft", help="The month so far, although it is not closed.")]
"""Of every command that writes what a month is stated as."""


@app.command(epilog="Example: ecopark statement 2026-10 --tenant textile --out statements")
def statement(
    month: MonthName,
    out: OutFolder,
    park: AmongParks = None,
    tenant: Annotated[str, typer.Option(help="A tenant's id, or all.")] = ALL,
    lang: OnlyLanguages = None,
    kind: OnlyKinds = None,
    *,
    draft: AsDraft = False,
    as_json: AsJson = False,
) -> None:
    """Write the statements of a closed month: HTML, PDF, XLSX and CSV, in Vietnamese and English."""
    found, shown, final = month_shown(month, park, draft=draft)
    pages = [StatementPage(found, shown, each, final) for each in shown.statements if tenant in {ALL, each.tenant}]
    if not pages:
        raise OperatorError(f"{month} has no statement of {tenant}; there are {_names(shown)}")
    orders = [
        (page, language, each) for page in pages for language in lang or Language for each in kind or StatementKind
    ]
    files = []
    with progress_bar(f"{found.id}: writing", "files") as bar:
        for page, language, each in bar.track(orders):
            files.append(write_statement(page, language, each, out))
    typer.echo(f"{len(files)} files of {len(pages)} statements in {out}")
    if as_json:
        typer.echo(json.dumps({"written": [str(written) for written in files]}))


class ShownMonth(NamedTuple):
    """A month of a park: as it was closed (`final`), or as it is now."""

    park: Park
    month: ClosedMonth
    final: bool


def month_shown(month: str, park: str | None, *, draft: bool) -> ShownMonth:
    """A closed month, or with `draft` one that is not.

    Raises `OperatorError` where it is not closed.
    """
    settings, first = read_settings(), month_of(month)
    file, found = find_park(settings.park, park)
    closed = load_closed(file, found.id)
    kept = next((each for each in closed if each.month == first), None)
    if kept is None and not draft:
        raise OperatorError(f"{month} is not closed: run ecopark close {month}, or add --draft")
    return ShownMonth(found, kept or drafted(settings, found, first, closed), kept is not None)


def _names(month: ClosedMonth) -> str:
    return ", ".join(each.tenant for each in month.statements) or "none"

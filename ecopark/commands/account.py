"""`ecopark account`: what the park bought, sold, used and lost in a month, and its supplier's bills against that."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ecopark.billfile import load_bill
from ecopark.commands import AmongParks, AsJson
from ecopark.commands.statement import (
    AsDraft,
    MonthName,
    OnlyKinds,
    OnlyLanguages,
    OutFolder,
    month_shown,
)
from efficiency.closing.bill import checked_bill
from efficiency.reports.statements.account import AccountPage
from efficiency.reports.statements.write import StatementKind, write_account
from metering.months import month_of
from metering.words import Language

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark account 2026-10 --bill electricity.yaml --out account")
def account(
    month: MonthName,
    out: OutFolder,
    park: AmongParks = None,
    bill: Annotated[
        list[Path] | None,
        typer.Option(help="A bill of that month, YAML, CSV or XLSX; may be given several times."),
    ] = None,
    lang: OnlyLanguages = None,
    kind: OnlyKinds = None,
    *,
    draft: AsDraft = False,
    as_json: AsJson = False,
) -> None:
    """Write the park's own account of a month as HTML, PDF, XLSX and CSV, with each bill compared line by line.

    Ends with status 1 where a line of a bill differs by more than it may.
    """
    bills = [load_bill(file, month_of(month)) for file in bill or ()]
    found, shown, final = month_shown(month, park, draft=draft)
    checked = tuple(checked_bill(each, shown.account) for each in bills)
    page = AccountPage(found, shown, final, checked)
    files = [write_account(page, each, kind_, out) for each in lang or Language for kind_ in kind or StatementKind]
    for file in files:
        typer.echo(file)
    flagged = [comparison for each in checked for comparison in each.comparisons if comparison.flagged]
    for one in flagged:
        typer.echo(
            f"{one.band.value} {one.item.value}: the bill says {one.billed:,g}, the park's own figure is {one.own:,g} "
            f"{one.unit}; they may differ by {one.error:,g}"
        )
    if as_json:
        told = [each.model_dump(mode="json", by_alias=True) for each in checked]
        typer.echo(json.dumps({"written": [str(file) for file in files], "bills": told}))
    if flagged:
        raise typer.Exit(1)

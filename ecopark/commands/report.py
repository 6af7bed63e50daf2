"""`ecopark report`: a tenant's or a park's report of a month or a year, as HTML or PDF."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from ecopark.commands import AmongParks, AsJson, today
from ecopark.settings import read_settings
from ecopark.whichpark import find_park, find_part
from efficiency.closing.file import load_closed
from efficiency.reports.forms import read_entered
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.write import ReportOrder, checked_out, write_park_report, write_tenant_report
from metering.errors import OperatorError
from metering.words import Language

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Write the report of a tenant or a park, for a month or a year."
)

Month = Annotated[str | None, typer.Option(help="The month, as 2026-10.")]
Year = Annotated[int | None, typer.Option(help="The year, instead of a month.")]
Lang = Annotated[Language, typer.Option(help="Its language.")]
Out = Annotated[Path, typer.Option(help="The file to write: .html or .pdf.")]
Formulas = Annotated[bool, typer.Option("--formulas", help="Print the formula of every figure.")]


@app.command(epilog="Example: ecopark report tenant textile --month 2026-10 --lang vi --out textile.html")
def tenant(
    name: Annotated[str, typer.Argument(metavar="TENANT", help="Its id, or park/id among several parks.")],
    out: Out,
    month: Month = None,
    year: Year = None,
    lang: Lang = Language.VI,
    *,
    formulas: Formulas = False,
    as_json: AsJson = False,
) -> None:
    """Write what one tenant used, paid and emitted, and how efficiently it worked."""
    period, settings = ReportPeriod.parse(month, year), read_settings()
    file, park, tenant_id = find_part(settings.park, name, "tenant")
    order = ReportOrder(
        period, lang, checked_out(out), made_on=today(park), formulas=formulas, closed=load_closed(file, park.id)
    )

    async def work() -> list[Path]:
        async with settings.store() as store:
            return await write_tenant_report(store, park, park.tenant[tenant_id], order)

    _print_files(asyncio.run(work()), as_json=as_json)


@app.command(epilog="Example: ecopark report park --year 2026 --lang en --extra forms.yaml --out park-2026.pdf")
def park(
    out: Out,
    name: AmongParks = None,
    month: Month = None,
    year: Year = None,
    lang: Lang = Language.VI,
    extra: Annotated[Path | None, typer.Option(help="YAML file of what no meter knows, for the yearly forms.")] = None,
    *,
    formulas: Formulas = False,
    as_json: AsJson = False,
) -> None:
    """Write the park's report; that of a year has forms A.4, A.5, B.4 and B.5, also as CSV and XLSX beside it."""
    period, settings = ReportPeriod.parse(month, year), read_settings()
    found = find_park(settings.park, name).park
    if extra is not None and period.month is not None:
        raise OperatorError("--extra: only the report of a year has forms; name it by --year")
    entered = read_entered(extra, found) if extra is not None else {}
    order = ReportOrder(period, lang, checked_out(out), today(found), formulas)

    async def work() -> list[Path]:
        async with settings.store() as store:
            return await write_park_report(store, found, order, entered)

    _print_files(asyncio.run(work()), as_json=as_json)


def _print_files(files: list[Path], *, as_json: bool) -> None:
    for file in files:
        typer.echo(file)
    if as_json:
        typer.echo(json.dumps({"written": [str(file) for file in files]}))

"""`ecopark tariffs`: what electricity would have cost by another tariff."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecopark.commands import AmongParks, AsJson, now_ms, today
from ecopark.commands.statement import OnlyLanguages
from ecopark.progressbar import progress_bar
from ecopark.settings import Settings, read_settings
from ecopark.whichpark import find_park
from efficiency.closing.comparison import ComparedMonth, compared, summed, with_other_tariffs
from efficiency.closing.making import MonthMaker
from efficiency.reports.tariffs import subject_name, why_not, write_comparison
from metering.errors import OperatorError
from metering.figures import INDICATIVE_BELOW
from metering.months import month_of, next_month
from metering.park import Park
from metering.words import Language

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Tariffs of electricity: what another one would have cost."
)


@app.callback()
def _group() -> None:
    """Keeps the name of the command while it is the only one."""


@app.command(epilog="Example: ecopark tariffs compare --from 2026-01 --to 2026-10 --out tariffs")
def compare(
    first: Annotated[str, typer.Option("--from", help="First month, as 2026-01.")],
    last: Annotated[str, typer.Option("--to", help="Last month, included; it must be over.")],
    park: AmongParks = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write CSV and XLSX into.")] = None,
    lang: OnlyLanguages = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Charge the months of each tenant, and of the park itself, by the tariff that holds and by the other one.

    The park file says what is compared: tariffs.electricity.compared and tariffs.purchase.compared. Before VAT.
    """
    settings = read_settings()
    found = find_park(settings.park, park).park
    with_other_tariffs(found)
    if tenant is not None and tenant not in found.tenant:
        raise OperatorError(f"{found.id} has no tenant {tenant}; there are {', '.join(found.tenant)}")
    months = _compared(settings, found, _months(found, month_of(first), month_of(last)))
    chosen = [each for each in months if tenant is None or each.tenant == tenant]
    if not chosen:
        raise OperatorError(f"nobody had a point of electricity from {first} to {last}")
    _show(found, chosen)
    files = [file for each in lang or Language for file in write_comparison(found, chosen, each, out)] if out else []
    for file in files:
        typer.echo(file)
    if as_json:
        typer.echo(json.dumps({"months": [_plain(each) for each in chosen], "written": [str(file) for file in files]}))


def _months(park: Park, first: date, last: date) -> list[date]:
    """Every month from the first to the last.

    Raises `OperatorError` where there is none, or one that is not over.
    """
    if last < first:
        raise OperatorError(f"--to {last:%Y-%m} lies before --from {first:%Y-%m}")
    if next_month(last) > today(park):
        raise OperatorError(f"--to {last:%Y-%m}: the month is not over yet, its demand may still rise")
    found = [first]
    while found[-1] < last:
        found.append(next_month(found[-1]))
    return found


def _compared(settings: Settings, park: Park, months: list[date]) -> list[ComparedMonth]:
    async def work() -> list[ComparedMonth]:
        found: list[ComparedMonth] = []
        with progress_bar(f"{park.id}: reading", "months") as bar:
            async with settings.store() as store:
                maker = MonthMaker(store, park, now_ms())
                for month in bar.track(months):
                    found += compared(await maker.month(month))
        return found

    return asyncio.run(work())


_WIDE = 130
"""Columns that the sums of a park need; a narrower terminal wraps lines, not numbers."""


def _show(park: Park, months: list[ComparedMonth]) -> None:
    """A line for each tenant and the park; below, what could not be compared or needs care."""
    number, say = Language.EN.number, Language.EN
    table = Table("Whose", "Months", "kWh", "Peak, kW", "Holds, ₫", "Other, ₫", "Difference, ₫", "%", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in summed(months):
        cells = [number(each.kwh, 0), number(each.peak_kw, 1), number(each.holding, 0), number(each.other, 0)]
        cells += [number(each.other - each.holding, 0), "" if each.percent is None else f"{each.percent:+.1f}"]
        shown = cells if each.compared else [""] * len(cells)
        table.add_row(escape(subject_name(park, each.tenant, say)), f"{each.compared} of {each.months}", *shown)
    console = Console()
    console.width = max(console.width, _WIDE)
    console.print(table)
    for month in months:
        told = [f"no comparison: {why_not(month, say)}"] if month.difference is None else []
        if month.completeness < INDICATIVE_BELOW:
            told.append(f"only {say.percent(month.completeness)} of the quarter hours are known")
        if month.peak is not None and month.peak.known < 1:
            told.append(f"{say.percent(1 - month.peak.known)} of the half hours are not known: the peak may be higher")
        if month.peak is not None and month.peak.estimated:
            told.append("the highest half hour is estimated")
        if told:
            typer.echo(f"{month.month:%Y-%m} {subject_name(park, month.tenant, say)}: {'; '.join(told)}")


def _plain(month: ComparedMonth) -> dict[str, Any]:
    sides = {
        name: {"total_vnd": side.total, **{f"{kind.value}_vnd": amount for kind, amount in side.by_kind.items()}}
        for name, side in (("holding", month.holding), ("other", month.other))
    }
    return {
        "month": f"{month.month:%Y-%m}",
        "tenant": month.tenant,
        "kwh": month.kwh,
        "completeness": month.completeness,
        "estimated": month.estimated,
        "peak": month.peak.model_dump(mode="json") if month.peak is not None else None,
        "missing": why_not(month, Language.EN),
        **sides,
    }

"""`ecopark close`: freeze a month with what it came from; what changes afterwards is stated as a correction."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ecopark.commands import AmongParks, AsJson, now_ms, today
from ecopark.progressbar import progress_bar
from ecopark.settings import Settings, read_settings
from ecopark.whichpark import ParkInFile, find_park
from efficiency.closing.file import ClosedMonth, load_closed, may_close, write_closed
from efficiency.closing.making import MonthMaker
from metering.errors import OperatorError
from metering.months import month_of
from metering.park import Park
from metering.words import Language

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark close 2026-10 --check")
def close(
    month: Annotated[str, typer.Argument(help="The month, as 2026-10; it must be over.")],
    park: AmongParks = None,
    anyway: Annotated[
        str | None, typer.Option(metavar="REASON", help="Close it in spite of what is in the way, for this reason.")
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only list why the month cannot be closed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Freeze what every tenant is charged for a month, beside the park file.

    Refused, with a list, while data are incomplete or suspect. Ends with status 2 then, also with --check.
    """
    settings, first = read_settings(), month_of(month)
    found = find_park(settings.park, park)
    closed = load_closed(found.file, found.park.id)
    may_close(closed, first, today(found.park))
    draft = drafted(settings, found.park, first, closed)
    for obstacle in draft.obstacles:
        typer.echo(f"{obstacle.subject}: {Language.EN.say(obstacle.text)}")
    file = None if check else _written(found, draft, anyway)
    _tell(draft)
    if as_json:
        told = {"obstacles": [each.model_dump(mode="json") for each in draft.obstacles], "file": file and str(file)}
        typer.echo(json.dumps(told))
    if check and draft.obstacles:
        raise typer.Exit(2)


def drafted(settings: Settings, park: Park, first: date, closed: tuple[ClosedMonth, ...]) -> ClosedMonth:
    """The month as it would be closed now; shows a progress bar."""

    async def work() -> ClosedMonth:
        with progress_bar(f"{park.id}: reading", "metering points") as bar:
            task = bar.add_task("read", total=None)
            async with settings.store() as store:
                maker = MonthMaker(store, park, now_ms(), lambda done, of: bar.update(task, completed=done, total=of))
                return await maker.draft(first, closed)

    return asyncio.run(work())


def _written(found: ParkInFile, draft: ClosedMonth, anyway: str | None) -> Path:
    if draft.obstacles and not anyway:
        count, month = len(draft.obstacles), f"{draft.month:%Y-%m}"
        raise OperatorError(
            f"{month} is not closed: {count} obstacle(s) are listed above; remove them, or give a reason with --anyway"
        )
    if not draft.statements:
        raise OperatorError(f"{draft.month:%Y-%m} is not closed: no tenant had a metering point in it")
    frozen = draft.model_copy(update={"anyway": (anyway or "") if draft.obstacles else ""})
    file = write_closed(found.file, frozen)
    typer.echo(f"Closed in {file}")
    return file


def _tell(draft: ClosedMonth) -> None:
    number = Language.EN.number
    for each in draft.statements:
        corrected = sum(line.net_vnd for line in each.corrections)
        typer.echo(
            f"{each.tenant}: {number(each.net_vnd, 0)} ₫, VAT {number(each.vat_vnd, 0)} ₫, to pay "
            f"{number(each.total_vnd, 0)} ₫" + (f", of it corrections {number(corrected, 0)} ₫" if corrected else "")
        )

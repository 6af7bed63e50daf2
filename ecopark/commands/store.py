"""`ecopark store`: move what is stored to another server."""

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ecopark.commands import AsJson
from metering.errors import OperatorError
from store.client import Store
from store.copying import Copied, CopyJournal, copy_measurement, databases, make_database, measurements, summary
from store.schema import OPERATOR_DATABASE

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What is stored: move it to another server.")

FROM, TO = "ECOPARK_COPY_FROM", "ECOPARK_COPY_TO"


@app.callback()
def _group() -> None:
    """Keeps the name of the command while it is the only one."""


@app.command(epilog="Example: ecopark store copy --from http://old:8086 --to http://new:8086 --journal copy.json")
def copy(
    source: Annotated[str, typer.Option("--from", help="Server that has the data.")],
    target: Annotated[str, typer.Option("--to", help="Server that gets them.")],
    journal: Annotated[Path, typer.Option(help="File with the progress; a copy continues from it.")] = Path(
        "ecopark-copy.json"
    ),
    *,
    as_json: AsJson = False,
) -> None:
    """Copy all databases of Ecopark to another InfluxDB or openGemini, and compare the counts.

    Users and tokens come from the environment: ECOPARK_COPY_FROM_USER and ECOPARK_COPY_FROM_TOKEN, ECOPARK_COPY_TO_USER
    and ECOPARK_COPY_TO_TOKEN. Stop the ingesters first, or copy again afterwards: what arrives meanwhile may be missed.
    """
    copied = asyncio.run(_copy(source, target, CopyJournal(journal)))
    differences = summary(copied)
    if as_json:
        points = sum(one.points for one in copied)
        typer.echo(json.dumps({"points": points, "measurements": len(copied), "differences": differences}))
    else:
        typer.echo("\n".join([f"{len(copied)} measurements copied.", *(differences or ["The counts agree."])]))
    raise typer.Exit(1 if differences else 0)


async def _copy(source: str, target: str, journal: CopyJournal) -> list[Copied]:
    copied: list[Copied] = []
    async with _store(source, FROM) as old, _store(target, TO) as new:
        names = await databases(old, OPERATOR_DATABASE)
        if not names:
            raise OperatorError(f"{source} has no database {OPERATOR_DATABASE}; correct --from, or its user's rights")
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[points]} points"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            for database in names:
                await make_database(new, database)
                for measurement in await measurements(old, database):
                    shown = bar.add_task(f"{database}.{measurement}", total=1.0, points=0)
                    progress = partial(_show, bar, shown)
                    copied.append(
                        await copy_measurement(old, new, database, measurement, journal=journal, progress=progress)
                    )
    return copied


def _show(bar: Progress, shown: TaskID, points: int, share: float) -> None:
    bar.update(shown, completed=share, points=points)


def _store(url: str, prefix: str) -> Store:
    return Store(url, os.environ.get(f"{prefix}_USER"), os.environ.get(f"{prefix}_TOKEN"))

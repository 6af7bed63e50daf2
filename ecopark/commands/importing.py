"""`ecopark import`: history and manual readings from a spreadsheet, through the front door."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ecopark.commands import AsJson
from ecopark.importing import (
    ImportJournal,
    ImportMapping,
    ImportResult,
    load_mapping,
    load_rows,
    readings_of,
    send,
    write_refused,
)
from ecopark.settings import read_settings
from gateway.publisher import Link
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks

app = typer.Typer(add_completion=False)


@app.command("import", epilog="Example: ecopark import readings-2026-10.xlsx --mapping readings.map.yaml")
def import_readings(
    file: Annotated[Path, typer.Argument(help="A CSV file or workbook.")],
    mapping: Annotated[Path, typer.Option(help="YAML file that says which column is what.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Send rows of a spreadsheet as readings: MQTT, the ingester's checks, receipts. Run again, it goes on.

    Rows that are not stored are written to FILE.refused.csv with the reason. Exit status 1 where there are any.
    """
    said = load_mapping(mapping)
    park = _park(said)
    rows = load_rows(file, said)
    readings, unread = readings_of(rows, said, park)
    identity = hashlib.sha256(file.read_bytes() + mapping.read_bytes()).hexdigest()
    journal = ImportJournal(file.with_name(file.name + ".import"), identity)
    with Progress(console=Console(stderr=True)) as bar:
        shown = bar.add_task(f"{file.name}: {len(readings)} readings", total=len(readings))
        result = asyncio.run(
            send(
                readings,
                Link(read_settings().broker(), park.id, said.gateway),
                journal,
                lambda done: bar.advance(shown, done),
            )
        )
    faults = sorted([*unread, *result.faults], key=lambda fault: fault.row)
    refused = file.with_name(file.name + ".refused.csv")
    if faults:
        write_refused(refused, rows, faults, said)
    _say(result, len(faults), refused, as_json=as_json)
    raise typer.Exit(1 if faults else 0)


def _say(result: ImportResult, faults: int, refused: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"stored": result.stored, "already": result.already, "refused_rows": faults}))
        return
    typer.echo(f"{result.stored} readings stored, {result.already} had been before.")
    if faults:
        typer.echo(
            f"{faults} rows are not stored, or not whole: {refused} says why. Correct them there and import that file."
        )


def _park(mapping: ImportMapping) -> Park:
    parks = {park.id: park for park in load_parks(read_settings().park).values()}
    if mapping.park is None and len(parks) > 1:
        raise OperatorError(f"say which park the readings are of (park in the mapping): {', '.join(sorted(parks))}")
    park = next(iter(parks.values())) if mapping.park is None else parks.get(mapping.park)
    if park is None:
        raise OperatorError(f"there is no park {mapping.park!r}; there are {', '.join(sorted(parks))}")
    if mapping.gateway not in {gateway.id for gateway in park.gateways}:
        raise OperatorError(f"the park file has no gateway {mapping.gateway!r}, through which the readings are to come")
    return park

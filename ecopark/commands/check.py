"""`ecopark check`: every fault of park files and of the files of baselines beside them."""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ecopark.payloads import outcomes, plain, sentences
from efficiency.baseline.frozen import checked
from gateway.sources import faults
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark check park.yaml --payload message.json --topic tele/em-1/SENSOR")
def check(
    where: Annotated[Path, typer.Argument(help="A park file, or a folder of them.")],
    payload: Annotated[
        list[Path] | None, typer.Option(help="Say what would become of this message; several show how fast it counts.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Topic on which the payload is published.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Of payloads: end with one line of JSON.")] = False,
) -> None:
    """Read park files and report every fault: file, line, key, value, and what would be right.

    The files of baselines beside them are read too. With --payload, say value by value what would become of a message.
    """
    wrong = []
    parks = load_parks(where, [faults])
    if payload:
        _explain(list(parks.values()), payload, topic, as_json=as_json)
        return
    for file, park in parks.items():
        typer.echo(
            f"{file}: {park.id}: {len(park.tenants)} tenants, {len(park.gateways)} gateways, {len(park.meters)} meters"
        )
        wrong += checked(file, park, datetime.now(park.zone).date())
    if wrong:
        raise OperatorError("\n".join(wrong))


def _explain(parks: Sequence[Park], files: Sequence[Path], topic: str | None, *, as_json: bool) -> None:
    if topic is None:
        raise OperatorError("--payload needs --topic, the topic on which it is published")
    try:
        payloads = [file.read_bytes() for file in files]
    except OSError as error:
        raise OperatorError(f"{error.filename}: cannot be read: {error.strerror}") from error
    found = outcomes(parks, topic, payloads, time.time_ns() // 1_000_000)
    typer.echo(plain(found) if as_json else "\n".join(sentences(parks, topic, found)))
    raise typer.Exit(1 if any(each.refused or each.unknown for each in found) else 0)

"""`ecopark listen`: what is published on a broker, which preset reads it, and entries for the park file."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecopark.commands import AsJson
from ecopark.listening import Shape, devices, draft, hear, shapes
from ecopark.refused import printable
from ecopark.settings import read_settings
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks

MOST_NAMES = 8
"""How many devices of a shape the table names."""

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark listen --seconds 60 --topic 'application/#' --gateway gw-lora")
def listen(
    seconds: Annotated[float, typer.Option(help="How long to listen.")] = 30.0,
    topic: Annotated[str, typer.Option(help="Topics to listen to, with MQTT wildcards.")] = "#",
    gateway: Annotated[str, typer.Option(help="Gateway of the park file that is to carry what is found.")] = "gw-new",
    *,
    as_json: AsJson = False,
) -> None:
    """Listen to the broker and say what is there: topics by shape, which preset fits, and which devices are new.

    Entries of `sources` and `meters` for the park file are printed ready to paste; what is guessed says so.
    """
    settings = read_settings()
    typer.echo(f"Listening to {topic} on {settings.broker()} for {seconds:g} s ...", err=True)
    parks = _parks(settings.park)
    found = shapes(asyncio.run(hear(settings.broker(), topic, seconds)), parks)
    if as_json:
        typer.echo(json.dumps({"shapes": [_plain(shape) for shape in found]}))
        return
    if not found:
        typer.echo(
            f"Nothing but Ecopark's own messages in {seconds:g} s on {topic}: does the device send, and to this broker?"
        )
        return
    table = Table("topics", "messages", "read by", "devices")
    for shape in found:
        names = sorted(devices(shape))
        shown = ", ".join([*names[:MOST_NAMES], *(["..."] if len(names) > MOST_NAMES else [])])
        table.add_row(
            escape(printable(shape.topic)), str(shape.messages), escape(_read_by(shape)), escape(printable(shown))
        )
    Console().print(table)
    typer.echo("\n" + "\n".join(map(printable, draft(found, gateway, parks).split("\n"))))


def _parks(where: Path) -> list[Park]:
    """The parks whose meters and sources are known already; none where there is no park file yet."""
    try:
        return list(load_parks(where).values())
    except OperatorError:
        return []


def _read_by(shape: Shape) -> str:
    if shape.source:
        return f"source {shape.source}"
    return f"preset {shape.preset}" if shape.preset else "nothing yet: see the guess"


def _plain(shape: Shape) -> dict[str, object]:
    return {
        "topic": shape.topic,
        "preset": shape.preset,
        "source": shape.source,
        "messages": shape.messages,
        "devices": devices(shape),
        "proposal": {name: part.entry | {"heard": part.heard} for name, part in shape.proposal.items()},
    }

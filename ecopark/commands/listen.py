"""`ecopark listen`: what is published on a broker, which preset reads it, and entries for the park file."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecopark.listening import Shape, devices, draft, hear, shapes
from ecopark.settings import read_settings
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark listen --seconds 60 --topic 'application/#' --gateway gw-lora")
def listen(
    seconds: Annotated[float, typer.Option(help="How long to listen.")] = 30.0,
    topic: Annotated[str, typer.Option(help="Topics to listen to, with MQTT wildcards.")] = "#",
    gateway: Annotated[str, typer.Option(help="Gateway of the park file that is to carry what is found.")] = "gw-new",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Listen to the broker and say what is there: topics by shape, which preset fits, and which devices are new.

    Entries of `sources` and `meters` for the park file are printed ready to paste; what is guessed says so.
    """
    settings = read_settings()
    found = shapes(asyncio.run(hear(settings.broker(), topic, seconds)))
    park = _park(settings.park)
    if as_json:
        typer.echo(json.dumps({"shapes": [_plain(shape) for shape in found]}))
        return
    if not found:
        typer.echo(
            f"Nothing but Ecopark's own messages in {seconds:g} s on {topic}: does the device send, and to this broker?"
        )
        return
    table = Table("topics", "messages", "preset", "devices")
    for shape in found:
        names = sorted(devices(shape))
        table.add_row(
            escape(shape.topic), str(shape.messages), shape.preset or "none fits", escape(", ".join(names[:8]))
        )
    Console().print(table)
    for shape in found:
        typer.echo(f"\n# {shape.topic}\n{draft(shape, gateway, park)}")


def _park(where: Path) -> Park | None:
    """The park whose meters are known already, if there is just one."""
    try:
        parks = list(load_parks(where).values())
    except OperatorError:
        return None
    return parks[0] if len(parks) == 1 else None


def _plain(shape: Shape) -> dict[str, object]:
    return {
        "topic": shape.topic,
        "preset": shape.preset,
        "messages": shape.messages,
        "devices": devices(shape),
        "proposal": shape.proposal,
    }

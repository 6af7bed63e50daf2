"""`ecopark demo`: a whole park on this machine, or its parts one by one in containers."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from proving.demo import parts
from proving.demo.run import run_demo

app = typer.Typer(add_completion=False)

Folder = Annotated[Path, typer.Option("--dir", help="The park's folder.")]
Days = Annotated[int, typer.Option(min=1, max=366, help="How much of the past to fill in.")]
Port = Annotated[int, typer.Option(help="Of the first gateway's line at the plant; the others' follow.")]


@app.callback(invoke_without_command=True, epilog="Example: ecopark demo --days 2 --for 30 --json")
def demo(
    ctx: typer.Context,
    seconds: Annotated[
        float | None,
        typer.Option("--for", help="Live for this long; without it until Ctrl-C, or 60 s without a terminal."),
    ] = None,
    days: Days = 30,
    folder: Annotated[Path, typer.Option("--dir", help="Where everything is kept.")] = Path(".demo"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Run a whole invented park on this machine: simulated plant, gateways, broker, ingester, database."""
    if ctx.invoked_subcommand is None:
        raise typer.Exit(asyncio.run(run_demo(folder, days=days, seconds=seconds, as_json=as_json)))


@app.command(epilog="Example: ecopark demo prepare --dir park")
def prepare(folder: Folder, days: Days = 30) -> None:
    """Put the demo park into a folder without park files; any other is left as it is."""
    parts.prepare(folder, days)


@app.command(epilog="Example: ecopark demo plant --dir park")
def plant(folder: Folder, port: Port = parts.PORT) -> None:
    """Become the simulated plant of a prepared park."""
    _become(parts.plant(folder, parts.ports(folder, port)))


@app.command(epilog="Example: ecopark demo gateway gw-east --dir park --plant plant")
def gateway(
    name: Annotated[str, typer.Argument(metavar="GATEWAY", help="Its id in the park file.")],
    folder: Folder,
    host: Annotated[str, typer.Option("--plant", help="Where the plant is.")] = "127.0.0.1",
    port: Port = parts.PORT,
) -> None:
    """Become a gateway of a prepared park: the first time it delivers all of the past, later what it missed."""
    _become(parts.gateway(folder, name, host, port))


@app.command(epilog="Example: ecopark demo pictures --out docs/pictures")
def pictures(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("docs/pictures"),
    folder: Annotated[Path, typer.Option("--dir", help="The demo's folder.")] = Path(".demo"),
) -> None:
    """Draw the documentation's pictures of dashboards over the demo's data, in Chromium."""
    from proving.demo.pictures import draw_all  # noqa: PLC0415 (its browser is not part of the image)

    wrong = draw_all(folder, out)
    for fault in wrong:
        sys.stderr.write(f"ecopark: {fault}\n")
    raise typer.Exit(1 if wrong else 0)


def _become(command: list[str]) -> None:
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606 (our own command line)

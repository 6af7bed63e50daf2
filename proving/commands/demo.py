"""`ecopark demo`: a whole park on this machine."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from proving.demo.run import run_demo

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark demo --days 2 --for 30 --json")
def demo(
    seconds: Annotated[
        float | None,
        typer.Option("--for", help="Live for this long; without it until Ctrl-C, or 60 s without a terminal."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How much of the past to fill in.")] = 30,
    folder: Annotated[Path, typer.Option("--dir", help="Where everything is kept.")] = Path(".demo"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Run a whole invented park on this machine: simulated plant, gateways, broker, ingester, database."""
    raise typer.Exit(asyncio.run(run_demo(folder, days=days, seconds=seconds, as_json=as_json)))

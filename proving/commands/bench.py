"""`ecopark bench`: measures the path on this machine, with servers of its own that end with it."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from proving.bench.run import run
from proving.bench.scale import FULL, QUICK
from proving.bench.table import table

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark bench --quick --json")
def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Less of everything: under a minute, and noisier.")] = False,
) -> None:
    """Measure throughput, processor time, latency and memory of the path from meter to database."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="ecopark-bench-") as folder, console.status("starting") as status:
        figures = asyncio.run(run(QUICK if quick else FULL, Path(folder), status.update))
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        Console().print(table(figures))

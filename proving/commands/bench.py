"""`ecopark bench`: measures on this machine, with servers of its own that end with it."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from metering.errors import OperatorError
from proving.bench import country, panels, usage
from proving.bench.run import run
from proving.bench.scale import FULL, QUICK
from proving.bench.scaledoc import Prices, document
from proving.bench.table import table

app = typer.Typer(add_completion=False, help="Measure this machine: without a command, the path.")

Keep = Annotated[Path | None, typer.Option(help="A folder to leave park file and database in.")]


@app.callback(invoke_without_command=True, epilog="Example: ecopark bench --quick --json")
def bench(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Less of everything: under a minute, and noisier.")] = False,
) -> None:
    """Measure throughput, processor time, latency and memory of the path from meter to database."""
    if ctx.invoked_subcommand is not None:
        return
    console = Console(stderr=True)
    with _folder(None) as folder, console.status("starting") as status:
        figures = asyncio.run(run(QUICK if quick else FULL, folder, status.update))
    if as_json:
        _say(figures)
    else:
        Console().print(table(figures))


@app.command("usage", epilog="Example: ecopark bench usage --days 1 --interval 60")
def _usage(
    *,
    days: Annotated[int, typer.Option(help="Up to last midnight.")] = 1,
    interval: Annotated[int, typer.Option(help="Seconds between two readings of a meter.")] = 60,
    copies: Annotated[int, typer.Option(help=f"Of the example park's {usage.METERS} meters.")] = usage.COPIES,
    keep: Keep = None,
) -> None:
    """Measure how long the use of a large park takes to compute. Ends with one line of JSON."""
    with _folder(keep) as folder:
        _say(asyncio.run(usage.measure(folder, copies, days, interval)))


@app.command("country", epilog="Example: ecopark bench country --share 0.1 --out docs/scale.md")
def _country(
    *,
    parks: Annotated[int, typer.Option(help="Of the country.")] = 400,
    meters: Annotated[int, typer.Option(help="Of a park, each read once a minute.")] = 2_000,
    share: Annotated[float, typer.Option(help="Of the parks that are simulated here.", min=0.0, max=1.0)] = 0.1,
    minutes: Annotated[int, typer.Option(help="Measured once each park was computed.", min=1)] = 5,
    index: Annotated[str, typer.Option(help="The database's index-version: inmem or tsi1.")] = "inmem",
    out: Annotated[Path | None, typer.Option(help="Write the page of the result there.")] = None,
    core_price: Annotated[float, typer.Option(help="Of a core a month.")] = 0.0,
    gib_price: Annotated[float, typer.Option(help="Of a GiB of memory a month.")] = 0.0,
    tb_price: Annotated[float, typer.Option(help="Of a TB of disk a month.")] = 0.0,
    prices: Annotated[str, typer.Option(help="Whose prices, in which currency, read when.")] = "",
    keep: Keep = None,
) -> None:
    """Measure what many parks take, and say what follows for a country. Ends with one line of JSON."""
    known = Prices(core=core_price, gib=gib_price, tb=tb_price, source=prices)
    if (core_price or gib_price or tb_price) and not prices:
        raise OperatorError("prices change: say with --prices whose they are, in which currency and of which day")
    with _folder(keep) as folder:
        scale = country.CountryScale(parks=parks, meters=meters, share=share, minutes=minutes, index=index)
        figures = asyncio.run(country.measure(folder, scale))
    if out is not None:
        out.write_text(document(figures, str(datetime.now(UTC).date()), known), encoding="utf-8")
    _say(figures)


@app.command("panels", epilog="Example: ecopark bench panels --keep /var/tmp/large")
def _panels(
    *,
    influx: Annotated[
        str | None,
        typer.Option(help="Ask this one, which has a park's data, and fill none (15 min, 2 GB)."),
    ] = None,
    pid: Annotated[int | None, typer.Option(help="Its process, for the processor time.")] = None,
    park: Annotated[Path | None, typer.Option(help="Its park file.")] = None,
    now: Annotated[datetime | None, typer.Option(help="When the pages end; now without it.")] = None,
    keep: Keep = None,
) -> None:
    """Measure how long the panels of the dashboards wait for the database."""
    until = (now or datetime.now(UTC)).astimezone()
    if influx is None:
        with _folder(keep) as folder:
            found = asyncio.run(panels.of_large_park(folder, until))
    elif park is None:
        raise OperatorError("--influx needs --park: whose panels are they?")
    else:
        found = asyncio.run(panels.of_server(influx, pid or os.getpid(), park, until))
    sys.stdout.write(found + "\n")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ecopark-bench-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def _say(figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")

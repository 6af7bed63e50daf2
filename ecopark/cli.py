"""The command line. Exit status: 0 done, 1 the work failed, 2 wrong use or configuration."""

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from typer._click import Command, Context
from typer.core import TyperGroup
from typer.main import get_command

from ecopark.settings import read_settings
from metering.errors import OperatorError
from metering.park import Gateway, Park
from metering.parkfile import ParkFileError, load_parks

_MODULES = {
    "baseline": "ecopark.baselinecli",
    "bench": "ecopark.benchcli",
    "broker": "ecopark.brokercli",
    "dashboards": "ecopark.dashboardscli",
    "refused": "ecopark.refusedcli",
    "report": "ecopark.reportcli",
    "tenants": "ecopark.tenantscli",
    "usage": "ecopark.usagecli",
}
"""Commands with a module of their own, which has the `app`."""


class _AsAsked(TyperGroup):
    """Imports what a command needs when it is asked for: an ingester has no use for numpy, nor the memory."""

    def list_commands(self, ctx: Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_MODULES])

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name not in _MODULES:
            return super().get_command(ctx, cmd_name)
        command = get_command(import_module(_MODULES[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_AsAsked,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ecopark: telemetry of eco-industrial parks.",
)


@app.callback()
def _log_to_stderr(
    *, verbose: Annotated[bool, typer.Option("--verbose", help="Log more than warnings.")] = False
) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


@app.command(epilog="Example: ecopark check examples/song-xanh/park.yaml")
def check(where: Annotated[Path, typer.Argument(help="A park file, or a folder of them.")]) -> None:
    """Read park files and report every fault: file, line, key, value, and what would be right.

    The files of baselines beside them are read too.
    """
    from efficiency.heldbaselines import checked

    wrong = []
    for file, park in load_parks(where).items():
        typer.echo(
            f"{file}: {park.id}: {len(park.tenants)} tenants, {len(park.gateways)} gateways, {len(park.meters)} meters"
        )
        wrong += checked(file, park, datetime.now(park.zone).date())
    if wrong:
        raise OperatorError("\n".join(wrong))


@app.command(epilog="Example: ECOPARK_PARK=parks ECOPARK_MQTT_URL=mqtt://ingest:secret@broker:1883 ecopark ingest")
def ingest() -> None:
    """Take readings from the broker, check them, write them to InfluxDB, acknowledge what it has."""
    from ingest.parks import Parks
    from ingest.service import Ingester

    settings = read_settings()

    async def work(stop: asyncio.Event) -> None:
        async with settings.store() as store:
            parks = Parks(settings.park)
            # A large park would be walked through again and again, and the path makes many objects and no circles.
            gc.freeze()
            gc.set_threshold(20_000)
            ingester = Ingester(parks, settings.broker(), store, settings.instance, _now_ms)
            await ingester.run(stop)

    _run_until_told(work)


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
    from ecopark.demo.run import run_demo

    raise typer.Exit(asyncio.run(run_demo(folder, days=days, seconds=seconds, as_json=as_json)))


@app.command(epilog="Example: ECOPARK_PARK=park.yaml ECOPARK_MODBUS_URL=modbus://10.0.0.7 ecopark gateway gw-east")
def gateway(
    name: Annotated[str, typer.Argument(metavar="GATEWAY", help="Its id, or park/id among several parks.")],
) -> None:
    """Poll the meters of one gateway into its spool, and publish the spool."""
    from gateway.modbus import ModbusSource
    from gateway.publisher import Link
    from gateway.service import Settings, run_gateway

    settings = read_settings()
    park, found = _find_gateway(settings.park, name)

    async def work(stop: asyncio.Event) -> None:
        link = Link(settings.broker(), park.id, found.id)
        meters = park.meters_of(found.id)
        async with ModbusSource(meters, line=settings.line(), clock=time.time, stop=stop) as source:
            await run_gateway(Settings(link, settings.spool, confirm=found.confirm), source, stop=stop)

    _run_until_told(work)


def _find_gateway(where: Path, name: str) -> tuple[Park, Gateway]:
    park_id, _, gateway_id = name.rpartition("/")
    found = [
        (park, gateway)
        for park in load_parks(where).values()
        for gateway in park.gateways
        if gateway.id == gateway_id and park_id in {"", park.id}
    ]
    if len(found) != 1:
        what = "several parks have" if found else "no park file has"
        raise OperatorError(f"{what} a gateway {name} in {where}; name it as park/gateway")
    return found[0]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _run_until_told(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run a service until SIGTERM or Ctrl-C, which let it finish what is in flight."""

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await work(stop)

    asyncio.run(run())


def main() -> None:
    """Entry point: an operator's mistake is one clear line and exit 2, wherever it came up."""
    try:
        app()
    except* OperatorError as group:
        for error in _each(group):
            sys.stderr.write(f"ecopark: {error}\n" if not isinstance(error, ParkFileError) else f"{error}\n")
        sys.exit(2)


def _each(group: BaseExceptionGroup[OperatorError]) -> list[OperatorError]:
    found: list[OperatorError] = []
    for error in group.exceptions:
        found += _each(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found

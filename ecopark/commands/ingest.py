"""`ecopark ingest`: the service that takes readings from the broker."""

import asyncio
import gc

import typer
import uvloop

from ecopark.commands import now_ms
from ecopark.settings import read_settings
from ingest.directory import Parks
from ingest.health import faults
from ingest.service import Ingester
from running.monitor import Monitor, served
from running.service import run_until_told

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ECOPARK_PARK=parks ECOPARK_MQTT_URL=mqtt://ingest:secret@broker:1883 ecopark ingest")
def ingest() -> None:
    """Take readings from the broker, check them, write them to InfluxDB, acknowledge what it has."""
    settings = read_settings()

    async def work(stop: asyncio.Event) -> None:
        monitor = Monitor("ingest", faults, asyncio.get_running_loop().time)
        async with settings.store() as store, served(monitor, settings.metrics):
            parks = Parks(settings.park)
            # The garbage collector would walk through a large park again and again, and the path makes many objects and
            # no cycles.
            gc.freeze()
            gc.set_threshold(20_000)
            ingester = Ingester(parks, settings.broker(), store, settings.instance, now_ms, report=monitor.report)
            await ingester.run(stop)

    run_until_told(work, uvloop.new_event_loop)  # a tenth less processor time than asyncio's own

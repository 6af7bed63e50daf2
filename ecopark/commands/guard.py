"""`ecopark guard`: between tenants and an InfluxDB 1.x, which does not keep them apart by itself."""

import asyncio
from typing import Annotated

import typer
from aiohttp import web

from ecopark.settings import read_settings
from ecopark.tenants.guard import Guard
from ecopark.tenants.wanted import PREFIX
from metering.errors import OperatorError
from running.service import run_until_told

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ECOPARK_INFLUX_URL=http://127.0.0.1:8086 ecopark guard --bind 10.0.0.7 --port 8087")
def guard(
    bind: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8087,
) -> None:
    """Answer tenants' queries: one SELECT at a time, of the tenant's own database, with its own account.

    It holds no credentials. Tenants and their Grafana reach this address; the database they must not reach.
    """
    settings = read_settings()

    async def work(stop: asyncio.Event) -> None:
        runner = web.AppRunner(Guard(settings.influx_url, PREFIX).application(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, bind, port).start()
            await stop.wait()
        except OSError as error:
            raise OperatorError(f"{bind}:{port} cannot be listened on: {error.strerror}; choose another") from error
        finally:
            await runner.cleanup()

    run_until_told(work)

"""`ecopark view`: the dashboards in a browser, where there is no Grafana."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dashboards.generate import PageOwner
from dashboards.viewer.alerts import Alerts
from dashboards.viewer.boards import Boards
from dashboards.viewer.server import Viewer, is_loopback, start
from ecopark.settings import Settings, read_settings
from ecopark.tenants.keys import Keys
from ecopark.tenants.wanted import Home, homes
from metering.errors import OperatorError
from metering.parkfile import load_parks
from running.service import run_until_told
from store.client import Store
from store.schema import OPERATOR_DATABASE

PORT = 3001
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ECOPARK_PARK=parks ECOPARK_INFLUX_URL=http://influx:8086 ecopark view")
def view(
    tenant: Annotated[str | None, typer.Option(help="Show the own page of this tenant, over its own database.")] = None,
    park: Annotated[str | None, typer.Option(help="The tenant's park, where several have one of that id.")] = None,
    folder: Annotated[
        Path, typer.Option("--dir", help="Where `ecopark tenants sync` keeps the tenant's credentials.")
    ] = Path("tenants"),
    listen: Annotated[str, typer.Option(help="The address to listen on; nobody has to log in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = PORT,
) -> None:
    """Show the dashboards of the park files in a browser, read-only, until Ctrl-C.

    For a trial, a control room and pictures. There is no login: whoever reaches the address sees everything. For
    accounts, notifications and changes take Grafana.
    """
    settings = read_settings()
    if tenant is None:
        store, database, owner = settings.store(), OPERATOR_DATABASE, None
    else:
        home = _home(settings, tenant, park)
        store, database, owner = _as_tenant(settings, home, folder), home.database, PageOwner(home.park.id, tenant)
    boards = Boards(settings.park, _now, owner=owner)

    async def work(stop: asyncio.Event) -> None:
        async with store:
            viewer = Viewer(boards, store, database, Alerts(store) if tenant is None else None, _now)
            listening = await start(viewer.application(loopback=is_loopback(listen)), listen, port)
            try:
                sys.stdout.write(f"Dashboards: {listening.url}\n")
                sys.stdout.flush()
                await stop.wait()
            finally:
                await listening.runner.cleanup()

    run_until_told(work)


def _now() -> datetime:
    return datetime.now(UTC)


def _home(settings: Settings, tenant: str, park: str | None) -> Home:
    """Where the tenant's data is.

    Raises `OperatorError` where the tenant is unknown or ambiguous.
    """
    found = [home for home in homes(load_parks(settings.park).values()) if home.tenant.id == tenant]
    found = [home for home in found if park in {None, home.park.id}]
    if not found:
        raise OperatorError(f"--tenant {tenant}: no park file has a tenant of this id")
    if len(found) > 1:
        parks = ", ".join(home.park.id for home in found)
        raise OperatorError(f"--tenant {tenant}: several parks have it ({parks}); choose one with --park")
    return found[0]


def _as_tenant(settings: Settings, home: Home, folder: Path) -> Store:
    """A tenant's database with the tenant's own credentials, which read it and nothing else.

    Raises `OperatorError` where credentials are needed and missing.
    """
    secret = Keys.influx(folder).get(home.database)
    if secret is None and settings.influx_token is not None:
        raise OperatorError(
            f"{folder} has no credentials of {home.tenant.id}; make them with `ecopark tenants sync --dir {folder}`"
        )
    return Store(settings.influx_url, home.database, secret)

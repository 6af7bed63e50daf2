"""`ecopark gateway`: the service beside the meters."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from ecopark.settings import read_settings
from gateway.polling import Polling
from gateway.publisher import Link
from gateway.service import Settings, run_gateway
from gateway.sources import faults, lines_of
from metering.errors import OperatorError
from metering.park import Gateway, Park
from metering.parkfile import load_parks
from running.service import run_until_told

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ECOPARK_PARK=park.yaml ECOPARK_MODBUS_URL=modbus://10.0.0.7 ecopark gateway gw-east")
def gateway(
    name: Annotated[str, typer.Argument(metavar="GATEWAY", help="Its id, or park/id among several parks.")],
) -> None:
    """Poll the meters of one gateway into its spool, and publish the spool."""
    settings = read_settings()
    park, found = _find_gateway(settings.park, name)

    async def work(stop: asyncio.Event) -> None:
        link = Link(settings.broker(), park.id, found.id)
        lines = lines_of(park, found, settings.lines(), time.time)
        async with Polling(lines, clock=time.time, stop=stop) as source:
            await run_gateway(Settings(link, settings.spool, confirm=found.confirm), source, stop=stop)

    run_until_told(work)


def _find_gateway(where: Path, name: str) -> tuple[Park, Gateway]:
    park_id, _, gateway_id = name.rpartition("/")
    found = [
        (park, gateway)
        for park in load_parks(where, [faults]).values()
        for gateway in park.gateways
        if gateway.id == gateway_id and park_id in {"", park.id}
    ]
    if len(found) != 1:
        what = "several parks have" if found else "no park file has"
        raise OperatorError(f"{what} a gateway {name} in {where}; name it as park/gateway")
    return found[0]

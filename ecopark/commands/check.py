"""`ecopark check`: every fault of park files and of the files of baselines beside them."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from efficiency.baseline.held import checked
from gateway.sources import faults
from metering.errors import OperatorError
from metering.parkfile import load_parks

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark check examples/song-xanh/park.yaml")
def check(where: Annotated[Path, typer.Argument(help="A park file, or a folder of them.")]) -> None:
    """Read park files and report every fault: file, line, key, value, and what would be right.

    The files of baselines beside them are read too.
    """
    wrong = []
    for file, park in load_parks(where, [faults]).items():
        typer.echo(
            f"{file}: {park.id}: {len(park.tenants)} tenants, {len(park.gateways)} gateways, {len(park.meters)} meters"
        )
        wrong += checked(file, park, datetime.now(park.zone).date())
    if wrong:
        raise OperatorError("\n".join(wrong))

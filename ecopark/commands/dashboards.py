"""`ecopark dashboards`: from park files to the files that Grafana is provisioned with."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from dashboards.generate import write
from dashboards.setting import Setting
from ecopark.settings import read_settings
from metering.parkfile import load_parks

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark dashboards --park parks --out /var/lib/grafana/ecopark")
def dashboards(
    out: Annotated[Path, typer.Option(help="The folder that is filled: en, vi, tenant, alerting.")] = Path("grafana"),
    park: Annotated[
        Path | None, typer.Option(help="A park file, or a folder of them; without it ECOPARK_PARK.")
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Contracts and limits of this day; without it of today."),
    ] = None,
) -> None:
    """Write every dashboard in English and Vietnamese, and the alert rules, as Grafana's provisioning files.

    Run it again whenever a park file has changed. Files of the folder that are no longer generated are removed.
    """
    parks = tuple(load_parks(park or read_settings().park).values())
    today = datetime.now(ZoneInfo(Setting(parks, date.min).timezone))
    written = write(out, parks, (day or today).date())
    sys.stdout.write(f"{out}: {len(written)} files for {', '.join(one.id for one in parks)}\n")

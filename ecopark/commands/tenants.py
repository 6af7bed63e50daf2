"""`ecopark tenants`: each tenant's database, credentials and Grafana organization, from the park files."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from ecopark.commands import AsJson
from ecopark.secretfiles import hand_out
from ecopark.settings import Settings, read_settings
from ecopark.tenants.grafana import Address, Grafana
from ecopark.tenants.influx1 import Influx1
from ecopark.tenants.influx2 import Influx2
from ecopark.tenants.keys import Keys
from ecopark.tenants.plan import Plan
from ecopark.tenants.sync import LANGUAGES, Target, sync, tenants_dashboards
from ecopark.tenants.wanted import homes
from metering.errors import OperatorError, UnavailableError
from metering.parkfile import load_parks
from store.answers import OPEN_GEMINI

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Tenants' databases, credentials and Grafana organizations."
)

GENERATED = Path(__file__).parent.parent.parent / "dashboards" / "generated" / "tenant"


@app.callback()
def _tenants() -> None:
    pass


@app.command("sync", epilog="Example: ECOPARK_PARK=parks ECOPARK_INFLUX_TOKEN=... ecopark tenants sync --dry-run")
def sync_tenants(
    folder: Annotated[Path, typer.Option("--dir", help="Where secrets are kept, one private file each.")] = Path(
        "tenants"
    ),
    language: Annotated[str, typer.Option(help="Of names and dashboards: en or vi.")] = "vi",
    dashboards: Annotated[Path, typer.Option(help="Tenants' dashboards, by language.")] = GENERATED,
    given: Annotated[
        Path | None, typer.Option("--hand-out", help="Copy influxdb/NAME.env into each folder NAME that is here.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what belongs to no tenant any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make and correct what the tenants of the park files need; run it again whenever they change.

    ECOPARK_INFLUX_USER and ECOPARK_INFLUX_TOKEN are an administrator's here. With ECOPARK_GRAFANA_URL, also Grafana's
    organizations; without it, databases and credentials only. No secret is ever shown.
    """
    if language not in LANGUAGES:
        raise OperatorError(f"--language {language}: write en or vi")
    say = (lambda line: typer.echo(line, err=True)) if as_json else typer.echo
    try:
        plans = asyncio.run(_sync(folder, dashboards / language, language, dry_run=dry_run, prune=prune, say=say))
    except UnavailableError as error:
        typer.echo(f"ecopark: {error}; try again, what is done is kept", err=True)
        raise typer.Exit(1) from error
    if given is not None and not dry_run:
        hand_out(sorted(Keys.influx(folder).folder.glob("*.env")), given)
    steps = [str(step) for made in plans for step in made.steps]
    stale = [str(thing) for made in plans for thing in made.stale]
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "steps": steps, "stale": stale}))
    elif not steps:
        typer.echo("Nothing to change: everything is as the park files say.")


async def _sync(
    folder: Path, dashboards: Path, language: str, *, dry_run: bool, prune: bool, say: Callable[[str], None]
) -> list[Plan]:
    settings = read_settings()
    parks = list(load_parks(settings.park).values())
    async with AsyncExitStack() as stack:
        influx = await _influx(settings, folder, stack)
        targets: list[Target] = [influx]
        tenants_url = settings.grafana_influx_url or settings.influx_url
        if isinstance(influx, Influx1):
            if settings.guard_url is None and homes(parks):
                raise OperatorError(
                    f"{settings.influx_url} is InfluxDB 1.x, whose grants do not keep tenants apart: start ecopark "
                    "guard before it and set ECOPARK_GUARD_URL to where Grafana finds that, or use InfluxDB 2.x"
                )
            tenants_url = settings.guard_url or tenants_url
        if settings.grafana_url is not None:
            if settings.grafana_token is None:
                raise OperatorError("ECOPARK_GRAFANA_TOKEN is missing: the password of a Grafana server administrator")
            address = Address(
                settings.grafana_url,
                settings.grafana_user,
                settings.grafana_token,
                tenants_url,
            )
            boards = tenants_dashboards(dashboards)
            targets.append(Grafana(address, Keys.grafana(folder), Keys.influx(folder), boards, LANGUAGES[language]))
        else:
            say("ECOPARK_GRAFANA_URL is not set: Grafana is left as it is")
        return await sync(targets, parks, dry_run=dry_run, prune=prune, say=say)


async def _influx(settings: Settings, folder: Path, stack: AsyncExitStack) -> Influx1 | Influx2:
    """The administrator of whichever version answers."""
    store = await stack.enter_async_context(settings.store())
    version = (await store.ping()).removeprefix("v")
    keys = Keys.influx(folder)
    match version.partition(".")[0]:
        case kind if kind == "1" or kind.startswith(OPEN_GEMINI):
            return Influx1(store, settings.influx_url, keys)
        case "2":
            made = Influx2(settings.influx_url, settings.influx_token or "", settings.influx_org, keys)
            stack.callback(made.close)
            return made
        case _:
            raise OperatorError(
                f"{settings.influx_url} is InfluxDB {version or 'of no version'}; tenants need 1.x, 2.x or openGemini"
            )

"""`ecopark refused`: look up what was refused, show it whole, send it again."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ecopark.refused import Filter, Refused, find, replay
from ecopark.settings import read_settings
from metering.errors import OperatorError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Readings that were refused: list, show, and send again."
)

Hours = Annotated[float, typer.Option(help="Received in the last so many hours.")]
Park = Annotated[str | None, typer.Option(help="Only of this park.")]
Gateway = Annotated[str | None, typer.Option(help="Only from this gateway.")]
Reason = Annotated[str | None, typer.Option(help="Only for this reason.")]
AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


@app.command("list", epilog="Example: ecopark refused list --gateway gw-east --reason unknown_meter --hours 48")
def list_refused(
    hours: Hours = 24.0,
    park: Park = None,
    gateway: Gateway = None,
    reason: Reason = None,
    *,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also what was replayed since.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what was refused, newest first."""
    found = asyncio.run(_find(Filter(hours=hours, park=park, gateway=gateway, reason=reason, replayed=replayed)))
    if as_json:
        _print_json(found)
        return
    table = Table("received")
    table.add_column("digest", no_wrap=True)
    for name in ("gateway", "reason", "meter", "detail"):
        table.add_column(name)
    for each in found:
        table.add_row(_local(each.received), each.digest, each.gateway, each.reason, each.meter, each.detail)
    Console().print(table if found else "nothing was refused")


@app.command(epilog="Example: ecopark refused show 1f0c2a9b7d3e4f50")
def show(digest: Annotated[str, typer.Argument(help="As `list` shows it.")], *, as_json: AsJson = False) -> None:
    """Show one refusal whole, with what was received."""
    found = asyncio.run(_find(Filter(digests=(digest,), replayed=True)))
    if not found:
        raise OperatorError(f"nothing with the digest {digest} was refused; ecopark refused list shows what was")
    if as_json:
        _print_json(found)
        return
    for name, value in found[0].model_dump(exclude={"payload", "encoding", "time"}, exclude_none=True).items():
        typer.echo(f"{name}: {_local(value) if name in {'received', 'replayed'} else value}")
    typer.echo(found[0].original().decode(errors="backslashreplace"))


@app.command("replay", epilog="Example: ecopark refused replay --reason unknown_meter --gateway gw-east")
def replay_refused(
    digests: Annotated[list[str] | None, typer.Argument(help="Which; or choose by the options.")] = None,
    hours: Hours = 24.0,
    park: Park = None,
    gateway: Gateway = None,
    reason: Reason = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send what was refused through the front door again, and mark what the database then has."""
    wanted = Filter(hours=hours, park=park, gateway=gateway, reason=reason, digests=tuple(digests or ()))
    sent, succeeded = asyncio.run(_replay(wanted))
    if as_json:
        typer.echo(json.dumps({"sent": sent, "stored": succeeded}))
    else:
        typer.echo(f"{sent} sent again, {succeeded} of them stored.")
    raise typer.Exit(0 if succeeded == sent else 1)


async def _find(wanted: Filter) -> list[Refused]:
    async with read_settings().store() as store:
        return await find(store, wanted)


async def _replay(wanted: Filter) -> tuple[int, int]:
    settings = read_settings()
    async with settings.store() as store:
        found = await find(store, wanted)
        return len(found), len(await replay(store, settings.broker(), found))


def _print_json(found: Sequence[Refused]) -> None:
    typer.echo(json.dumps({"refused": [each.model_dump(mode="json") for each in found]}))


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).astimezone().isoformat(sep=" ", timespec="seconds")

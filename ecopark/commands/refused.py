"""`ecopark refused`: list refused readings, show one whole, send them again."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import typer

from ecopark.commands import AsJson
from ecopark.refused import Filter, Refused, Replayed, find, printable, replay
from ecopark.settings import read_settings
from metering.errors import OperatorError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Readings that were refused: list, show, and send again."
)


def _hours(hours: float) -> float:
    if not 0 < hours <= _YEAR_H:
        raise typer.BadParameter(f"give a number of hours from 0 to {_YEAR_H}")
    return hours


_YEAR_H = 8_784
Hours = Annotated[float, typer.Option(help="Received in the last so many hours.", callback=_hours)]
Limit = Annotated[int, typer.Option(help="So many, the newest; 0 for all.", min=0)]
OfPark = Annotated[str | None, typer.Option(help="Only of this park.")]
OfGateway = Annotated[str | None, typer.Option(help="Only from this gateway.")]
OfReason = Annotated[str | None, typer.Option(help="Only for this reason.")]


@app.command("list", epilog="Example: ecopark refused list --gateway gw-east --reason unknown_meter --hours 48")
def list_refused(
    hours: Hours = 24.0,
    park: OfPark = None,
    gateway: OfGateway = None,
    reason: OfReason = None,
    *,
    limit: Limit = 200,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also what was replayed since.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what was refused, newest first."""
    wanted = Filter(hours=hours, park=park, gateway=gateway, reason=reason, replayed=replayed)
    asyncio.run(_list(wanted, limit, _print_json if as_json else _print_lines))


@app.command(epilog="Example: ecopark refused show 1f0c2a9b7d3e4f50")
def show(digest: Annotated[str, typer.Argument(help="As `list` shows it.")], *, as_json: AsJson = False) -> None:
    """Show one refusal with all that was received."""
    found = asyncio.run(_first(Filter(digests=(digest,), replayed=True)))
    if found is None:
        raise OperatorError(f"nothing with the digest {digest} was refused; ecopark refused list shows what was")
    if as_json:
        typer.echo(json.dumps({"refused": [found.model_dump(mode="json")]}))
        return
    for name, value in found.model_dump(exclude={"payload", "encoding", "time"}, exclude_none=True).items():
        typer.echo(f"{name}: {_local(value) if name in {'received', 'replayed'} else printable(str(value))}")
    text = found.original().decode(errors="backslashreplace")
    typer.echo("\n".join(printable(line) for line in text.split("\n")))


@app.command("replay", epilog="Example: ecopark refused replay --reason unknown_meter --gateway gw-east")
def replay_refused(
    digests: Annotated[list[str] | None, typer.Argument(help="Which; or choose by the options.")] = None,
    hours: Hours = 24.0,
    park: OfPark = None,
    gateway: OfGateway = None,
    reason: OfReason = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send what was refused through the front door again, and mark what the database then has."""
    wanted = Filter(hours=hours, park=park, gateway=gateway, reason=reason, digests=tuple(digests or ()))
    done = asyncio.run(_replay(wanted))
    if as_json:
        typer.echo(done.model_dump_json())
    else:
        typer.echo(f"{done.sent} sent again, {done.stored} of them stored.")
    raise typer.Exit(0 if done.stored == done.sent else 1)


_Found = AsyncGenerator[Refused, None]


async def _list(wanted: Filter, limit: int, show: Callable[[_Found, int], Awaitable[None]]) -> None:
    async with read_settings().store() as store, aclosing(find(store, wanted)) as found:
        await show(found, limit)


async def _first(wanted: Filter) -> Refused | None:
    async with read_settings().store() as store, aclosing(find(store, wanted)) as found:
        return await anext(found, None)


async def _replay(wanted: Filter) -> Replayed:
    settings = read_settings()
    async with settings.store() as store:
        return await replay(store, settings.broker(), wanted)


async def _print_lines(found: _Found, limit: int) -> None:
    """Print a line for each as it comes: none is kept in memory, however many there are."""
    printed = 0
    async for each in found:
        if limit and printed == limit:
            typer.echo(f"There is more: these are the newest {limit}; --limit 0 shows all.")
            return
        if not printed:
            _say("received", "digest", "gateway", "reason", "meter", "detail")
        texts = (each.gateway or each.topic, each.reason, each.meter, each.detail)
        _say(_local(each.received), each.digest, *map(printable, texts))
        printed += 1
    if not printed:
        typer.echo("nothing was refused")


def _say(*cells: str) -> None:
    """Write a line with column widths that fit most; longer values shift what follows."""
    line = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
    sys.stdout.write(f"{line}\n")  # not `echo`, which flushes each line


_WIDTHS = (25, 16, 12, 15, 12, 0)


async def _print_json(found: _Found, limit: int) -> None:
    """Print one line of JSON piece by piece."""
    printed = 0
    sys.stdout.write('{"refused": [')
    async for each in found:
        if limit and printed == limit:
            break
        sys.stdout.write((", " if printed else "") + json.dumps(each.model_dump(mode="json")))
        printed += 1
    sys.stdout.write("]}\n")


def _local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).astimezone().isoformat(sep=" ", timespec="seconds")

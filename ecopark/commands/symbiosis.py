"""`ecopark symbiosis`: which firm could use what another has left over, by quantity, quality and time of day."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from ecopark.commands import AmongParks, AsJson, now_ms, today
from ecopark.settings import read_settings
from ecopark.whichpark import find_park
from efficiency.reports.entries import in_words, quantity, why
from efficiency.stored.days import elapsed
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from efficiency.symbiosis.matching import Match, alone, proposals
from efficiency.symbiosis.reading import observed_of
from efficiency.usage.intervals import Span
from efficiency.valuation.valued import named
from metering.errors import OperatorError
from metering.figures import MATCH_FIGURES
from metering.instants import midnight_ms
from metering.park import Park
from metering.streams import Side
from metering.words import Language

app = typer.Typer(add_completion=False)
USUAL_DAYS = 30


@app.command(epilog="Example: ecopark symbiosis --from 2026-10-01 --to 2026-10-31")
def symbiosis(
    park: AmongParks = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; 30 days back by default.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included; yesterday by default.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Propose matches of the park file's surplus and demand streams, with what they would save.

    Where something is not known there is no number, and the reason is given. Pipes, pumps and treatment cost nothing
    here.
    """
    settings = read_settings()
    found = find_park(settings.park, park).park
    if not found.streams:
        raise OperatorError(f"the park file of {found.id} describes no streams; see docs/parkfile.md")
    span = _span(found, first, last)

    async def work() -> tuple[Match, ...]:
        async with settings.store() as store:
            usage = UsageStore(store, found.id, ParkWriter(store, found.id))
            return proposals(found, await observed_of(store, usage, found, span))

    matches = asyncio.run(work())
    for match in matches:
        typer.echo(_lines_of(found, match))
    for stream in alone(found.streams):
        counterpart = Side.DEMAND if stream.side is Side.SURPLUS else Side.SURPLUS
        typer.echo(f"{stream.id}: nobody has a {counterpart.value} of the same kind")
    if as_json:
        typer.echo(json.dumps({"matches": [_plain(match) for match in matches]}))


def _span(park: Park, first: datetime | None, last: datetime | None) -> Span:
    """Whole local days that are over.

    Raises `OperatorError` where there is none.
    """
    until = last.date() + timedelta(days=1) if last is not None else today(park)
    begin = first.date() if first is not None else until - timedelta(days=USUAL_DAYS)
    span = elapsed(Span(midnight_ms(begin, park.zone), midnight_ms(until, park.zone)), now_ms())
    if begin >= until or span.start >= span.end:
        raise OperatorError(f"from {begin} to {until - timedelta(days=1)} no day is over; name an earlier --from")
    return span


def _lines_of(park: Park, match: Match) -> str:
    """A match as lines for a terminal."""
    say = Language.EN.say
    owners = [
        say((park.tenant[each.tenant] if each.tenant is not None else park.park).name)
        for each in (match.giver, match.taker)
    ]
    lines = [f"{say(match.giver.name)} ({owners[0]}) -> {say(match.taker.name)} ({owners[1]})"]
    if match.met.value is None:
        return f"{lines[0]}\n  no match: {why(match.met, Language.EN)}"
    for name, spec in MATCH_FIGURES.items():
        figure = match.figures[name]
        value = " ".join(quantity(spec, figure, Language.EN)) or f"unknown: {why(figure, Language.EN)}"
        lines.append(f"  {say(spec.label)}: {value.strip()}")
    if match.distance_m is not None:
        lines.append(f"  Distance: {Language.EN.number(match.distance_m, 0)} m in a straight line")
    if match.met.reasons:
        lines.append(f"  Uncertain: {in_words(match.met.reasons, Language.EN)}")
    return "\n".join(lines)


def _plain(match: Match) -> dict[str, Any]:
    figures = {
        name: {
            "value": one.value,
            "unit": one.unit,
            "completeness": one.completeness,
            "estimated": one.estimated,
            "reasons": named(one.reasons),
        }
        for name, one in match.figures.items()
    }
    return {
        "surplus": match.giver.id,
        "demand": match.taker.id,
        "kind": match.giver.kind.value,
        "distance_m": match.distance_m,
        "figures": figures,
    }

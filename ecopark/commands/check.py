"""`ecopark check`: every fault of park files, and of the baselines and closed months beside them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from ecopark.commands import now_ms
from ecopark.payloads import Sent, outcomes, plain, sentences
from ecopark.settings import Settings, read_settings
from efficiency.baseline.file import file_of, load_baselines
from efficiency.baseline.frozen import checked
from efficiency.baseline.weather import load_weather, weather_file
from efficiency.closing.file import load_closed
from efficiency.service.rewrites import Rewrites, rewrites
from gateway.drivers import faults
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: ecopark check park.yaml --payload message.json --topic tele/em-1/SENSOR")
def check(
    where: Annotated[Path, typer.Argument(help="A park file, or a folder of them.")],
    payload: Annotated[
        list[Path] | None, typer.Option(help="Say what would become of this message; several show how fast it counts.")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(help="Topic on which the payload is published: one for all, or one for each.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Of payloads: end with one line of JSON.")] = False,
) -> None:
    """Read park files and report every fault: file, line, key, value, and what would be right.

    The baselines and closed months beside them are read too. Where ECOPARK_INFLUX_URL says where the database is, list
    whose figures the usage service would compute again, and of which months, once it reads these files. With --payload,
    say value by value what would happen to a message.
    """
    wrong = []
    parks = load_parks(where, [faults])
    if payload:
        _explain(list(parks.values()), payload, topic or (), as_json=as_json)
        return
    for file, park in parks.items():
        typer.echo(
            f"{file}: {park.id}: {len(park.tenants)} tenants, {len(park.gateways)} gateways, {len(park.meters)} meters"
        )
        wrong += checked(file, park, datetime.now(park.zone).date())
        try:
            load_closed(file, park.id)
        except OperatorError as error:
            wrong.append(str(error))
    if wrong:
        raise OperatorError("\n".join(wrong))
    settings = read_settings()
    if "influx_url" in settings.model_fields_set:
        asyncio.run(_say_rewrites(settings, parks))


async def _say_rewrites(settings: Settings, parks: Mapping[Path, Park]) -> None:
    async with settings.store() as store:
        for file, park in parks.items():
            weather = load_weather(weather_file(file))
            found = await rewrites(store, park, load_baselines(file_of(file)), now_ms(), weather)
            if found is not None and found.months:
                closed = frozenset(each.month for each in load_closed(file, park.id))
                typer.echo("\n".join(rewrite_lines(file, park, found, closed)))


def rewrite_lines(file: Path, park: Park, found: Rewrites, closed: frozenset[date]) -> Iterator[str]:
    """What would be computed again, in words, and what of it is stated already: the months that are `closed`."""
    yield f"{file}: the usage service will compute again, because of {', '.join(found.because)}:"
    order = [*park.tenant, *sorted(found.months.keys() - park.tenant.keys() - {None}, key=str), None]
    for tenant in order:
        months = sorted(found.months.get(tenant, ()))
        if months:
            whose = "the park" if tenant is None else f"tenant {tenant}"
            yield f"  {whose}: {', '.join(f'{month:%Y-%m}' + ' (closed)' * (month in closed) for month in months)}"
    stated = sorted(closed & frozenset().union(*found.months.values()))
    if stated:
        named = ", ".join(f"{month:%Y-%m}" for month in stated)
        yield f"  {named}: closed. What was stated stays; the difference becomes a correction of the next statement."


def _explain(parks: Sequence[Park], files: Sequence[Path], topics: Sequence[str], *, as_json: bool) -> None:
    if len(topics) not in {1, len(files)}:
        raise OperatorError("--payload needs --topic, the topic on which it is published: one for all, or one for each")
    try:
        payloads = [file.read_bytes() for file in files]
    except OSError as error:
        raise OperatorError(f"{error.filename}: cannot be read: {error.strerror}") from error
    every = topics if len(topics) == len(files) else [*topics] * len(files)
    found = outcomes(parks, map(Sent, every, payloads), now_ms())
    typer.echo(plain(found) if as_json else "\n".join(sentences(parks, found)))
    raise typer.Exit(1 if any(each.refused or each.unknown for each in found) else 0)

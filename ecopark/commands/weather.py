"""`ecopark weather`: the outdoor temperature that baselines are explained by, from a station's file."""

import json
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from ecopark.commands import AmongParks, AsJson
from ecopark.settings import read_settings
from ecopark.weatherfile import WeatherColumns, merged, read_weather
from ecopark.whichpark import find_park
from efficiency.baseline.weather import load_weather, weather_file, write_weather
from metering.errors import OperatorError
from metering.model import known_zone

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Outdoor temperature, which baselines may be explained by."
)
_SHOWN = 20
DecimalMark = Literal[".", ","]


@app.command("import", epilog="Example: ecopark weather import lang.csv --source 'station Lang, hourly'")
def import_weather(
    file: Annotated[Path, typer.Argument(help="A CSV file or workbook, with a row an hour or a day.")],
    source: Annotated[str, typer.Option(help="Where it comes from, for whoever reviews a baseline.")],
    park: AmongParks = None,
    time: Annotated[str, typer.Option(help="Head of the column with the day, or the hour in ISO 8601.")] = "time",
    temperature: Annotated[str, typer.Option(help="Head of the column with the temperature, °C.")] = "temperature_c",
    decimal: Annotated[DecimalMark, typer.Option(help="The decimal mark.")] = ".",
    zone: Annotated[str | None, typer.Option(help="Time zone of hours without offset; the park's if none.")] = None,
    *,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Take the rest all the same; days that are missing stay unknown.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a series to the weather beside the park file; days that it has already are replaced.

    Refused, with a list, where hours or days are missing between its first and its last: nothing is filled in.
    """
    found = find_park(read_settings().park, park)
    target = weather_file(found.file)
    known = load_weather(target)
    columns = WeatherColumns(time, temperature, decimal, _zone(zone) if zone else found.park.zone)
    read = read_weather(file, columns, source)
    both = merged(known, read.weather)
    told = [f"{file}:{gap.row}: {day} is not whole: missing is {gap.missing}" for day, gap in read.gaps.items()]
    between = [day for day in both.gaps if day not in {*known.gaps, *read.gaps}]
    if between:
        told.append(f"{file}: nothing is known from {between[0]} to {between[-1]}, between it and {target}")
    told = told[:_SHOWN] + ([f"and {len(told) - _SHOWN} more days"] if len(told) > _SHOWN else [])
    if told and not gaps:
        raise OperatorError("\n".join([*told, "add what is missing, or import the rest with --gaps"]))
    if not read.weather.days:
        raise OperatorError(f"{file}: no day of it is whole")
    write_weather(target, both)
    days = sorted(read.weather.days)
    typer.echo(f"{len(days)} days from {days[0]} to {days[-1]} in {target}")
    for line in told:
        typer.echo(line)
    if as_json:
        gone = [day.isoformat() for day in both.gaps]
        typer.echo(json.dumps({"file": str(target), "days": len(both.days), "gaps": gone}))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(known_zone(name))
    except ValueError as error:
        raise OperatorError(f"--zone is {name}: {error}") from error


@app.command(epilog="Example: ecopark weather show")
def show(
    park: AmongParks = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say which days are known, from which sources, and which are missing between them."""
    found = find_park(read_settings().park, park)
    file = weather_file(found.file)
    weather = load_weather(file)
    if not weather.days:
        raise OperatorError(f"no weather is known of {found.park.id}; see ecopark weather import --help")
    means = [each.mean_c for each in weather.days.values()]
    typer.echo(
        f"{file}: {len(means)} days from {min(weather.days)} to {max(weather.days)}, "
        f"daily means from {min(means):g} to {max(means):g} °C"
    )
    for source in sorted({each.source for each in weather.days.values()}):
        typer.echo(f"  {source}: {sum(each.source == source for each in weather.days.values())} days")
    for day in weather.gaps:
        typer.echo(f"  missing: {day}")
    if as_json:
        told = {day.isoformat(): each.mean_c for day, each in sorted(weather.days.items())}
        typer.echo(json.dumps({"days": told, "gaps": [day.isoformat() for day in weather.gaps]}))

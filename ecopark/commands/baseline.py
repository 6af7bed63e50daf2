"""`ecopark baseline`: fit expected use to what explains it, freeze the fit, and look at what is frozen."""

import asyncio
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ecopark.commands import AsJson, today
from ecopark.settings import read_settings
from ecopark.whichpark import find_part
from efficiency.baseline.file import described, equation, file_of, freeze, judged_by, load_baselines
from efficiency.baseline.fitting import FittedBaseline, Wanted, fit_period
from efficiency.baseline.frozen import faults, frozen_baselines
from efficiency.baseline.model import CUSUM_CONVENTION, Baseline, Fit, Subject
from efficiency.baseline.sources import OUTPUT, WHOLE
from efficiency.baseline.weather import WeatherSeries, load_weather, weather_file
from metering.errors import OperatorError
from metering.model import IDENTIFIER
from metering.park import Park
from metering.parkfile import load_parks
from metering.quantities import Utility

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="What use should have been: fit it to what explains it, freeze the fit, look at what is frozen.",
)


@app.command(
    "fit",
    epilog="Example: ecopark baseline fit textile --from 2026-07-01 --to 2026-09-30 --reason 'first quarter' --freeze",
)
def fit_baseline(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, in the park's time.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included; it must be over.")],
    tenant: Annotated[
        str | None, typer.Argument(metavar="[TENANT]", help="Its id, or park/id among several parks.")
    ] = None,
    meter: Annotated[
        str | None, typer.Option(help="A meter instead of a tenant: its id, or park/id among several parks.")
    ] = None,
    utility: Annotated[Utility | None, typer.Option(help="Of which the tenant's use is; electricity if none.")] = None,
    driver: Annotated[
        list[str] | None,
        typer.Option(
            help="What explains it: output (if none is given), a utility, a meter's id, shift_hours, temperature, or "
            "degree days as cdd:24 or hdd:18; may be given several times."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The baseline's name; made of tenant and utility if none.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is frozen, for whoever reviews it.")] = None,
    holds_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Savings count from here; the day after --to if none.")
    ] = None,
    *,
    freezing: Annotated[
        bool, typer.Option("--freeze", help="Write the fit into the file as the next version.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the daily use of a tenant or meter to what explains it, show how well it fits, and freeze it if asked to.

    Only days that are wholly known count. A poor fit is shown, but never frozen.
    """
    file, park, subject = _subject(tenant, meter, utility)
    if freezing and not reason:
        raise OperatorError("--freeze needs a --reason: whoever reviews the baseline will ask for it")
    called = name or f"{subject.tenant or subject.meter}-{subject.utility.value}"
    if not IDENTIFIER.fullmatch(called):
        raise OperatorError(f"--name {called}: a letter first, then letters, digits, _ or -, at most 64 in all")
    wanted = Wanted(subject, driver or [OUTPUT], first.date(), last.date())
    _check_days(park, wanted.first, wanted.last)
    fitted = asyncio.run(_fit(park, wanted, load_weather(weather_file(file))))
    _show_fit(fitted)
    told: dict[str, Any] = _as_json(fitted)
    if reason and freezing:
        since = holds_from.date() if holds_from is not None else None
        frozen = freeze(file_of(file), fitted.draft(called, reason, today(park), since))
        typer.echo(
            f"Frozen as {frozen.id}, version {frozen.version}, in {file_of(file)}; holds from {frozen.holds_from}"
        )
        told |= {"file": str(file_of(file)), "frozen": frozen.model_dump(mode="json")}
    if as_json:
        typer.echo(json.dumps(told))


@app.command("list", epilog="Example: ECOPARK_PARK=parks ecopark baseline list --json")
def list_baselines(*, as_json: AsJson = False) -> None:
    """List every version of every baseline; ends with status 2 where the park no longer has what one of them needs."""
    parks = load_parks(read_settings().park)
    listed, wrong = [], []
    for file, park in parks.items():
        baselines, weather = load_baselines(file_of(file)), load_weather(weather_file(file))
        frozen = frozen_baselines(park, baselines, weather)
        for entry in baselines:
            now = frozen[entry.id].on(today(park)) == entry
            drivers = ", ".join(driver.name for driver in entry.fit.drivers)
            typer.echo(
                f"{park.id}/{entry.id}, version {entry.version}: {entry.subject} by {drivers}, "
                f"holds from {entry.holds_from}{' and now' if now else ''}"
            )
            listed.append({"park": park.id, "holds_now": now, **entry.model_dump(mode="json")})
        wrong += faults(file, park, baselines, today(park), weather)
    if not listed:
        typer.echo("No baselines yet; see ecopark baseline fit --help")
    if as_json:
        typer.echo(json.dumps({"baselines": listed, "faults": wrong}))
    if wrong:
        raise OperatorError("\n".join(wrong))


@app.command(epilog="Example: ecopark baseline show textile-electricity")
def show(
    name: Annotated[str, typer.Argument(metavar="BASELINE", help="Its name, or park/name among several parks.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show every version of a baseline: equation, how well it fitted, ranges, and why it was frozen."""
    park_id, _, wanted = name.rpartition("/")
    found: list[tuple[Park, list[Baseline]]] = []
    known = []
    for file, park in load_parks(read_settings().park).items():
        baselines = load_baselines(file_of(file))
        known += [f"{park.id}/{each}" for each in dict.fromkeys(entry.id for entry in baselines)]
        versions = [entry for entry in baselines if entry.id == wanted and park_id in {"", park.id}]
        found += [(park, versions)] if versions else []
    if len(found) != 1:
        what = "several parks have" if found else "no park has"
        raise OperatorError(f"{what} a baseline {name}; there are {', '.join(known) or 'none'}")
    park, versions = found[0]
    for entry in versions:
        typer.echo(
            f"{entry.id}, version {entry.version}: daily {entry.subject} ({park.id}), {entry.unit}\n"
            f"  {equation(entry.fit, entry.unit)}\n"
            f"{_judged(entry.fit)}\n"
            f"  fitted over {entry.period_from} to {entry.period_to}, {entry.fit.left_out} days left out\n"
            f"  holds from {entry.holds_from}, frozen on {entry.frozen_on}: {entry.reason}"
        )
    typer.echo(f"{CUSUM_CONVENTION.en}.")
    if as_json:
        typer.echo(json.dumps({"park": park.id, "versions": [entry.model_dump(mode="json") for entry in versions]}))


class _Meant(NamedTuple):
    """A subject, in its park and park file."""

    file: Path
    park: Park
    subject: Subject


def _subject(tenant: str | None, meter: str | None, utility: Utility | None) -> _Meant:
    """The subject that is meant."""
    if (tenant is None) == (meter is None):
        raise OperatorError("name a tenant, or a meter with --meter, not both")
    where = read_settings().park
    if tenant is not None:
        file, park, name = find_part(where, tenant, "tenant")
        return _Meant(file, park, Subject(tenant=name, utility=utility or Utility.ELECTRICITY))
    file, park, name = find_part(where, meter or "", "meter")
    return _Meant(file, park, Subject(meter=name, utility=utility or park.meter[name].utility))


def _check_days(park: Park, first: date, last: date) -> None:
    if last < first:
        raise OperatorError(f"--to {last} lies before --from {first}")
    if last >= today(park):
        raise OperatorError(f"--to {last} is not over yet; the last whole day is {today(park) - timedelta(days=1)}")


async def _fit(park: Park, wanted: Wanted, weather: WeatherSeries) -> FittedBaseline:
    async with read_settings().store() as store:
        return await fit_period(store, park, wanted, weather)


def _judged(fit: Fit) -> str:
    """The quality measures of a fit, indented."""
    return "\n".join(f"  {line}" for line in (described(fit), *judged_by(fit)))


def _show_fit(fitted: FittedBaseline) -> None:
    unit = fitted.sources.use.unit
    typer.echo(f"Daily {fitted.subject}, {unit}, from {fitted.first} to {fitted.last}:")
    if fitted.fit.r2 is not None:
        typer.echo(f"  {equation(fitted.fit, unit)}")
    typer.echo(_judged(fitted.fit))
    sources = (fitted.sources.use, *fitted.sources.drivers)
    for day in fitted.left_out:
        parts = [
            f"{source.name} {amount.completeness:.0%}"
            for source, amount in zip(sources, (day.use, *day.drivers), strict=True)
            if amount.value is None or amount.completeness < WHOLE
        ]
        typer.echo(f"  left out {day.day}: not wholly known: {', '.join(parts)}")
    typer.echo("Offered: it may be frozen." if fitted.fit.offered else "Refused: no baseline comes from this fit.")


def _as_json(fitted: FittedBaseline) -> dict[str, Any]:
    return {
        "subject": fitted.subject.model_dump(mode="json", exclude_none=True),
        "unit": fitted.sources.use.unit,
        "from": fitted.first.isoformat(),
        "to": fitted.last.isoformat(),
        "offered": fitted.fit.offered,
        "fit": fitted.fit.model_dump(mode="json"),
        "left_out": [day.day.isoformat() for day in fitted.left_out],
    }

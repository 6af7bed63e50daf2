"""`ecopark usage`: the service that turns registers into numbers, and computing a window again by hand."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from ecopark.commands import now_ms
from ecopark.progressbar import progress_bar
from ecopark.settings import Settings, read_settings
from efficiency.baseline.file import file_of, load_baselines
from efficiency.baseline.model import Baseline
from efficiency.baseline.weather import WeatherSeries, load_weather, weather_file
from efficiency.closing.state import ClosingState
from efficiency.service.lease import Leases
from efficiency.service.park import ParkUsage
from efficiency.service.service import UsageService, service_faults
from efficiency.usage.intervals import Span
from metering.errors import OperatorError
from metering.instants import milliseconds
from metering.meters import Meter
from metering.park import Park
from metering.parkfile import load_parks
from running.monitor import Monitor, served
from running.parkwatch import ParkWatch
from running.service import run_until_told
from store.client import Store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="From registers to use, money, carbon and balances.")


@app.command(epilog="Example: ECOPARK_PARK=parks ECOPARK_INFLUX_URL=http://influx:8086 ecopark usage run")
def run() -> None:
    """Keep usage, figures, balances and meter_status current; what arrives late is computed again."""
    settings = read_settings()

    async def work(stop: asyncio.Event) -> None:
        seconds = asyncio.get_running_loop().time
        monitor = Monitor("usage", service_faults, seconds)
        async with settings.store() as store, served(monitor, settings.metrics):
            leases = Leases(store, settings.instance, now_ms, seconds) if settings.share_parks else None
            watch = ParkWatch(settings.park, lambda park: park)
            closing = ClosingState(store, now_ms, seconds)
            service = UsageService(
                watch,
                store,
                settings.instance,
                now_ms,
                leases=leases,
                closing=closing.write,
                report=monitor.report,
            )
            await service.run(stop)

    run_until_told(work)


@app.command(epilog="Example: ecopark usage recompute --from 2026-10-01 --to 2026-10-31 --meter em-textile-1")
def recompute(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, in the park's time.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")],
    meter: Annotated[list[str] | None, typer.Option(help="Only this meter; may be given several times.")] = None,
    park: Annotated[str | None, typer.Option(help="Only this park.")] = None,
) -> None:
    """Compute the use of a window of days again, and every figure above it."""
    settings = read_settings()
    if last < first:
        raise OperatorError(f"--to {last.date()} lies before --from {first.date()}")
    chosen = _chosen(settings, park, meter or [])

    async def work() -> None:
        async with settings.store() as store:
            for one in chosen:
                await _recompute(store, one, first.date(), last.date())

    asyncio.run(work())


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A park with its baselines and weather, and the meters that are meant."""

    park: Park
    baselines: Sequence[Baseline]
    weather: WeatherSeries
    meters: list[Meter]


async def _recompute(store: Store, chosen: _Chosen, first: date, last: date) -> None:
    park, meters = chosen.park, chosen.meters
    with progress_bar(f"{park.id}: computing", "meters and months") as progress:
        bar = progress.add_task("compute", total=None)
        usage = ParkUsage(
            store, park, lambda done, total: progress.update(bar, completed=done, total=total), "recompute"
        )
        usage.baselines, usage.weather = chosen.baselines, chosen.weather
        begin, end = (datetime(day.year, day.month, day.day, tzinfo=park.zone) for day in (first, last))
        window = Span(milliseconds(begin), milliseconds(end + timedelta(days=1)))
        await usage.recompute(window, meters, now_ms())
    sys.stdout.write(f"{park.id}: {usage.written:,} quarter hours of {len(meters)} meters written\n")


def _chosen(settings: Settings, park_id: str | None, names: list[str]) -> list[_Chosen]:
    """Parks with their baselines and the meters that are meant.

    Raises `OperatorError` where a name is unknown, or a file of baselines cannot be used.
    """
    parks = {file: park for file, park in load_parks(settings.park).items() if park_id in {None, park.id}}
    known = {name for park in parks.values() for name in park.meter}
    if not parks or set(names) - known:
        what = f"meter {min(set(names) - known)}" if parks else f"park {park_id}"
        raise OperatorError(f"no park file in {settings.park} has the {what}; see ecopark check {settings.park}")
    found = [
        _Chosen(
            park,
            load_baselines(file_of(file)),
            load_weather(weather_file(file)),
            [meter for meter in park.meters if not names or meter.id in names],
        )
        for file, park in parks.items()
    ]
    return [each for each in found if each.meters]

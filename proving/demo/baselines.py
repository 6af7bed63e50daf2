"""Baselines of the demo park: fitted to the first days of its past as `ecopark baseline fit` does, and frozen.

The simulated plant's air temperature is written to the park's weather file, as if it came from a weather station.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

from efficiency.baseline.file import file_of, freeze
from efficiency.baseline.fitting import FittedBaseline, Wanted, fit_period
from efficiency.baseline.model import Subject
from efficiency.baseline.sources import OUTPUT
from efficiency.baseline.weather import DayMean, WeatherSeries, weather_file, write_weather
from metering.errors import OperatorError
from metering.park import Park
from metering.quantities import Utility
from proving.demo.plan import SEED
from proving.plant.weather import weather_of
from store.client import Store

LEAST_DAYS = 14
"""A shorter past is not enough for a fit and for days to judge by it."""
_MOST_FITTED = 20
_JUDGED = 2
_AHEAD = 60
"""Days to come that the simulated station knows too, so that a demo that goes on has expectations."""
_DRIVERS = ([OUTPUT], [OUTPUT, "cdd:18"])


async def freeze_baselines(store: Store, park: Park, park_file: Path, first: date, days: int) -> list[str]:
    """Freeze a baseline for the electricity of every tenant where a fit holds, once; returns their names."""
    if days < LEAST_DAYS or file_of(park_file).exists():
        return []
    last = first + timedelta(days=min(_MOST_FITTED, days - _JUDGED) - 1)
    weather = _station(first, days + _AHEAD)
    write_weather(weather_file(park_file), weather)
    frozen = []
    for tenant in park.tenants:
        subject = Subject(tenant=tenant.id, utility=Utility.ELECTRICITY)
        fitted: list[FittedBaseline] = []
        for drivers in _DRIVERS:
            try:
                fitted.append(await fit_period(store, park, Wanted(subject, drivers, first, last), weather))
            except OperatorError:
                break  # makes nothing that is counted
        offered = [each for each in fitted if each.fit.offered]
        if offered:
            best = min(offered, key=lambda each: each.fit.rmse or 0.0)
            today = datetime.now(park.zone).date()
            draft = best.draft(f"{tenant.id}-electricity", "the demo's first days", today)
            frozen.append(freeze(file_of(park_file), draft).id)
    return frozen


def _station(first: date, days: int) -> WeatherSeries:
    """Daily means of the simulated plant's weather."""
    every = (first + timedelta(days=number) for number in range(days))
    epoch = date(1970, 1, 1)
    return WeatherSeries(
        {
            day: DayMean(round(float(weather_of(SEED, (day - epoch).days).temperature.mean()), 2), "simulated station")
            for day in every
        }
    )

"""From stored usage to a fit: the whole days of a period, and the draft of a baseline that may be frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from efficiency.baseline.model import Baseline, DriverName, Fit, Subject, fit
from efficiency.baseline.sources import DayAmounts, Sources, day_amounts, sources_of
from efficiency.baseline.weather import NO_WEATHER, WeatherSeries
from efficiency.stored.days import by_day, days_between
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from metering.errors import OperatorError
from metering.park import Park
from store.client import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fit: the daily use of a subject to drivers, over the days from `first` to `last`, both included."""

    subject: Subject
    drivers: Sequence[str]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    """A fit over the days from `first` to `last`, and what it was made from."""

    subject: Subject
    sources: Sources
    first: date
    last: date
    days: tuple[DayAmounts, ...]
    fit: Fit

    @property
    def left_out(self) -> tuple[DayAmounts, ...]:
        """Days on which something is not fully known."""
        return tuple(day for day in self.days if not day.whole)

    def draft(self, name: str, reason: str, today: date, holds_from: date | None = None) -> Baseline:
        """A baseline to be frozen; by default it holds from the day after the period."""
        return Baseline(
            id=name,
            version=1,
            subject=self.subject,
            unit=self.sources.use.unit,
            period_from=self.first,
            period_to=self.last,
            holds_from=holds_from or self.last + timedelta(days=1),
            frozen_on=today,
            reason=reason,
            fit=self.fit,
        )


async def fit_period(store: Store, park: Park, wanted: Wanted, weather: WeatherSeries = NO_WEATHER) -> FittedBaseline:
    """Fit the daily use of a subject to drivers, including those of the weather.

    Raises `OperatorError` where a name is unknown or no day of the period has data.
    """
    subject, first, last = wanted.subject, wanted.first, wanted.last
    sources = sources_of(park, subject, wanted.drivers, last, weather)
    usage = UsageStore(store, park.id, ParkWriter(store, park.id))
    days = [
        day_amounts(park, sources, each)
        async for each in by_day(usage, park, sources.meters, days_between(first, last))
    ]
    for place, source in enumerate((sources.use, *sources.drivers)):
        if all((day.use, *day.drivers)[place].value is None for day in days):
            if not source.meters:
                raise OperatorError(f"{park.id}: {source.name} is not known of any day from {first} to {last}")
            meters = ", ".join(meter.id for meter in source.meters)
            raise OperatorError(
                f"{park.id}: no use of {meters} is stored from {first} to {last} ({source.name} of {subject}); "
                "choose a period with data, or see whether ecopark usage run keeps up"
            )
    names = [DriverName(source.name, source.unit) for source in sources.drivers]
    found = fit(
        np.array([day.use.value for day in days], dtype=np.float64),
        np.array([[driver.value for driver in day.drivers] for day in days], dtype=np.float64),
        names,
        np.array([day.whole for day in days], dtype=np.bool_),
    )
    return FittedBaseline(subject=subject, sources=sources, first=first, last=last, days=tuple(days), fit=found)

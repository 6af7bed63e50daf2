"""Greenhouse gases of fuels that were entered by month (F33), and the forecast of a year (F34)."""

from calendar import isleap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.valuation.valued import ValueReason
from metering.dated import at
from metering.figures import FIGURES
from metering.fuels import EnteredFactor, EnteredFuel, Fuel, Gases, WarmingPotential
from metering.months import months_in, next_month
from metering.park import Park

KNOWN_DAYS = 28
"""A forecast needs this many known days, about a month."""
_FEW_DAYS = 7
"""A month counts for the range of a forecast from this many known days on."""


@dataclass(frozen=True, slots=True)
class Burnt:
    """An entered fuel, over the months in which one factor held."""

    entered: EnteredFuel
    fuel: Fuel
    factor: EnteredFactor
    gwp: WarmingPotential
    months: tuple[date, ...]
    amount: float

    @property
    def toe(self) -> float:
        """Tonnes of oil equivalent."""
        return self.amount * self.factor.toe_per_unit

    @property
    def gases(self) -> Gases:
        """What burning it emitted."""
        return self.factor.gases(self.amount)

    @property
    def co2e_kg(self) -> float:
        """F33."""
        return self.gases.co2e_kg(self.gwp)


def burnt(park: Park, months: Sequence[date], tenants: Sequence[str | None]) -> Iterator[Burnt]:
    """What tenants (None: the park itself) burnt in some months, by the factors of each."""
    for entered in park.entered:
        fuel = park.factors.fuels[entered.fuel]
        pieces: dict[tuple[date, date], list[date]] = {}
        by_month = entered.by_month
        for month in months if entered.tenant in tenants else ():
            factor, gwp = at(fuel.factors, month), at(park.factors.gwp, month)
            if month in by_month and factor is not None and gwp is not None:
                pieces.setdefault((factor.since, gwp.since), []).append(month)
        for held in pieces.values():
            factor, gwp = at(fuel.factors, held[0]), at(park.factors.gwp, held[0])
            if factor is not None and gwp is not None:
                amount = sum(by_month[month] for month in held)
                yield Burnt(entered, fuel, factor, gwp=gwp, months=tuple(held), amount=amount)


ENTERED_OF = {"toe": "toe_entered", "co2e_kg": "co2e_entered_kg"}
"""For each figure of metered use, the one of what is entered in addition."""


def by_month(fuels: Iterable[Burnt], name: str) -> dict[date, float]:
    """F33: `toe` or `co2e_kg` of fuels by month."""
    found: dict[date, float] = {}
    for each in fuels:
        worth = each.toe if name == "toe" else each.co2e_kg
        for month in each.months:
            share = each.entered.by_month[month] / each.amount if each.amount else 0.0
            found[month] = found.get(month, 0.0) + worth * share
    return found


def entered_figures(park: Park, tenants: Sequence[str | None], months: Sequence[date]) -> dict[str, Figure]:
    """F33 of all fuels of some tenants over some months, as complete as months have entries; none without any fuel."""
    due = [(fuel, month) for fuel in park.entered if fuel.tenant in tenants for month in months]
    if not due:
        return {}
    fuels = [*burnt(park, months, tenants)]
    complete = sum(month in fuel.by_month for fuel, month in due) / len(due)
    return {
        name: figure(sum(by_month(fuels, of).values()), FIGURES[of].unit, complete)
        if fuels
        else absent(FIGURES[of].unit, ValueReason.NO_ENTRY)
        for of, name in ENTERED_OF.items()
    }


@dataclass(frozen=True, slots=True)
class YearEnd:
    """Forecast of a year: `known` so far, `likely` at its end, and the range that its months suggest."""

    known: float
    likely: float
    low: float
    high: float
    known_days: float

    def scaled(self, factor: float) -> "YearEnd":
        """The same in another unit."""
        known, likely, low, high = (each * factor for each in (self.known, self.likely, self.low, self.high))
        return YearEnd(known, likely, low, high, self.known_days)


class MonthSoFar(NamedTuple):
    """The figure of a month, and how many of its days have passed."""

    figure: Figure
    days: int


def year_end(year: int, months: Mapping[date, MonthSoFar], entered: Mapping[date, float]) -> YearEnd | None:
    """F34: the unknown days continue like the known ones.

    `entered`: the entry of each month; months without one continue like those with one. None where too few days are
    known.
    """
    known = days_known = 0.0
    rates, sure = [], []
    for each in months.values():
        days = each.days * each.figure.completeness
        if each.figure.value is not None and days > 0:
            known += each.figure.value
            days_known += days
            rates.append(each.figure.value / days)
            if days >= _FEW_DAYS:
                sure.append(rates[-1])
    if days_known < KNOWN_DAYS and (rates or not entered):
        return None
    left = (366 if isleap(year) else 365) - days_known
    added = sum(entered.values()) * (12 / len(entered)) if entered else 0.0
    mean = known / days_known if days_known else 0.0
    sure = sure or [mean]

    def ends(rate: float) -> float:
        return known + rate * left + added

    return YearEnd(known + sum(entered.values()), ends(mean), ends(min(sure)), ends(max(sure)), days_known)


def forecast(
    park: Park, tenant: str, year: int, months: Mapping[date, Mapping[str, Figure]], until: date
) -> dict[str, YearEnd | None]:
    """F34 of a tenant's `toe` and `co2e_kg`: metered use up to `until`, by month, and entered fuels."""
    firsts = months_in(year)
    fuels = [*burnt(park, [first for first in firsts if first < until], [tenant])]
    return {
        name: year_end(
            year,
            {
                first: MonthSoFar(
                    months.get(first, {}).get(name) or absent(FIGURES[name].unit, ValueReason.NOT_COMPUTED),
                    _days_over(first, until),
                )
                for first in firsts
            },
            by_month(fuels, name),
        )
        for name in ENTERED_OF
    }


def forecast_figures(year: int, ends: Mapping[str, YearEnd | None]) -> dict[str, Figure]:
    """The same as figures that are stored, as complete as days of the year are known."""
    days, found = 366 if isleap(year) else 365, dict[str, Figure]()
    for name, end in ends.items():
        unit = FIGURES[name].unit
        for side, key in FORECAST_OF[name].items():
            value = getattr(end, side) if end is not None else None
            found[key] = figure(value, unit, end.known_days / days if end is not None else 0.0)
    return found


FORECAST_OF = {
    "toe": {"likely": "toe_forecast", "low": "toe_forecast_low", "high": "toe_forecast_high"},
    "co2e_kg": {"likely": "co2e_forecast_kg", "low": "co2e_forecast_low_kg", "high": "co2e_forecast_high_kg"},
}
"""Names of the figures of a forecast."""


def _days_over(month: date, until: date) -> int:
    """Days of a month that are over before `until`."""
    return max(0, (min(next_month(month), until) - month).days)

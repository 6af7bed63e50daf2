"""Greenhouse gases of fuels that were entered by month (F33), and where a year will end (F34)."""

from calendar import isleap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.figure import Figure
from metering.dated import at
from metering.fuels import EnteredFuel, Fuel, GasFactor, WarmingPotential
from metering.park import Park

KNOWN_DAYS = 28
"""A forecast needs so many known days, about a month."""
_FEW_DAYS = 7
"""A month counts for the range of a forecast from so many known days on."""


@dataclass(frozen=True, slots=True)
class Burnt:
    """A fuel that was entered, of the months in which one factor held; kg by gas.

    `biogenic_kg` is CO2 of biogenic carbon, which is not in `co2e_kg`.
    """

    entered: EnteredFuel
    fuel: Fuel
    factor: GasFactor
    gwp: WarmingPotential
    months: tuple[date, ...]
    amount: float

    @property
    def gj(self) -> float:
        """Energy by its net calorific value."""
        return self.amount * self.factor.gj_per_unit

    @property
    def toe(self) -> float:
        """Tonnes of oil equivalent."""
        return self.amount * self.factor.toe_per_unit

    @property
    def co2_kg(self) -> float:
        """CO2 of fossil carbon."""
        return 0.0 if self.factor.biogenic else self.gj * self.factor.co2_kg_per_gj

    @property
    def biogenic_kg(self) -> float:
        """CO2 of biogenic carbon."""
        return self.gj * self.factor.co2_kg_per_gj if self.factor.biogenic else 0.0

    @property
    def ch4_kg(self) -> float:
        """Methane."""
        return self.gj * self.factor.ch4_kg_per_gj

    @property
    def n2o_kg(self) -> float:
        """Nitrous oxide."""
        return self.gj * self.factor.n2o_kg_per_gj

    @property
    def co2e_kg(self) -> float:
        """F33: all gases by their warming potential."""
        return self.co2_kg + self.ch4_kg * self.gwp.ch4 + self.n2o_kg * self.gwp.n2o


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


@dataclass(frozen=True, slots=True)
class YearEnd:
    """Where a year will end: `known` so far, `likely`, and the range that its months span."""

    known: float
    likely: float
    low: float
    high: float
    known_days: float


def year_end(year: int, months: Mapping[date, tuple[Figure, int]], entered: Mapping[date, float]) -> YearEnd | None:
    """F34: the days that are not known go on as those that are.

    `months`: the figure of each month and how many of its days are over; `entered`: what is entered of each month, of
    which the months without an entry go on as those with one. None where too few days are known.
    """
    daily: list[tuple[float, float]] = []
    known = 0.0
    for found, days in months.values():
        if found.value is not None and found.completeness > 0 and days > 0:
            known += found.value
            daily.append((found.value / (days * found.completeness), days * found.completeness))
    days_known = sum(days for _, days in daily)
    if days_known < KNOWN_DAYS and (daily or not entered):
        return None
    left = (366 if isleap(year) else 365) - days_known
    added = sum(entered.values()) * (12 / len(entered)) if entered else 0.0
    mean = known / days_known if days_known else 0.0
    sure = [rate for rate, days in daily if days >= _FEW_DAYS] or [mean]

    def ends(rate: float) -> float:
        return known + rate * left + added

    return YearEnd(known + sum(entered.values()), ends(mean), ends(min(sure)), ends(max(sure)), days_known)

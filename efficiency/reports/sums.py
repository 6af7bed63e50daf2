"""Sums of what stands per day or month: a year's figures from its months, use of several meters, a period's balance.

Sums over sums, never means of ratios: a year's specific energy is the energy of its months over their output. What
cannot be summed (base load, load factor, power factor) has no figure of the year; it stands in the table of the months.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.figure import INDICATIVE_UNDER, Figure, absent, figure
from efficiency.reports.reading import DayBalance, DayUse, Fields
from efficiency.valuation.valued import NOTHING, Reason
from metering.meters import Meter

ADDED = (
    "electricity_kwh",
    "solar_kwh",
    "water_m3",
    "wastewater_m3",
    "steam_t",
    "gas_nm3",
    "compressed_air_nm3",
    "chilled_kwh",
    "output",
    "cost_vnd",
    "co2e_scope1_kg",
    "co2e_scope2_kg",
    "toe",
    "energy_per_m2",
    "energy_per_employee",
    "reactive_vnd",
    "expected_kwh",
    "saving_kwh",
)
"""Figures of which the year's is the sum of the months'."""

_OVER = {
    "energy_per_output": (("electricity_kwh",), "output", 1.0),
    "water_per_output": (("water_m3",), "output", 1.0),
    "wastewater_per_output": (("wastewater_m3",), "output", 1.0),
    "co2e_per_output": (("co2e_scope1_kg", "co2e_scope2_kg"), "output", 1.0),
    "output_per_mwh": (("output",), "electricity_kwh", 1000.0),
    "solar_share": (("solar_kwh",), "electricity_kwh", 1.0),
    "wastewater_ratio": (("wastewater_m3",), "water_m3", 1.0),
}
"""Sum over sum: what stands above, what below, and the factor between their units."""


def year_fields(months: Mapping[date, Fields]) -> dict[str, float]:
    """Figures of a year from those of its months."""
    in_order = [months[day] for day in sorted(months)]
    found = {
        name: sum(month[name] for month in in_order if name in month)
        for name in ADDED
        if any(name in month for month in in_order)
    }
    for name, (above, below, factor) in _OVER.items():
        both = [month for month in in_order if below in month and any(part in month for part in above)]
        denominator = sum(month[below] for month in both)
        if denominator:
            found[name] = sum(month.get(part, 0.0) for month in both for part in above) * factor / denominator
    peaks = [month["peak_demand_kw"] for month in in_order if "peak_demand_kw" in month]
    if peaks:
        found["peak_demand_kw"] = max(peaks)
    bought = [
        (month["electricity_kwh"] - month.get("solar_kwh", 0.0), month["peak_share"])
        for month in in_order
        if "peak_share" in month and "electricity_kwh" in month
    ]
    if sum(grid for grid, _ in bought):
        found["peak_share"] = sum(grid * share for grid, share in bought) / sum(grid for grid, _ in bought)
    if found.get("expected_kwh"):
        # Not over the electricity of the months: days of them may have no expectation.
        found["enpi"] = 1 - found.get("saving_kwh", 0.0) / found["expected_kwh"]
    cusum = [month["cusum_kwh"] for month in in_order if "cusum_kwh" in month]
    if cusum:
        found["cusum_kwh"] = cusum[-1]
    return found


YEARLY = frozenset({*ADDED, *_OVER, "peak_demand_kw", "peak_share", "enpi", "cusum_kwh"})
"""Figures that a year can have."""


@dataclass(frozen=True, slots=True)
class Worth:
    """How good the data of some meters is over a period: shares of all its quarter hours, and the newest revision."""

    completeness: float
    estimated: float
    revised: date | None


def worth(meters: Sequence[Mapping[date, DayUse]], days: Sequence[date]) -> Worth:
    """Over all meters and days; a day that is not stored counts as missing."""
    size = len(meters) * len(days)
    found = [use for meter in meters for day, use in meter.items() if day in set(days)]
    return Worth(
        sum(use.completeness for use in found) / size if size else 0.0,
        sum(use.estimated for use in found) / size if size else 0.0,
        max((use.revised for use in found if use.revised is not None), default=None),
    )


def amount(meters: Sequence[Mapping[date, DayUse]], days: Sequence[date], unit: str) -> Figure:
    """What several meters measured together."""
    if not meters:
        return absent(unit, Reason.NO_METER)
    known = [use.whole for meter in meters for use in meter.values() if use.whole is not None]
    value = worth(meters, days)
    if not known:
        return absent(unit, Reason.NO_DATA, value.completeness)
    return figure(sum(known), unit, value.completeness, value.estimated)


@dataclass(frozen=True, slots=True)
class Loss:
    """A main meter's balance over a period: sums over the days on which it could be computed.

    Errors of a meter's class go the same way every day, so the error bands add up; that is at most a little too wide.
    """

    main: Meter
    incoming: Figure
    submeters: Figure
    loss: Figure
    band: Figure
    computed: tuple[date, ...]
    days: int

    @property
    def noise(self) -> bool | None:
        """Whether the loss lies inside its error band; None without a loss."""
        if self.loss.value is None or self.band.value is None:
            return None
        return abs(self.loss.value) <= self.band.value

    @property
    def share(self) -> float | None:
        """Loss over what came in."""
        if self.loss.value is None or not self.incoming.value:
            return None
        return self.loss.value / self.incoming.value


def period_loss(main: Meter, by_day: Mapping[date, DayBalance], days: Sequence[date]) -> Loss:
    """Balance of a period from those of its days."""
    computed = tuple(day for day in days if day in by_day and by_day[day].computable)
    completeness = sum(by_day[day].completeness for day in computed) / len(days) if days else 0.0
    why = NOTHING if computed else (Reason.INCOMPLETE if by_day else Reason.NO_DATA)

    def of(values: Iterable[float]) -> Figure:
        return absent(main.unit, why, completeness) if why else figure(sum(values), main.unit, completeness, 0.0)

    chosen = [by_day[day] for day in computed]
    return Loss(
        main,
        of(each.incoming for each in chosen),
        of(each.submeters for each in chosen),
        of(each.loss for each in chosen),
        of(each.band for each in chosen),
        computed,
        len(days),
    )


def indicative(shown: Figure) -> bool:
    """Whether a figure with a value comes from too little data."""
    return shown.value is not None and shown.completeness < INDICATIVE_UNDER

"""Indicators of an eco-industrial park for one year, from the park's stored figures, its balances and what is entered.

Each says where its value comes from. What is measured or computed takes precedence over what was entered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from efficiency.indicators.balance import INCOMING, LOSS_SHARE
from efficiency.indicators.figure import Figure, absent, fields_of, figure
from efficiency.valuation.valued import REASON_TEXT, ValueReason, reasons_in
from metering.dated import value_on
from metering.eip import PARK_INDICATORS, ParkIndicator, Provenance
from metering.park import Park
from metering.quantities import Utility
from metering.words import Language, text

VALUE = "value"
"""Name of the figure in the store."""
_M2_PER_HA = 10_000
_INTAKES = {
    "electricity_mwh": (Utility.ELECTRICITY, 1e-3),
    "water_intake_m3": (Utility.WATER, 1.0),
    "wastewater_treated_m3": (Utility.WASTEWATER, 1.0),
}
_REACHED = text("reached", "đạt")
_MISSED = text("not reached", "chưa đạt")


@dataclass(frozen=True, slots=True)
class YearIndicator:
    """An indicator of a year; its figure has no value where it is missing."""

    indicator: ParkIndicator
    figure: Figure
    provenance: Provenance
    target: float | None

    @property
    def reached(self) -> bool | None:
        """Whether the park's own target is reached; None without a target or a value."""
        if self.target is None or self.figure.value is None:
            return None
        value = self.figure.value
        return value >= self.target if self.indicator.better > 0 else value <= self.target

    @property
    def fields(self) -> dict[str, float | str]:
        """As fields of the store."""
        found = fields_of({VALUE: self.figure})
        found["place"] = float([*PARK_INDICATORS].index(self.indicator.code) + 1)
        if self.target is not None:
            found["target"] = self.target
        for language in Language:
            found[f"status_{language}"] = self._status(language)
            if self.reached is not None:
                found[f"verdict_{language}"] = language.say(_REACHED if self.reached else _MISSED)
        return found

    def _status(self, language: Language) -> str:
        reasons = [language.say(REASON_TEXT[reason]) for reason in reasons_in(self.figure.reasons)]
        status = language.say(self.provenance.label)
        return f"{status} ({'; '.join(reasons)})" if reasons else status


def measured_indicators(
    park: Park, own: Mapping[str, Figure], edges: Mapping[Utility, Mapping[str, Figure]]
) -> dict[str, Figure]:
    """What follows from a year's figures of the park and from the balances of its edge, by code."""
    found = {
        "solar_pct": own["solar_share"].scaled(100, "%"),
        "reuse_pct": own["reuse_share"].scaled(100, "%"),
        "energy_toe": own["toe"],
        "co2e_t": own["co2e_kg"].scaled(1e-3, "t CO₂e"),
    }
    for code, (utility, scale) in _INTAKES.items():
        if utility in edges:
            found[code] = edges[utility][INCOMING].scaled(scale, PARK_INDICATORS[code].unit)
    if Utility.WATER in edges:
        found["water_loss_pct"] = edges[Utility.WATER][LOSS_SHARE].scaled(100, "%")
    if park.park.area_m2 is not None:
        hectares = park.park.area_m2 / _M2_PER_HA
        found["energy_toe_per_ha"] = found["energy_toe"].scaled(1 / hectares, "TOE/ha")
        found["co2e_t_per_ha"] = found["co2e_t"].scaled(1 / hectares, "t CO₂e/ha")
    return {code: replace(each, over=None) for code, each in found.items()}


def year_indicators(
    park: Park, own: Mapping[str, Figure], edges: Mapping[Utility, Mapping[str, Figure]], year: int, day: date
) -> tuple[YearIndicator, ...]:
    """All indicators of a year; targets are those that hold on a day of it."""
    measured = measured_indicators(park, own, edges)
    entered = {each.indicator: each.years[year] for each in park.entered_indicators if year in each.years}
    found = []
    for code, indicator in PARK_INDICATORS.items():
        known = measured.get(code, absent(indicator.unit, ValueReason.NO_ENTRY))
        provenance = Provenance.COMPUTED if indicator.computed else Provenance.MEASURED
        if known.value is None:
            provenance = Provenance.MISSING
            if code in entered:
                known, provenance = figure(entered[code], indicator.unit), Provenance.ENTERED
        found.append(YearIndicator(indicator, known, provenance, value_on(park.targets.get(code, ()), day)))
    return tuple(found)

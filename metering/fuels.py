"""Fuels, metered or entered by month, and the emissions of burning them, gas by gas."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from metering.dated import Sourced, in_order
from metering.model import Identifier, Localized, Model, NotNegative, Positive, Printable


class WarmingPotential(Sourced):
    """The CO2e of a kilogram of methane and of nitrous oxide, by a set of global warming potentials."""

    name: Printable
    ch4: Positive
    n2o: Positive


@dataclass(frozen=True, slots=True)
class Gases:
    """Emissions of burning some fuel, kg; CO2 of biogenic carbon is kept separate and not added up."""

    co2_kg: float
    ch4_kg: float
    n2o_kg: float
    biogenic_kg: float

    def co2e_kg(self, gwp: WarmingPotential) -> float:
        """All gases by their warming potential."""
        return self.co2_kg + self.ch4_kg * gwp.ch4 + self.n2o_kg * gwp.n2o


class GasFactor(Sourced):
    """Net calorific value per unit of a fuel; per GJ: its emissions.

    `standing`: an official factor, a `default` of the IPCC, or an `estimate`.
    """

    gj_per_unit: Positive
    co2_kg_per_gj: NotNegative
    ch4_kg_per_gj: NotNegative
    n2o_kg_per_gj: NotNegative
    biogenic: bool = False
    standing: Literal["official", "default", "estimate"]

    def gases(self, amount: float) -> Gases:
        """Emissions of burning an amount."""
        gj = amount * self.gj_per_unit
        co2 = gj * self.co2_kg_per_gj
        fossil, biogenic = (0.0, co2) if self.biogenic else (co2, 0.0)
        return Gases(fossil, gj * self.ch4_kg_per_gj, gj * self.n2o_kg_per_gj, biogenic)


class EnteredFactor(GasFactor):
    """The same of a fuel that is entered by month, with its TOE per unit."""

    toe_per_unit: NotNegative


class Fuel(Model):
    """A fuel that no meter counts."""

    name: Localized
    unit: Printable
    factors: Annotated[tuple[EnteredFactor, ...], in_order]


class EnteredFuel(Model):
    """How much of a fuel was burnt in each month (`2026-10`); by the park itself where no tenant is named."""

    fuel: Identifier
    tenant: Identifier | None = None
    months: dict[str, NotNegative]
    source: str = Field(min_length=1)

    @property
    def by_month(self) -> dict[date, float]:
        """Amounts by the first day of the month."""
        return {date.fromisoformat(f"{month}-01"): amount for month, amount in self.months.items()}

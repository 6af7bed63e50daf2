"""Fuels that no meter counts, entered by month, and the emissions of burning them, gas by gas."""

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


class GasFactor(Sourced):
    """Per unit of a fuel: net calorific value and TOE; per GJ: its emissions.

    CO2 of `biogenic` carbon is kept separate and not added up. `standing`: an official factor, a `default` of the IPCC,
    or an `estimate`.
    """

    gj_per_unit: Positive
    toe_per_unit: NotNegative
    co2_kg_per_gj: NotNegative
    ch4_kg_per_gj: NotNegative
    n2o_kg_per_gj: NotNegative
    biogenic: bool = False
    standing: Literal["official", "default", "estimate"]


class Fuel(Model):
    """One fuel."""

    name: Localized
    unit: Printable
    factors: Annotated[tuple[GasFactor, ...], in_order]


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

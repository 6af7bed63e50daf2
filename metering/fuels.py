"""Fuels that no meter counts, entered by month, and what burning them emits, gas by gas."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from metering.dated import Sourced, in_order
from metering.model import Identifier, Localized, Model, NotNegative, Positive, Printable


class WarmingPotential(Sourced):
    """What a kilogram of methane and of nitrous oxide count in CO2e, by a set of global warming potentials."""

    name: Printable
    ch4: Positive
    n2o: Positive


class GasFactor(Sourced):
    """Per unit of a fuel: net calorific value and TOE; per GJ: what it emits.

    CO2 of `biogenic` carbon is told apart and not added up. `standing`: an official factor, a `default` of the IPCC, or
    an `estimate`.
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
    """How much of a fuel somebody burnt in each month (`2026-10`); the park itself without a tenant."""

    fuel: Identifier
    tenant: Identifier | None = None
    months: dict[str, NotNegative]
    source: str = Field(min_length=1)

    @property
    def by_month(self) -> dict[date, float]:
        """Amounts by the first day of the month."""
        return {date.fromisoformat(f"{month}-01"): amount for month, amount in self.months.items()}

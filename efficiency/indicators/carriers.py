"""Energy and emissions of a tenant: all carriers in MJ and TOE, emissions by scope, and each per unit of output.

F11, F12 and F20. A carrier without a factor leaves the sum without a value and is named: the sum of the others would be
wrong. Own solar counts as energy and emits nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from efficiency.indicators.electricity import Electricity
from efficiency.indicators.figure import Figure, absent
from efficiency.indicators.series import Portion, UseSeries, quotient, together
from efficiency.usage.intervals import Floats
from efficiency.valuation.localtime import Slots, on_days
from efficiency.valuation.valued import NO_FACTOR_OF, NOTHING, ValueReason
from metering.park import Park, Tenant
from metering.quantities import Utility
from metering.tariffs import BoughtFactor, Factors

CO2E = "co2e_kg"
KG = "kg CO₂e"
MJ_PER_KWH = 3.6


@dataclass(frozen=True, slots=True)
class Output:
    """What a tenant produced in the quarter hours `when`, in `unit`; `none` says why there is no such sum."""

    when: Slots
    series: UseSeries | None
    unit: str
    none: ValueReason = NOTHING

    @property
    def per(self) -> str:
        """Its unit in the denominator."""
        return self.unit or "unit"

    @property
    def figure(self) -> Figure:
        """The sum of the period."""
        return self.series.figure(self.unit) if self.series is not None else absent(self.unit, self.none)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sum over carriers: by quarter hour, why it has no value, and remarks."""

    series: UseSeries | None
    missing: ValueReason = NOTHING
    caution: ValueReason = NOTHING

    def figure(self, unit: str) -> Figure:
        """The sum of the period."""
        if self.series is None:
            return absent(unit, self.missing or ValueReason.NO_METER)
        return self.series.figure(unit, self.missing).noting(self.caution)

    def over(self, made: Output, unit: str) -> Figure:
        """The sum over the output of the same quarter hours."""
        none = (
            made.none | self.missing | (ValueReason.NO_METER if self.series is None and not self.missing else NOTHING)
        )
        return quotient(self.series, made.series, f"{unit}/{made.per}", none=none).noting(self.caution)


Factor = Callable[[Utility], Floats]
"""Factor of a carrier by quarter hour; NaN where none is dated."""


def mj_per_unit(factors: Factors, when: Slots) -> Factor:
    """F20: MJ per unit of the counter. A kWh of electricity is 3.6 MJ; other carriers need a dated factor.

    A fuel without one has the net calorific value that its emissions are computed with.
    """

    def of(utility: Utility) -> Floats:
        if utility is Utility.ELECTRICITY:
            return np.full(len(when), MJ_PER_KWH)
        found = on_days(factors.mj.get(utility, ()), lambda entry: entry.value, when.day)
        fuel = on_days(factors.scope1.get(utility, ()), lambda entry: entry.gj_per_unit * 1000, when.day)
        return np.where(np.isnan(found), fuel, found)

    return of


def toe_per_unit(factors: Factors, when: Slots) -> Factor:
    """F20: tonnes of oil equivalent per unit of the counter."""
    return lambda utility: on_days(factors.toe.get(utility, ()), lambda entry: entry.value, when.day)


def all_carriers(use: Mapping[Utility, Sequence[Portion]], electricity: Electricity | None, factor: Factor) -> Weighed:
    """All energy that a tenant uses, own solar too, each carrier times its factor."""
    sums: list[UseSeries] = [electricity.used] if electricity is not None else []
    carriers = [Utility.ELECTRICITY] if electricity is not None else []
    for utility in NO_FACTOR_OF:
        series = together(use.get(utility, ())) if utility is not Utility.ELECTRICITY else None
        if series is not None:
            sums.append(series)
            carriers.append(utility)
    whole: UseSeries | None = None
    missing = NOTHING
    for utility, series in zip(carriers, sums, strict=True):
        per_unit = factor(utility)
        if (np.isnan(per_unit) & np.isfinite(series.amount)).any():
            missing |= NO_FACTOR_OF[utility]
        amount = np.maximum(series.amount, 0.0) * per_unit
        one = UseSeries(amount, series.completeness, series.estimated, series.error, series.expected)
        whole = one if whole is None else whole.plus(one)
    return Weighed(whole, missing)


def emissions_of(
    use: Mapping[Utility, Sequence[Portion]], factors: Factors, when: Slots, scope: int | None = None
) -> Weighed:
    """F11 and F12: emissions of scope 1 (fuels that the tenant burns), scope 2 (what it buys), or both.

    A utility without any emission factor in the park file is left out of scope 2, and the figure is marked so; it is
    also marked where the factor of electricity is an estimate for reference.
    """
    of_scope = {1: set(factors.scope1), 2: set(factors.scope2) - set(factors.scope1)}
    chosen = of_scope[1] | of_scope[2] if scope is None else of_scope[scope]
    portions = {utility: use[utility] for utility in NO_FACTOR_OF if use.get(utility) and utility in chosen}
    left_out = [utility for utility in NO_FACTOR_OF if use.get(utility) and utility not in of_scope[1] | of_scope[2]]
    missing = caution = NOTHING
    for utility, each in portions.items():
        if any(portion.missing(CO2E).any() for portion in each):
            missing |= NO_FACTOR_OF[utility]
    if scope != 1:
        for utility in left_out:
            caution |= NO_FACTOR_OF[utility]
        if any(_estimated(factors.scope2.get(utility, ()), when) for utility in portions):
            caution |= ValueReason.ESTIMATED_FACTOR
    series = together([portion.column(CO2E) for each in portions.values() for portion in each])
    return Weighed(series, missing, caution if series is not None else NOTHING)


def _estimated(entries: Sequence[BoughtFactor], when: Slots) -> bool:
    """Whether an estimate holds on any of these days."""
    standing = on_days(entries, lambda entry: float(entry.standing == "estimate"), when.day)
    return bool((standing == 1).any())


def market_based(park: Park, tenant: Tenant, use: Mapping[Utility, Sequence[Portion]], when: Slots) -> Weighed:
    """F11, market-based: electricity by the factor of the tenant's own contract, everything else as location-based."""
    own = on_days(tenant.contract.co2e_kg_per_kwh, lambda entry: entry.value, when.day)
    bought = use.get(Utility.ELECTRICITY, ())
    if not bought or np.isnan(own).all():
        return Weighed(None, ValueReason.NO_METER if not bought else ValueReason.NO_CONTRACT)
    rest = {**use, Utility.ELECTRICITY: ()}
    series = together([_at_most_own(portion, own) for portion in bought])
    others = emissions_of(rest, park.factors, when, 2)
    whole = series.plus(others.series) if series is not None else None
    return Weighed(whole, others.missing, others.caution)


def _at_most_own(portion: Portion, own: Floats) -> Portion:
    """Emissions by the contract's factor where it holds, else by the grid's."""
    by_grid = portion.column(CO2E).hours.amount
    by_contract = np.maximum(portion.hours.amount, 0.0) * own
    return portion.with_amount(np.where(np.isnan(own), by_grid, by_contract))


def energy_figures(
    park: Park, tenant: Tenant, use: Mapping[Utility, Sequence[Portion]], electricity: Electricity | None, made: Output
) -> dict[str, Figure]:
    """Energy and emissions of one tenant, in MJ, TOE and kg CO₂e, and over its output."""
    factors, when = park.factors, made.when
    energy = all_carriers(use, electricity, mj_per_unit(factors, when))
    toe = all_carriers(use, electricity, toe_per_unit(factors, when))
    emitted = emissions_of(use, factors, when)
    return {
        "energy_mj": energy.figure("MJ"),
        "toe": toe.figure("TOE"),
        "co2e_scope1_kg": emissions_of(use, factors, when, 1).figure(KG),
        "co2e_scope2_kg": emissions_of(use, factors, when, 2).figure(KG),
        "co2e_scope2_market_kg": market_based(park, tenant, use, when).figure(KG),
        "co2e_kg": emitted.figure(KG),
        "energy_per_output": energy.over(made, "MJ"),
        "toe_per_output": toe.over(made, "TOE"),
        "co2e_per_output": emitted.over(made, KG),
    }

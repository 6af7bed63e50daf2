"""Figures of tenants per day and month, and balances per day, from stored usage alone: registers are not read again.

What is written always holds every figure that has a value now; one that has none any more is taken away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from efficiency.indicators.balance import Flow, balance, night_share, taps
from efficiency.indicators.budget import budget_figures
from efficiency.indicators.figure import Figure
from efficiency.indicators.performance import TenantPeriod, at_fence, tenant_figures
from efficiency.indicators.powerfactor import power_factor, reactive_surcharge
from efficiency.indicators.series import Series, together, valued_sum
from efficiency.stored.fields import Fields
from efficiency.stored.measured import Measured
from efficiency.usage.counters import FURTHER_REGISTERS
from efficiency.usage.intervals import QUARTER_MS
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.carbon import counted
from efficiency.valuation.localtime import Slots, day_of, period_span, slots
from efficiency.valuation.money import band_shares
from efficiency.valuation.valued import Reason, Valued
from metering.dated import at
from metering.figures import Period
from metering.meters import Meter, Role
from metering.park import Park, Tenant
from metering.quantities import Utility


def meters_of(park: Park, tenant: str) -> list[Meter]:
    """The meters that a tenant's figures are made of: at its fence, at its lines, and what it generates."""
    found = sorted((m for m in park.of_tenant[tenant] if at_fence(park, m)), key=lambda m: _ORDER[m.utility])
    return found + [meter for meter in park.of_tenant[tenant] if meter.role is Role.GENERATION]


_ORDER = {utility: place for place, utility in enumerate(Utility)}


def tenant_period(park: Park, tenant: str, by_meter: Mapping[str, Measured]) -> TenantPeriod | None:
    """What a tenant's meters measured over a period, nothing valued; None without a meter."""
    meters = [meter for meter in meters_of(park, tenant) if meter.id in by_meter]
    if not meters:
        return None
    output: dict[str, tuple[QuarterHours, ...]] = {}
    use: dict[Utility, tuple[QuarterHours, ...]] = {}
    for meter in meters:
        if meter.utility is Utility.PRODUCTION:
            output[meter.unit] = (*output.get(meter.unit, ()), by_meter[meter.id].use)
        elif meter.role is not Role.GENERATION:
            use[meter.utility] = (*use.get(meter.utility, ()), by_meter[meter.id].use)
    return TenantPeriod(
        start=by_meter[meters[0].id].use.start,
        use=use,
        generated=tuple(by_meter[m.id].use for m in meters if m.role is Role.GENERATION),
        exported=tuple(
            by_meter[m.id].further("energy_export_kwh") for m in meters if "energy_export_kwh" in m.registers
        ),
        output=output,
    )


def tenant_fields(park: Park, tenant: Tenant, by_meter: Mapping[str, Measured], period: Period) -> Fields:
    """Fields of `efficiency` of one tenant and period, from its meters over exactly that period."""
    of_meters = tenant_period(park, tenant.id, by_meter)
    if of_meters is None:
        return {}
    meters = [meter for meter in meters_of(park, tenant.id) if meter.id in by_meter]
    fence = [meter for meter in meters if meter.role is not Role.GENERATION]
    when = slots(of_meters.start, park.zone)
    tariff = park.tariffs.electricity
    shares = band_shares(tariff.bands, when) if tariff is not None else np.full((len(when), 3), np.nan)
    worth = [meter for meter in fence if meter.utility is not Utility.PRODUCTION]
    emitting = [meter for meter in worth if counted(meter.utility, park.factors)]

    def parts(name: str, of: Iterable[Meter], missing: Reason) -> tuple[tuple[QuarterHours, Valued], ...]:
        return tuple((by_meter[m.id].use, by_meter[m.id].valued(name, missing)) for m in of)

    priced = [m for m in worth if m.utility is Utility.ELECTRICITY or m.utility in park.tariffs.prices]
    period_of = replace(
        of_meters,
        shares=shares,
        cost=parts("cost_vnd", priced, Reason.NO_PRICE),
        co2e=parts("co2e_kg", emitting, Reason.NO_FACTOR),
        toe=parts("toe", [m for m in worth if m.utility in park.factors.toe], Reason.NO_FACTOR),
    )
    found = tenant_figures(tenant, period_of)
    for name, scope in (("co2e_scope1_kg", park.factors.scope1), ("co2e_scope2_kg", park.factors.scope2)):
        of_scope = [meter for meter in emitting if meter.utility in scope]
        found[name] = valued_sum(parts("co2e_kg", of_scope, Reason.NO_FACTOR), "kg")
    found |= _reactive(park, tenant, fence, by_meter, period)
    found |= _budget(park, tenant, when, found["cost_vnd"])
    water = together(period_of.use.get(Utility.WATER, ()))
    if water is not None:
        found["night_water_ratio"] = night_share(water, when, tenant.shifts[-1].value if tenant.shifts else ())
    fields = {name: one.value for name, one in found.items() if one.value is not None}
    whole = together([by_meter[meter.id].use for meter in fence])
    return fields | _completeness(whole) if whole is not None else fields


def _budget(park: Park, tenant: Tenant, when: Slots, cost: Figure) -> dict[str, Figure]:
    if not len(when):
        return {}
    month = period_span(park, Period.MONTH, day_of(int(when.day[0])))
    return budget_figures(tenant.budget_vnd_per_month, when, (month.end - month.start) // QUARTER_MS, cost)


def _completeness(whole: Series) -> Fields:
    if not len(whole.completeness):
        return {}
    return {"completeness": float(whole.completeness.mean()), "estimated": float(whole.estimated.mean())}


def _reactive(
    park: Park, tenant: Tenant, fence: Sequence[Meter], by_meter: Mapping[str, Measured], period: Period
) -> dict[str, Figure]:
    """F8 over the meters that count reactive energy; the surcharge for whole billing cycles only."""
    served = [by_meter[meter.id] for meter in fence if FURTHER_REGISTERS[0] in meter.registers]
    active, blind = together([m.use for m in served]), together([m.further(FURTHER_REGISTERS[0]) for m in served])
    if active is None or blind is None:
        return {}
    start = served[0].use.start
    factor = power_factor(
        QuarterHours.of(start, active.amount, active.completeness, active.estimated),
        QuarterHours.of(start, blind.amount, blind.completeness, blind.estimated),
    )
    if period is not Period.MONTH or park.tariffs.electricity is None:
        return {"power_factor": factor}
    day = day_of(int(slots(start[:1], park.zone).day[0]))
    buyer = at(tenant.contract.demand_kw, day)
    cost = valued_sum([(m.use, m.valued("cost_vnd", Reason.NO_PRICE)) for m in served], "VND")
    rule = at(park.tariffs.electricity.reactive, day)
    surcharge = reactive_surcharge(rule, factor, buyer.value if buyer is not None else None, cost)
    return {"power_factor": factor, "reactive_vnd": surcharge}


def balance_fields(park: Park, main: Meter, by_meter: Mapping[str, Measured]) -> Fields:
    """Fields of `balance` of one main meter and day; its meters over exactly that day."""
    others = [
        Flow(
            by_meter[tap.meter.id].use
            if tap.register == tap.meter.counter
            else by_meter[tap.meter.id].further(tap.register),
            tap.meter.accuracy_pct,
            tap.into,
        )
        for tap in taps(park, main.id)
    ]
    result = balance(Flow(by_meter[main.id].use, main.accuracy_pct), others, main.unit)
    figures = {"through": result.main, "submeters": result.submeters, "loss": result.loss, "band": result.band}
    fields = {name: one.value for name, one in figures.items() if one.value is not None}
    computable = result.loss.value is not None
    return fields | {"completeness": result.main.completeness, "computable": float(computable)}

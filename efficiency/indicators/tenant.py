"""The figures of one tenant and period, from the quarter hours of its metering points: sums over sums, or a reason.

Pure. What a tenant has changes with time: a quarter hour of a meter counts where the meter was the tenant's then, and
sizes, contracts, prices and factors are those of the day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from efficiency.indicators.carriers import Output, energy_figures
from efficiency.indicators.cost import budget_figures, cost_of, payable, without_demand
from efficiency.indicators.demandcharge import demand_charge
from efficiency.indicators.electricity import (
    Electricity,
    amount_figures,
    electricity_of,
    power_factor,
    reactive_surcharge,
    shape_figures,
)
from efficiency.indicators.fence import fence_spans
from efficiency.indicators.figure import Figure, absent, ratio
from efficiency.indicators.night import night_share
from efficiency.indicators.series import Portion, UseSeries, quotient, together
from efficiency.usage.intervals import DAY_MS, QUARTER_MS, Bools, Floats, Span, Times, quarters_in, starts_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.rhythm import estimated_in_sums
from efficiency.valuation.localtime import Slots, day_of, on_days, slots_over
from efficiency.valuation.money import BANDS, band_shares
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.dated import at, value_on
from metering.figures import ELECTRICITY, OUTPUT, WATER, Period
from metering.meters import Meter, Role
from metering.park import Park, Tenant
from metering.quantities import UTILITIES, Utility, figure_of

REACTIVE = "reactive_kvarh"
EXPORT = "energy_export_kwh"


@dataclass(frozen=True, slots=True)
class TenantHours:
    """What a tenant's metering points measured in the quarter hours `when`, all of one period.

    `use` by utility and `output` by unit hold the meters at the tenant's fence and at its lines; `generated` and
    `exported` are electricity; `reactive` pairs active and reactive energy of the meters that count both.
    """

    when: Slots
    use: Mapping[Utility, tuple[Portion, ...]]
    generated: tuple[Portion, ...] = ()
    exported: tuple[Portion, ...] = ()
    reactive: tuple[Portion, ...] = ()
    output: Mapping[str, tuple[Portion, ...]] = field(default_factory=dict)

    @property
    def start(self) -> Times:
        """Starts of the quarter hours, ms."""
        return self.when.start

    @property
    def fence(self) -> tuple[Portion, ...]:
        """Everything that the tenant takes and makes."""
        uses = [portion for portions in self.use.values() for portion in portions]
        return (*uses, *(portion for portions in self.output.values() for portion in portions))

    def of(self, utility: Utility) -> UseSeries | None:
        """All that the tenant takes of a utility; None without a meter."""
        return together(self.use.get(utility, ()))


def counts(meter: Meter, register: str) -> bool:
    """Whether any instrument of a meter counts something in addition to its use."""
    return any(register in instrument.registers for instrument in meter.instruments)


def meters_of(park: Park, tenant: str, span: Span) -> list[Meter]:
    """The meters that a tenant's figures of a span are made of, by utility."""
    found = {each.meter.id: each.meter for each in fence_spans(park, tenant, span)}
    return sorted(found.values(), key=lambda meter: _ORDER[meter.utility])


_ORDER = {utility: place for place, utility in enumerate(Utility)}


def fence_meters(park: Park, tenant: str, utility: Utility, span: Span) -> tuple[Meter, ...]:
    """Meters that together measure all a tenant takes of a utility, or makes, within a span."""
    found = {
        each.meter.id: each.meter
        for each in fence_spans(park, tenant, span)
        if each.meter.utility is utility and not each.generates
    }
    return tuple(found.values())


def generating(park: Park, tenant: str, span: Span) -> tuple[Meter, ...]:
    """The tenant's own generation within a span."""
    found = {
        tenure.meter.id: tenure.meter
        for tenure in park.points_of_tenant(tenant, span)
        if tenure.belonging.role is Role.GENERATION
    }
    return tuple(found.values())


def tenant_hours(park: Park, tenant: str, by_meter: Mapping[str, QuarterHours], span: Span) -> TenantHours | None:
    """Collect what a tenant's meters measured over exactly a span; None where it had none of them then."""
    use: dict[Utility, tuple[Portion, ...]] = {}
    output: dict[str, tuple[Portion, ...]] = {}
    generated: list[Portion] = []
    exported: list[Portion] = []
    reactive: list[Portion] = []
    for standing in _standings(park, tenant, by_meter, span):
        meter, portion = standing.meter, Portion(by_meter[standing.meter.id], standing.mine)
        if counts(meter, EXPORT):
            exported.append(portion.column(EXPORT))
        if standing.generates:
            generated.append(portion)
        elif meter.utility is Utility.PRODUCTION:
            output[meter.unit] = (*output.get(meter.unit, ()), portion)
        else:
            use[meter.utility] = (*use.get(meter.utility, ()), portion)
            if counts(meter, REACTIVE):
                reactive.append(portion)
    if not (use or output or generated):
        return None
    return TenantHours(
        when=slots_over(span, park.zone),
        use=use,
        generated=tuple(generated),
        exported=tuple(exported),
        reactive=tuple(reactive),
        output=output,
    )


@dataclass(slots=True)
class _Standing:
    """A meter and when it counts."""

    meter: Meter
    generates: bool
    mine: Bools


def _standings(park: Park, tenant: str, by_meter: Mapping[str, QuarterHours], span: Span) -> list[_Standing]:
    """When each meter counts, in the order of utilities; one that became a generator is in it twice."""
    start = quarters_in(span)
    found: dict[tuple[str, bool], _Standing] = {}
    for meter, generates, piece in fence_spans(park, tenant, span):
        if meter.id in by_meter:
            fresh = _Standing(meter, generates, np.zeros(len(start), dtype=np.bool_))
            standing = found.setdefault((meter.id, generates), fresh)
            standing.mine[starts_in(start, piece)] = True
    return sorted(found.values(), key=lambda each: _ORDER[each.meter.utility])


def tenant_figures(
    park: Park, tenant: Tenant, by_meter: Mapping[str, QuarterHours], period: Period, span: Span
) -> dict[str, Figure]:
    """All figures of one tenant, by their names in `metering.figures`.

    `span` is the part of a day or month that has passed, or less where the tenant was not there all the time;
    `by_meter` holds the quarter hours of exactly that span. Empty where the tenant had no meter then.
    """
    hours = tenant_hours(park, tenant.id, by_meter, span)
    if hours is None or not len(hours.when):
        return {}
    tariff = park.tariffs.electricity
    shares = np.full((len(hours.when), len(BANDS)), np.nan)
    if tariff is not None:
        shares = band_shares(tariff.bands, park.calendar, hours.when)
    sums = tenant_hours(park, tenant.id, _in_sums(park, by_meter, period), span) or hours
    bought = hours.use.get(Utility.ELECTRICITY, ())
    electricity = electricity_of(sums.use.get(Utility.ELECTRICITY, ()), sums.generated, sums.exported)
    figures = use_figures(sums) | amount_figures(electricity, generates=bool(sums.generated))
    contract = on_days(tenant.contract.demand_kw, lambda entry: entry.value, hours.when.day)
    shape = electricity_of(bought, hours.generated, hours.exported)
    figures |= shape_figures(shape, hours.start, shares, contract)
    cost = cost_of(park, tenant, {**sums.use, Utility.ELECTRICITY: bought} if bought else sums.use, hours.when)
    made = output_of(sums)
    figures |= energy_figures(park, tenant, sums.use, electricity, made)
    figures |= _per_output(sums, electricity, made)
    figures |= _per_size(tenant, figures, sums)
    figures["wastewater_ratio"] = quotient(
        sums.of(Utility.WASTEWATER), sums.of(Utility.WATER), "1", none=_none(sums, Utility.WASTEWATER, Utility.WATER)
    )
    figures |= _reactive(park, tenant, hours, period)
    demand = demand_charge(park, tenant, shape.taken if shape is not None else None, hours.when)
    if period is not Period.MONTH:
        demand = replace(demand, figure=replace(demand.figure, value=None))
    elif tariff is not None:
        figures["demand_vnd"] = demand.figure
    figures["cost_vnd"] = cost.figure.noting(without_demand(demand.figure))
    figures |= payable(park, cost, demand.figure, figures.get("reactive_vnd"), hours.when)
    figures |= budget_figures(park, tenant, hours.when, cost, demand.accrued)
    figures["night_water_ratio"] = night_share(hours.of(Utility.WATER), hours.when, tenant.shifts, park.calendar)
    whole = together(sums.fence)
    if whole is not None:
        figures["completeness"] = Figure(whole.complete, "1")
        figures["estimated"] = Figure(whole.spread, "1")
    return figures


def _in_sums(park: Park, by_meter: Mapping[str, QuarterHours], period: Period) -> Mapping[str, QuarterHours]:
    """The same quarter hours with the estimated share that matters for sums: less for a meter that is read rarely."""
    length = _LEAST_MS[period]
    seldom = {
        name: replace(hours, estimated=estimated_in_sums(hours, meter.interval_s * 1000, length))
        for name, hours in by_meter.items()
        if (meter := park.meter.get(name)) is not None and meter.interval_s * 1000 > QUARTER_MS
    }
    return {**by_meter, **seldom}


_LEAST_MS = {Period.DAY: DAY_MS, Period.MONTH: 28 * DAY_MS, Period.YEAR: 365 * DAY_MS}


def use_figures(hours: TenantHours) -> dict[str, Figure]:
    """Use of each utility except electricity, and output."""
    found = {}
    for utility in Utility:
        if utility not in {Utility.ELECTRICITY, Utility.PRODUCTION}:
            unit, series = UTILITIES[utility].unit, hours.of(utility)
            found[figure_of(utility)] = series.figure(unit) if series else absent(unit, ValueReason.NO_METER)
    found[OUTPUT] = output_of(hours).figure
    return found


def output_of(hours: TenantHours) -> Output:
    """Output; products counted in different units have no sum."""
    if len(hours.output) > 1:
        return Output(hours.when, None, "", ValueReason.MIXED_UNITS)
    for unit, portions in hours.output.items():
        return Output(hours.when, together(portions), unit)
    return Output(hours.when, None, "", ValueReason.NO_OUTPUT)


def _none(hours: TenantHours, *utilities: Utility) -> ValueReason:
    return NOTHING if all(utility in hours.use for utility in utilities) else ValueReason.NO_METER


def _per_output(hours: TenantHours, electricity: Electricity | None, made: Output) -> dict[str, Figure]:
    used = electricity.used if electricity is not None else None
    no_power = made.none | (NOTHING if used is not None else ValueReason.NO_METER)
    no_water, no_waste = (made.none | _none(hours, utility) for utility in (Utility.WATER, Utility.WASTEWATER))
    water, waste, output, per = hours.of(Utility.WATER), hours.of(Utility.WASTEWATER), made.series, made.per
    return {
        "electricity_per_output": quotient(used, output, f"kWh/{per}", none=no_power),
        "water_per_output": quotient(water, output, f"m³/{per}", none=no_water),
        "wastewater_per_output": quotient(waste, output, f"m³/{per}", none=no_waste),
        "output_per_mwh": quotient(output, used, f"{per}/MWh", none=no_power, factor=_KWH_PER_MWH),
        "output_per_m3": quotient(output, water, f"{per}/m³", none=no_water),
    }


_KWH_PER_MWH = 1000.0


def _per_size(tenant: Tenant, figures: Mapping[str, Figure], hours: TenantHours) -> dict[str, Figure]:
    """F3 over floor area and employees: their mean over the quarter hours, as each may change by the day."""
    area = on_days(tenant.floor_area_m2, lambda entry: entry.value, hours.when.day)
    people = on_days(tenant.employees, lambda entry: float(entry.value), hours.when.day)
    sizes: dict[str, tuple[str, Floats, ValueReason]] = {
        "m2": ("m²", area, ValueReason.NO_FLOOR_AREA),
        "employee": ("employee", people, ValueReason.NO_EMPLOYEES),
    }
    found = {}
    for name, (unit, size, missing) in sizes.items():
        known = size[np.isfinite(size)]
        below = Figure(float(known.mean()), unit, len(known) / len(size)) if len(known) else absent(unit, missing, 1.0)
        found[f"electricity_per_{name}"] = ratio(figures[ELECTRICITY], below, f"kWh/{unit}")
        found[f"water_per_{name}"] = ratio(figures[WATER], below, f"m³/{unit}")
    return found


def _reactive(park: Park, tenant: Tenant, hours: TenantHours, period: Period) -> dict[str, Figure]:
    """F8 over the meters that count reactive energy; the surcharge for whole billing cycles only.

    The cycle is the tenant's part of the calendar month; rule and contract are those of its first day.
    """
    active, blind = together(hours.reactive), together([portion.column(REACTIVE) for portion in hours.reactive])
    factor = power_factor(active, blind)
    if period is not Period.MONTH or park.tariffs.electricity is None:
        return {"power_factor": factor}
    day = day_of(int(hours.when.day[0]))
    served = cost_of(park, tenant, {Utility.ELECTRICITY: hours.reactive}, hours.when).figure
    rule = at(park.tariffs.electricity.reactive, day)
    buyer_kw = value_on(tenant.contract.demand_kw, day)
    return {"power_factor": factor, "reactive_vnd": reactive_surcharge(rule, factor, buyer_kw, served)}

"""Energy and emissions of the park itself: what enters at its edge, and what is generated behind it.

What the park produces from that and sells (steam, compressed air, chilled water) is not counted twice.
"""

from collections.abc import Iterable, Mapping

from efficiency.indicators.carriers import KG, all_carriers, emissions_of, mj_per_unit, toe_per_unit
from efficiency.indicators.electricity import Electricity, demand, electricity_of
from efficiency.indicators.fence import without
from efficiency.indicators.figure import Figure, absent
from efficiency.indicators.series import Portion, quotient, together
from efficiency.indicators.tenant import EXPORT, counts
from efficiency.usage.intervals import Span, Times, merged, quarters_in, starts_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import slots
from efficiency.valuation.valued import ValueReason
from metering.meters import Role
from metering.park import Park, Tenure
from metering.quantities import Utility


def _intake(electricity: Electricity | None, start: Times) -> dict[str, Figure]:
    """What is bought, and the highest half hour of it (F9), which the park's contract is about."""
    if electricity is None:
        return {
            "intake_kwh": absent("kWh", ValueReason.NO_METER),
            "intake_peak_kw": absent("kW", ValueReason.NO_METER),
        }
    peak = demand(start, electricity.taken)["peak_demand_kw"]
    return {"intake_kwh": electricity.taken.figure("kWh"), "intake_peak_kw": peak}


def edge_points(park: Park, utility: Utility, span: Span) -> tuple[Tenure, ...]:
    """Metering points at the park's edge: its main meters without one above; while there are none, all without one."""
    found = [
        Tenure(meter, belonging)
        for meter in park.meters
        if meter.utility is utility
        for belonging in meter.belongings_in(span)
        if belonging.parent is None and belonging.role is not Role.GENERATION
    ]
    mains = [each for each in found if each.belonging.role is Role.MAIN and each.belonging.tenant is None]
    metered = merged([each.belonging.span for each in mains])
    others = [
        Tenure(each.meter, part)
        for each in found
        for piece in without(each.belonging.span, metered)
        if (part := each.belonging.clipped(piece)) is not None
    ]
    return (*mains, *others)


def generation(park: Park, span: Span) -> tuple[Tenure, ...]:
    """Everything that generates in the park, the tenants' too."""
    return tuple(
        Tenure(meter, belonging)
        for meter in park.meters
        for belonging in meter.belongings_in(span)
        if belonging.role is Role.GENERATION
    )


def park_figure_meters(park: Park, span: Span) -> set[str]:
    """The meters that `park_figures` needs."""
    points = [point for utility in park_utilities(park) for point in edge_points(park, utility, span)]
    reuse = (*edge_points(park, Utility.WASTEWATER, span), *reusing(park, span)) if park.park.reused_water else ()
    return {point.meter.id for point in (*points, *generation(park, span), *reuse)}


def reusing(park: Park, span: Span) -> tuple[Tenure, ...]:
    """Meters of treated wastewater on its way to reuse."""
    return tuple(
        Tenure(park.meter[name], belonging)
        for name in park.park.reused_water
        for belonging in park.meter[name].belongings_in(span)
    )


def marking(park: Park) -> list[Utility]:
    """Utilities whose use changes the park's figures."""
    return [*park_utilities(park), *([Utility.WATER, Utility.WASTEWATER] if park.park.reused_water else [])]


def park_utilities(park: Park) -> list[Utility]:
    """Utilities that the park's figures are made of; gas also where it has no factor, so that it is named."""
    return [*dict.fromkeys((Utility.ELECTRICITY, Utility.NATURAL_GAS, *park.factors.scope1))]


def park_figures(park: Park, by_meter: Mapping[str, QuarterHours], span: Span) -> dict[str, Figure]:
    """Figures of `metering.figures.PARK_FIGURES` over exactly the span of `by_meter`."""
    start = quarters_in(span)
    if not len(start):
        return {}
    when = slots(start, park.zone)

    def portions(points: Iterable[Tenure], column: str | None = None) -> tuple[Portion, ...]:
        found = []
        for point in points:
            meter = point.meter
            if meter.id in by_meter and (column is None or counts(meter, column)):
                portion = Portion(by_meter[meter.id], starts_in(start, point.belonging.span))
                found.append(portion if column is None else portion.column(column))
        return tuple(found)

    edge = {utility: edge_points(park, utility, span) for utility in park_utilities(park)}
    use = {utility: portions(points) for utility, points in edge.items()}
    made = portions(generation(park, span))
    electricity = electricity_of(use[Utility.ELECTRICITY], made, portions(edge[Utility.ELECTRICITY], EXPORT))
    generated = together(made)
    reused = together(portions(reusing(park, span)))
    treated = together(portions(edge_points(park, Utility.WASTEWATER, span)))
    return {
        **_intake(electricity, start),
        "solar_share": quotient(generated, electricity.used if electricity is not None else None, "1"),
        "reused_m3": reused.figure("m³") if reused is not None else absent("m³", ValueReason.NO_METER),
        "reuse_share": quotient(reused, treated, "1"),
        "solar_kwh": generated.figure("kWh") if generated is not None else absent("kWh", ValueReason.NO_METER),
        "co2e_scope1_kg": emissions_of(use, park.factors, when, 1).figure(KG),
        "co2e_scope2_kg": emissions_of(use, park.factors, when, 2).figure(KG),
        "co2e_kg": emissions_of(use, park.factors, when).figure(KG),
        "energy_mj": all_carriers(use, electricity, mj_per_unit(park.factors, when)).figure("MJ"),
        "toe": all_carriers(use, electricity, toe_per_unit(park.factors, when)).figure("TOE"),
    }

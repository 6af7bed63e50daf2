"""F3, F4, F9: how efficiently a tenant worked in a period, as figures by name.

Every ratio is a sum over a sum. What is not metered or not given has no value and says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from efficiency.indicators.demand import demand
from efficiency.indicators.figure import Figure, absent, figure, ratio, total
from efficiency.indicators.series import Series, together, valued_sum
from efficiency.usage.intervals import Floats, Times
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.money import BANDS
from efficiency.valuation.valued import Reason, Valued
from metering.dated import value_on
from metering.meters import Meter, Role
from metering.park import Park, Tenant
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Band

_KWH_PER_MWH = 1000.0

Parts = tuple[tuple[QuarterHours, Valued], ...]


@dataclass(frozen=True, slots=True)
class TenantPeriod:
    """A tenant's quarter hours of one period.

    `use` by utility and `output` by unit hold the meters at the tenant's fence and at its lines; `generated` and
    `exported` are electricity. `shares` are `money.band_shares` of the same quarter hours. `cost`, `co2e` and `toe` go
    meter by meter.
    """

    start: Times
    use: Mapping[Utility, tuple[QuarterHours, ...]]
    generated: tuple[QuarterHours, ...] = ()
    exported: tuple[QuarterHours, ...] = ()
    output: Mapping[str, tuple[QuarterHours, ...]] = field(default_factory=dict)
    shares: Floats = field(default_factory=lambda: np.empty((0, len(BANDS))))
    cost: Parts = ()
    co2e: Parts = ()
    toe: Parts = ()


def at_fence(park: Park, meter: Meter) -> bool:
    """Whether a meter stands where a tenant takes something: not below another one of its own."""
    return meter.role is not Role.GENERATION and (
        meter.parent is None or park.meter[meter.parent].tenant != meter.tenant
    )


def fence_meters(park: Park, tenant: str, utility: Utility) -> tuple[Meter, ...]:
    """Meters that together measure all a tenant takes of a utility."""
    return tuple(meter for meter in park.of_tenant[tenant] if meter.utility is utility and at_fence(park, meter))


def tenant_figures(tenant: Tenant, period: TenantPeriod) -> dict[str, Figure]:
    """All figures of one tenant and period, by their names in `metering.figures`."""
    figures = amounts(period)
    figures |= _power(period, figures)
    figures["cost_vnd"] = valued_sum(period.cost, "VND")
    figures["co2e_kg"] = valued_sum(period.co2e, "kg CO2e")
    figures["toe"] = valued_sum(period.toe, "TOE")
    figures |= _per_output(figures)
    figures |= _per_size(tenant, figures)
    figures["wastewater_ratio"] = ratio(figures["wastewater_m3"], figures["water_m3"], "")
    return figures


USES = {
    Utility.WATER: "water_m3",
    Utility.WASTEWATER: "wastewater_m3",
    Utility.STEAM: "steam_t",
    Utility.NATURAL_GAS: "gas_nm3",
    Utility.COMPRESSED_AIR: "compressed_air_nm3",
    Utility.CHILLED_WATER: "chilled_kwh",
}
"""Figure of what came over the fence; electricity, which may be generated too, is reckoned by itself."""


def amounts(period: TenantPeriod) -> dict[str, Figure]:
    """What was used, generated and produced: the figures that are sums of quarter hours."""
    found = {}
    for utility, name in USES.items():
        unit, series = UTILITIES[utility].unit, together(period.use.get(utility, ()))
        found[name] = series.figure(unit) if series else absent(unit, Reason.NO_METER)
    return found | _electricity(period) | {"output": output_of(period)}


def _electricity(period: TenantPeriod) -> dict[str, Figure]:
    bought = together(period.use.get(Utility.ELECTRICITY, ()))
    if bought is None:
        return dict.fromkeys(("grid_kwh", "solar_kwh", "electricity_kwh"), absent("kWh", Reason.NO_METER))
    grid = _taken(bought).figure("kWh")
    solar = own_solar(bought, period.generated, period.exported)
    both = total([grid, solar], "kWh") if period.generated else grid
    return {"grid_kwh": grid, "solar_kwh": solar, "electricity_kwh": both}


def _taken(bought: Series) -> Series:
    """What came in, without what went back."""
    return Series(np.maximum(bought.amount, 0.0), bought.completeness, bought.estimated)


def _power(period: TenantPeriod, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    bought = together(period.use.get(Utility.ELECTRICITY, ()))
    if bought is None:
        no_power, no_share = absent("kW", Reason.NO_METER), absent("", Reason.NO_METER)
        names = ("mean_demand_kw", "peak_demand_kw", "base_load_kw")
        return dict.fromkeys(names, no_power) | dict.fromkeys(("load_factor", "peak_share", "solar_share"), no_share)
    taken = _taken(bought)
    power = demand(period.start, taken)
    return {
        "solar_share": ratio(figures["solar_kwh"], figures["electricity_kwh"], ""),
        "peak_share": peak_share(taken, period.shares),
        "mean_demand_kw": power.mean,
        "peak_demand_kw": power.highest,
        "base_load_kw": power.base,
        "load_factor": power.load_factor,
    }


def own_solar(bought: Series, generated: tuple[QuarterHours, ...], exported: tuple[QuarterHours, ...]) -> Figure:
    """What was generated and not exported, kWh: by its own register, or by the intake turning back."""
    made = together(generated)
    if made is None:
        return absent("kWh", Reason.NO_METER)
    parts = [made.figure("kWh")]
    away = together(exported)
    if away is not None:
        parts.append(away.figure("kWh"))
    turned_back = float(np.nansum(np.minimum(bought.amount, 0.0)))
    whole = total(parts, "kWh")
    if whole.value is None or parts[0].value is None:
        return whole
    sent = sum(part.value or 0.0 for part in parts[1:]) - turned_back
    return figure(max(0.0, parts[0].value - sent), "kWh", whole.completeness, whole.estimated, whole.reasons)


def peak_share(electricity: Series, shares: Floats) -> Figure:
    """Share of the electricity taken in peak hours."""
    split = electricity.amount[:, np.newaxis] * shares
    undated = np.isnan(shares).any(axis=1) & np.isfinite(electricity.amount)
    if undated.any():
        return absent("", Reason.NO_BANDS, float(electricity.completeness.mean()))
    peak = Series(split[:, BANDS.index(Band.PEAK)], electricity.completeness, electricity.estimated)
    return ratio(peak.figure("kWh"), electricity.figure("kWh"), "")


def output_of(period: TenantPeriod) -> Figure:
    """What was produced; products counted in different units have no sum."""
    if len(period.output) > 1:
        return absent("", Reason.MIXED_UNITS)
    for unit, uses in period.output.items():
        series = together(uses)
        if series is not None:
            return series.figure(unit)
    return absent("", Reason.NO_OUTPUT)


def _per_output(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    output = figures["output"]
    per = output.unit or "unit"
    electricity, water = figures["electricity_kwh"], figures["water_m3"]
    return {
        "energy_per_output": ratio(electricity, output, f"kWh/{per}"),
        "water_per_output": ratio(water, output, f"m³/{per}"),
        "wastewater_per_output": ratio(figures["wastewater_m3"], output, f"m³/{per}"),
        "co2e_per_output": ratio(figures["co2e_kg"], output, f"kg CO2e/{per}"),
        "toe_per_output": ratio(figures["toe"], output, f"TOE/{per}"),
        "output_per_mwh": ratio(output, _scaled(electricity, 1 / _KWH_PER_MWH, "MWh"), f"{per}/MWh"),
        "output_per_m3": ratio(output, water, f"{per}/m³"),
    }


def _scaled(one: Figure, factor: float, unit: str) -> Figure:
    value = None if one.value is None else one.value * factor
    return one.model_copy(update={"value": value, "unit": unit})


def _per_size(tenant: Tenant, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    area, staff = value_on(tenant.floor_area_m2, date.max), value_on(tenant.employees, date.max)
    sizes = {"m2": ("m²", area, Reason.NO_FLOOR_AREA), "employee": ("employee", staff, Reason.NO_EMPLOYEES)}
    found = {}
    for name, (unit, size, missing) in sizes.items():
        below = Figure(value=size, unit=unit) if size is not None else absent(unit, missing, 1.0)
        found[f"energy_per_{name}"] = ratio(figures["electricity_kwh"], below, f"kWh/{unit}")
        found[f"water_per_{name}"] = ratio(figures["water_m3"], below, f"m³/{unit}")
    return found

"""What a tenant's figure is made of, and why it has no value: the store holds no field where there is none."""

from datetime import date

from efficiency.indicators.balance import NIGHT
from efficiency.indicators.performance import fence_meters
from efficiency.reports.reading import Fields
from efficiency.valuation.localtime import week_minutes
from efficiency.valuation.valued import NOTHING, Reason
from metering.calendar import MINUTES_PER_DAY
from metering.dated import at, value_on
from metering.meters import Meter, Role
from metering.park import Park, Tenant
from metering.quantities import Utility

_POWER = (Utility.ELECTRICITY,)
_MADE = (Utility.PRODUCTION,)
INPUTS: dict[str, tuple[Utility, ...]] = {
    "electricity_kwh": _POWER,
    "solar_kwh": _POWER,
    "water_m3": (Utility.WATER,),
    "wastewater_m3": (Utility.WASTEWATER,),
    "steam_t": (Utility.STEAM,),
    "gas_nm3": (Utility.NATURAL_GAS,),
    "compressed_air_nm3": (Utility.COMPRESSED_AIR,),
    "chilled_kwh": (Utility.CHILLED_WATER,),
    "output": _MADE,
    "energy_per_output": (*_POWER, *_MADE),
    "water_per_output": (Utility.WATER, *_MADE),
    "energy_per_m2": _POWER,
    "energy_per_employee": _POWER,
    "output_per_mwh": (*_MADE, *_POWER),
    "co2e_per_output": _MADE,
    "wastewater_per_output": (Utility.WASTEWATER, *_MADE),
    "peak_demand_kw": _POWER,
    "base_load_kw": _POWER,
    "load_factor": _POWER,
    "peak_share": _POWER,
    "solar_share": _POWER,
    "wastewater_ratio": (Utility.WASTEWATER, Utility.WATER),
    "power_factor": _POWER,
    "reactive_vnd": _POWER,
    "expected_kwh": _POWER,
    "saving_kwh": _POWER,
    "enpi": _POWER,
    "cusum_kwh": _POWER,
    "night_water_ratio": (Utility.WATER,),
}
"""Utilities whose meters a figure is computed from; figures that are not named need all that the tenant has."""

_SOLAR = {"solar_kwh", "solar_share"}
_BELOW = {
    "energy_per_output": "output",
    "water_per_output": "output",
    "co2e_per_output": "output",
    "wastewater_per_output": "output",
    "output_per_mwh": "electricity_kwh",
    "load_factor": "peak_demand_kw",
    "peak_share": "electricity_kwh",
    "solar_share": "electricity_kwh",
    "wastewater_ratio": "water_m3",
    "night_water_ratio": "water_m3",
    "enpi": "expected_kwh",
    "budget_share": "budget_vnd",
}
_UNDATED = {
    "expected_kwh": Reason.NO_BASELINE,
    "saving_kwh": Reason.NO_BASELINE,
    "enpi": Reason.NO_BASELINE,
    "cusum_kwh": Reason.NO_BASELINE,
    "cost_vnd": Reason.NO_PRICE,
    "budget_share": Reason.NO_PRICE,
    "reactive_vnd": Reason.INCOMPLETE,
    "co2e_scope1_kg": Reason.NO_FACTOR,
    "co2e_scope2_kg": Reason.NO_FACTOR,
    "co2e_per_output": Reason.NO_FACTOR,
    "toe": Reason.NO_FACTOR,
}
"""What is missing where there is data, but not this figure."""


def generating(park: Park, tenant: str) -> tuple[Meter, ...]:
    """The tenant's own generation."""
    return tuple(meter for meter in park.meters if meter.tenant == tenant and meter.role is Role.GENERATION)


def inputs(park: Park, tenant: str, name: str) -> tuple[Meter, ...]:
    """The meters that a figure is computed from."""
    chosen = INPUTS.get(name, tuple(utility for utility in Utility if utility is not Utility.PRODUCTION))
    found = tuple(meter for utility in chosen for meter in fence_meters(park, tenant, utility))
    return found + (generating(park, tenant) if Utility.ELECTRICITY in chosen else ())


def why_absent(park: Park, tenant: Tenant, name: str, fields: Fields, day: date) -> Reason:
    """Why a figure without a field has no value; `day` is the first of the period."""
    reason = _not_metered(park, tenant, name) or _not_given(park, tenant, name, day)
    if reason:
        return reason
    if fields.get(_BELOW.get(name, "")) == 0:
        return Reason.ZERO_DENOMINATOR
    return _UNDATED.get(name, Reason.NO_DATA) if "electricity_kwh" in fields else Reason.NO_DATA


def _not_metered(park: Park, tenant: Tenant, name: str) -> Reason:
    if name in _SOLAR and not generating(park, tenant.id):
        return Reason.NO_METER
    if name == "co2e_scope1_kg" and not any(fence_meters(park, tenant.id, fuel) for fuel in park.factors.scope1):
        return Reason.NO_METER
    if name == "co2e_scope2_kg" and not any(fence_meters(park, tenant.id, bought) for bought in park.factors.scope2):
        return Reason.NO_METER
    for utility in INPUTS.get(name, ()):
        found = fence_meters(park, tenant.id, utility)
        if not found:
            return Reason.NO_OUTPUT if utility is Utility.PRODUCTION else Reason.NO_METER
        if utility is Utility.PRODUCTION and len({meter.unit for meter in found}) > 1:
            return Reason.MIXED_UNITS
    return NOTHING


def _not_given(park: Park, tenant: Tenant, name: str, day: date) -> Reason:
    tariff = park.tariffs.electricity
    buys_power = bool(fence_meters(park, tenant.id, Utility.ELECTRICITY))
    missing = {
        "energy_per_m2": (at(tenant.floor_area_m2, day) is None, Reason.NO_FLOOR_AREA),
        "energy_per_employee": (not value_on(tenant.employees, day), Reason.NO_EMPLOYEES),
        "reactive_vnd": (tariff is None or at(tariff.reactive, day) is None, Reason.NO_RULE),
        "peak_share": (tariff is None or at(tariff.bands, day) is None, Reason.NO_BANDS),
        "cost_vnd": (buys_power and at(tenant.contract.voltage, day) is None, Reason.NO_VOLTAGE),
        "night_water_ratio": (_works_every_night(tenant, day), Reason.NO_NIGHT),
        **dict.fromkeys(
            ("budget_vnd", "budget_share"), (at(tenant.budget_vnd_per_month, day) is None, Reason.NO_BUDGET)
        ),
    }
    absent, reason = missing.get(name, (False, NOTHING))
    return reason if absent else NOTHING


def _works_every_night(tenant: Tenant, day: date) -> bool:
    week = week_minutes(worked.value if (worked := at(tenant.shifts, day)) else ()).reshape(-1, MINUTES_PER_DAY)
    return bool(week[:, NIGHT[0] : NIGHT[1]].any(axis=1).all())


def output_unit(park: Park, tenant: str) -> str | None:
    """Unit of what a tenant produces, None where there is none or more than one."""
    units = {meter.unit for meter in fence_meters(park, tenant, Utility.PRODUCTION)}
    return units.pop() if len(units) == 1 else None

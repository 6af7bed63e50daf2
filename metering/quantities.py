"""What can be measured: the one table of utilities, their quantities, units, names, colours, counters and figures.

A quantity carries its canonical unit in its name. `low` and `high` bound what any instrument could show; a value
outside is refused as `out_of_range`, so the bounds are wide on purpose: they catch a broken register, not a bad day.
Whoever stores, computes, draws or prints something of a utility takes it from here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from metering.model import Localized

_HUGE = 1e15  # beyond any counter with a fraction that a float64 still holds exactly enough


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column of the store: canonical `unit`, the conceivable range, and whether it is a counter."""

    name: str
    unit: str
    low: float
    high: float
    counter: bool = False


class Utility(StrEnum):
    """What a meter measures; also the name of the measurement in the store."""

    ELECTRICITY = "electricity"
    WATER = "water"
    WASTEWATER = "wastewater"
    STEAM = "steam"
    NATURAL_GAS = "natural_gas"
    COMPRESSED_AIR = "compressed_air"
    CHILLED_WATER = "chilled_water"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class UtilitySpec:
    """One utility.

    `counter` is the register that use is computed from; `rate` its time derivative, per hour, if it is metered.
    `figure` is the field of `efficiency` that holds what a tenant used, in the counter's `unit`. `colour` is readable
    on white and on black.
    """

    quantities: dict[str, Quantity]
    counter: str
    rate: str | None
    figure: str
    label: Localized
    colour: str

    @property
    def unit(self) -> str:
        """Unit of the counter, and so of every amount used."""
        return self.quantities[self.counter].unit

    @property
    def rate_unit(self) -> str:
        """Unit of use per hour; empty where the meter itself defines what it counts."""
        if not self.unit:
            return ""
        return "kW" if self.unit == "kWh" else f"{self.unit}/h"


class _Looks(NamedTuple):
    figure: str
    en: str
    vi: str
    colour: str


def _spec(counter: str, rate: str | None, looks: _Looks, *quantities: Quantity) -> UtilitySpec:
    label = Localized(en=looks.en, vi=looks.vi)
    return UtilitySpec(
        {q.name: q for q in quantities}, counter, rate, figure=looks.figure, label=label, colour=looks.colour
    )


def _counter(name: str, unit: str) -> Quantity:
    return Quantity(name, unit, 0.0, _HUGE, counter=True)


_PRESSURE = Quantity("pressure_bar", "bar", -1.0, 1_000.0)
_TEMPERATURE = Quantity("temperature_c", "°C", -50.0, 1_000.0)
_VOLUME_M3 = _counter("volume_m3", "m³")
_FLOW_M3H = Quantity("flow_m3h", "m³/h", -1e6, 1e6)
_WATER = (
    _VOLUME_M3,
    _FLOW_M3H,
    _PRESSURE,
    Quantity("ph", "pH", 0.0, 14.0),
    Quantity("tss_mgl", "mg/L", 0.0, 1e6),
    Quantity("cod_mgl", "mg/L", 0.0, 1e6),
    Quantity("nh4_mgl", "mg/L", 0.0, 1e6),
    _TEMPERATURE,
)
_GAS = (_counter("volume_nm3", "Nm³"), Quantity("flow_nm3h", "Nm³/h", -1e7, 1e7), _PRESSURE)

UTILITIES: dict[Utility, UtilitySpec] = {
    Utility.ELECTRICITY: _spec(
        "energy_kwh",
        "power_kw",
        _Looks("electricity_kwh", "Electricity", "Điện", "#BD8A09"),
        _counter("energy_kwh", "kWh"),
        _counter("energy_export_kwh", "kWh"),
        _counter("reactive_kvarh", "kvarh"),
        Quantity("power_kw", "kW", -1e7, 1e7),
        Quantity("power_factor", "cosφ", -1.0, 1.0),
        Quantity("voltage_v", "V", 0.0, 1e6),
        Quantity("current_a", "A", -1e6, 1e6),
        Quantity("frequency_hz", "Hz", 0.0, 500.0),
    ),
    Utility.WATER: _spec(
        "volume_m3",
        "flow_m3h",
        _Looks("water_m3", "Water", "Nước cấp", "#2F72D6"),
        *_WATER,
    ),
    Utility.WASTEWATER: _spec(
        "volume_m3",
        "flow_m3h",
        _Looks("wastewater_m3", "Wastewater", "Nước thải", "#8C6D46"),
        *_WATER,
    ),
    Utility.STEAM: _spec(
        "mass_t",
        "flow_th",
        _Looks("steam_t", "Steam", "Hơi", "#D9662B"),
        _counter("mass_t", "t"),
        Quantity("flow_th", "t/h", -1e5, 1e5),
        _PRESSURE,
        _TEMPERATURE,
    ),
    Utility.NATURAL_GAS: _spec(
        "volume_nm3",
        "flow_nm3h",
        _Looks("gas_nm3", "Natural gas", "Khí thiên nhiên", "#8F4FBF"),
        *_GAS,
    ),
    Utility.COMPRESSED_AIR: _spec(
        "volume_nm3",
        "flow_nm3h",
        _Looks("compressed_air_nm3", "Compressed air", "Khí nén", "#3E9C94"),
        *_GAS,
    ),
    Utility.CHILLED_WATER: _spec(
        "energy_kwh",
        None,
        _Looks("chilled_kwh", "Chilled water", "Nước lạnh", "#289DCF"),
        _counter("energy_kwh", "kWh"),
        _VOLUME_M3,
        Quantity("supply_c", "°C", -50.0, 100.0),
        Quantity("return_c", "°C", -50.0, 100.0),
    ),
    Utility.PRODUCTION: _spec(
        "output",
        None,
        _Looks("output", "Output", "Sản lượng", "#6B7785"),
        _counter("output", ""),
    ),
}
"""Every utility; the unit of production's `output` is the meter's own (`output_unit` in the park file)."""

QUANTITIES: Final = {name: quantity for spec in UTILITIES.values() for name, quantity in spec.quantities.items()}
"""Every quantity that any meter may serve, by name."""

COUNTERS: Final = frozenset(name for name, quantity in QUANTITIES.items() if quantity.counter)
"""Quantities that are counters, whatever the utility."""


def figure_of(utility: Utility) -> str:
    """The figure that holds what a tenant used of a utility."""
    return UTILITIES[utility].figure

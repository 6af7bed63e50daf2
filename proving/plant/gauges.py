"""Quantities that are not counters, as they follow from the flow: power, pressure, temperatures, concentrations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from metering.meters import Meter
from metering.park import Tenant
from proving.plant.profiles import POWER_FACTORS, USUAL_POWER_FACTOR, USUAL_VOLTAGE, VOLTAGES

Values = NDArray[np.float64]
KWH_PER_M3_K = 1.163
"""Heat that a cubic metre of water carries for each kelvin (F13)."""


@dataclass(frozen=True, slots=True)
class FlowGauge:
    """What a meter's gauges are made of: `net` flow per hour, slow noise and air temperature, at the same instants."""

    meter: Meter
    net: Values
    wobble: Values
    air_c: Values
    full_power_factor: float = USUAL_POWER_FACTOR

    @property
    def load(self) -> Values:
        """Share of the rating."""
        return np.abs(self.net) / self.meter.rated


def full_power_factor(tenant: Tenant | None) -> float:
    """Power factor of a tenant's machines at full load."""
    return USUAL_POWER_FACTOR if tenant is None else POWER_FACTORS.get(tenant.id, USUAL_POWER_FACTOR)


def power_factor(flow: FlowGauge) -> Values:
    """Power factor: worse at partial load."""
    return np.clip(flow.full_power_factor - 0.07 * np.maximum(0.5 - flow.load, 0.0) + 0.006 * flow.wobble, 0.5, 0.995)


def reactive(flow: FlowGauge) -> Values:
    """Reactive power in kvar, never negative (F8 turned around)."""
    pf = power_factor(flow)
    drawn: Values = np.abs(flow.net) * np.sqrt(1.0 / pf**2 - 1.0)
    return drawn


def spread(flow: FlowGauge) -> Values:
    """Return minus supply temperature of chilled water, in kelvin."""
    return np.clip(4.2 + 2.4 * flow.load + 0.15 * flow.wobble, 2.5, 8.0)


def chilled_flow(flow: FlowGauge) -> Values:
    """Water that carries the cold, in m3/h."""
    carried: Values = np.maximum(flow.net, 0.0) / (KWH_PER_M3_K * spread(flow))
    return carried


def _voltage(flow: FlowGauge) -> Values:
    return VOLTAGES.get(flow.meter.id, USUAL_VOLTAGE) * (1.01 - 0.03 * flow.load + 0.004 * flow.wobble)


def _current(flow: FlowGauge) -> Values:
    amperes: Values = np.abs(flow.net) * 1000.0 / (np.sqrt(3.0) * _voltage(flow) * power_factor(flow))
    return amperes


def _supply(flow: FlowGauge) -> Values:
    return 6.8 + 0.9 * flow.load + 0.2 * flow.wobble


_PRESSURES = MappingProxyType(
    {"water": (4.2, 1.1), "steam": (8.2, 0.7), "natural_gas": (2.4, 0.2), "compressed_air": (7.3, 0.8)}
)


def _pressure(flow: FlowGauge) -> Values:
    rest, drop = _PRESSURES.get(flow.meter.utility.value, (1.0, 0.2))
    return rest - drop * flow.load + 0.05 * flow.wobble


def _temperature(flow: FlowGauge) -> Values:
    if flow.meter.utility.value == "steam":
        return 174.0 - 3.0 * flow.load + 0.5 * flow.wobble
    return 22.0 + 0.35 * flow.air_c + 0.3 * flow.wobble


_GAUGES: Mapping[str, Callable[[FlowGauge], Values]] = MappingProxyType(
    {
        "power_kw": lambda flow: flow.net,
        "power_factor": power_factor,
        "voltage_v": _voltage,
        "current_a": _current,
        "frequency_hz": lambda flow: 50.0 + 0.025 * flow.wobble,
        "flow_m3h": lambda flow: flow.net,
        "flow_nm3h": lambda flow: flow.net,
        "flow_th": lambda flow: flow.net,
        "pressure_bar": _pressure,
        "temperature_c": _temperature,
        "supply_c": _supply,
        "return_c": lambda flow: _supply(flow) + spread(flow),
        "ph": lambda flow: 7.3 + 0.16 * flow.wobble,
        "cod_mgl": lambda flow: 45.0 + 38.0 * flow.load + 6.0 * flow.wobble,
        "tss_mgl": lambda flow: 24.0 + 16.0 * flow.load + 4.0 * flow.wobble,
        "nh4_mgl": lambda flow: 2.1 + 1.6 * flow.load + 0.45 * flow.wobble,
    }
)


def gauge(quantity: str, flow: FlowGauge) -> Values:
    """What a gauge shows, before the register rounds it. Raises `KeyError` for a quantity that is a counter."""
    return _GAUGES[quantity](flow)

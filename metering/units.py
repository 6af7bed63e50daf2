"""Units that devices send, and their conversion to the canonical unit of a quantity.

A quantity's canonical unit is in its name (`energy_kwh`, `flow_m3h`). A conversion is linear: canonical = sent x factor
+ offset. Factors follow from the definitions of the units: 1 kWh is 3.6 MJ, a litre is a cubic decimetre.
"""

from typing import Final, NamedTuple

from metering.quantities import Quantity


class Conversion(NamedTuple):
    """`canonical = sent * factor + offset`."""

    factor: float
    offset: float = 0.0

    def of(self, sent: float) -> float:
        """Convert one value, to 15 digits: 21250.4 W is 21.2504 kW, not 21.250400000000003."""
        return float(f"{sent * self.factor + self.offset:.15g}")


_M3: Final = {
    "m³": 1.0,
    "m3": 1.0,
    "L": 1e-3,
    "l": 1e-3,
    "dm3": 1e-3,
    "hL": 0.1,
    "mL": 1e-6,
    "ft3": 0.028316846592,
    "gal": 0.003785411784,
}
_KWH: Final = {
    "kWh": 1.0,
    "Wh": 1e-3,
    "MWh": 1e3,
    "GWh": 1e6,
    "kJ": 1 / 3600,
    "MJ": 1 / 3.6,
    "GJ": 1e3 / 3.6,
    "kcal": 1 / 859.845227858985,
    "Mcal": 1e3 / 859.845227858985,
    "Gcal": 1e6 / 859.845227858985,
}
_PER_HOUR: Final = {"/h": 1.0, "/min": 60.0, "/s": 3600.0, "/d": 1 / 24}


def _flows(volumes: dict[str, float]) -> dict[str, float]:
    return {f"{unit}{per}": factor * times for unit, factor in volumes.items() for per, times in _PER_HOUR.items()}


_TONNES: Final = {"t": 1.0, "kg": 1e-3, "g": 1e-6, "lb": 0.00045359237}
_NM3: Final = {"Nm³": 1.0, "Nm3": 1.0, "NL": 1e-3}

_TABLES: Final[dict[str, dict[str, float]]] = {
    "kWh": _KWH,
    "kvarh": {"kvarh": 1.0, "varh": 1e-3, "Mvarh": 1e3},
    "kW": {"kW": 1.0, "W": 1e-3, "MW": 1e3},
    "m³": _M3,
    "m³/h": _flows(_M3),
    "Nm³": _NM3,
    "Nm³/h": _flows(_NM3),
    "t": _TONNES,
    "t/h": _flows(_TONNES),
    "V": {"V": 1.0, "mV": 1e-3, "kV": 1e3},
    "A": {"A": 1.0, "mA": 1e-3, "kA": 1e3},
    "Hz": {"Hz": 1.0, "mHz": 1e-3},
    "bar": {"bar": 1.0, "mbar": 1e-3, "kPa": 0.01, "Pa": 1e-5, "MPa": 10.0, "psi": 0.0689475729316836},
    "mg/L": {"mg/L": 1.0, "mg/l": 1.0, "g/L": 1e3, "µg/L": 1e-3},
    "cosφ": {"cosφ": 1.0, "1": 1.0, "%": 0.01},
    "pH": {"pH": 1.0},
}  # fmt: skip
_CELSIUS: Final = {
    "°C": Conversion(1.0),
    "C": Conversion(1.0),
    "°F": Conversion(5 / 9, -160 / 9),
    "K": Conversion(1.0, -273.15),
}


def units_of(quantity: Quantity) -> tuple[str, ...]:
    """Units that can be converted to the quantity's own, which comes first."""
    if quantity.unit == "°C":
        return tuple(_CELSIUS)
    return tuple(_TABLES.get(quantity.unit, {quantity.unit: 1.0}))


def conversion(unit: str | None, quantity: Quantity) -> Conversion | None:
    """The conversion from `unit` (empty: the canonical one) to that of the quantity; None where there is none."""
    if unit is None or unit == quantity.unit:
        return Conversion(1.0)
    if quantity.unit == "°C":
        return _CELSIUS.get(unit)
    factor = _TABLES.get(quantity.unit, {}).get(unit)
    return None if factor is None else Conversion(factor)

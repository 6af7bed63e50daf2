"""How each meter of the demo park behaves: invented figures of the size that such plants have.

A meter that is not named here follows the default of its utility and its tenant's shifts.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from metering.quantities import Utility

Rhythm = Literal["shifts", "always", "night", "day"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A load of its own.

    `share` of the rating is drawn at full work, `standby` of that always; `per_degree` more for each °C over 24;
    `cycle_min` and `cycle_depth` describe a machine that works in batches; `noise` is a relative standard deviation.
    """

    share: float = 0.6
    standby: float = 0.15
    rhythm: Rhythm = "shifts"
    per_degree: float = 0.0
    cycle_min: int = 0
    cycle_depth: float = 0.0
    noise: float = 0.05


@dataclass(frozen=True, slots=True)
class Coupling:
    """A flow that follows others: `per_unit` of their sum and `constant` an hour.

    `buffered` is the share that leaves evenly over the day; `per_degree` as above, over 28 °C.
    """

    sources: tuple[str, ...]
    per_unit: float
    constant: float = 0.0
    buffered: float = 0.0
    per_degree: float = 0.0


DEFAULTS = MappingProxyType(
    {
        Utility.ELECTRICITY: Profile(standby=0.18),
        Utility.WATER: Profile(standby=0.06, noise=0.1),
        Utility.WASTEWATER: Profile(standby=0.06, noise=0.1),
        Utility.STEAM: Profile(standby=0.1, noise=0.08),
        Utility.NATURAL_GAS: Profile(standby=0.08, noise=0.06),
        Utility.COMPRESSED_AIR: Profile(standby=0.22),
        Utility.CHILLED_WATER: Profile(standby=0.3, per_degree=0.03),
        Utility.PRODUCTION: Profile(share=0.7, standby=0.0, noise=0.08),
    }
)

PROFILES = MappingProxyType(
    {
        "em-street": Profile(share=0.6, standby=0.12, rhythm="night", noise=0.02),
        "em-textile-dyeing": Profile(standby=0.12, cycle_min=95, cycle_depth=0.25),
        "em-textile-hvac": Profile(share=0.45, standby=0.25, per_degree=0.02),
        "em-seafood-freezing": Profile(share=0.52, standby=0.62, per_degree=0.018, cycle_min=40, cycle_depth=0.12),
        "em-brewery-brewhouse": Profile(standby=0.25, cycle_min=160, cycle_depth=0.3),
        "em-electronics-cleanroom": Profile(share=0.5, standby=0.7, per_degree=0.012),
        "em-steel-furnace": Profile(share=0.55, standby=0.05, cycle_min=72, cycle_depth=0.55),
        "em-plastics-injection": Profile(standby=0.1, noise=0.04),
        "em-furniture-dust": Profile(standby=0.02),
        "em-pharma-hvac": Profile(share=0.5, standby=0.72, per_degree=0.012),
        "wm-park": Profile(share=0.4, standby=0.04, rhythm="day", per_degree=0.03),
        "wm-pharma": Profile(standby=0.2, noise=0.1),
        "wm-brewery": Profile(standby=0.12, cycle_min=160, cycle_depth=0.35, noise=0.1),
    }
)

COUPLINGS = MappingProxyType(
    {
        "ww-textile": Coupling(("wm-textile",), 0.86),
        "ww-seafood": Coupling(("wm-seafood",), 0.91),
        "ww-brewery": Coupling(("wm-brewery",), 0.66),
        "ww-electronics": Coupling(("wm-electronics",), 0.74),
        "ww-steel": Coupling(("wm-steel",), 0.58),
        "ww-packaging": Coupling(("wm-packaging",), 0.63),
        "ww-pharma": Coupling(("wm-pharma",), 0.69),
        "ww-outfall": Coupling(("ww-inlet",), 0.84, buffered=0.7),
        "ww-reuse": Coupling(("ww-inlet",), 0.12, buffered=0.7),
        "gm-boiler": Coupling(("sm-header",), 76.0, constant=18.0),
        "em-boiler": Coupling(("sm-header",), 4.2, constant=14.0),
        "em-compressor": Coupling(("am-main",), 0.108, constant=22.0),
        "em-chiller": Coupling(("cm-main",), 0.215, constant=45.0, per_degree=0.012),
        "em-wwtp": Coupling(("ww-inlet",), 0.62, constant=55.0),
    }
)

LOSSES = MappingProxyType(
    {
        Utility.ELECTRICITY: 0.006,
        Utility.WATER: 0.009,
        Utility.WASTEWATER: 0.004,
        Utility.STEAM: 0.012,
        Utility.NATURAL_GAS: 0.002,
        Utility.COMPRESSED_AIR: 0.014,
        Utility.CHILLED_WATER: 0.005,
        Utility.PRODUCTION: 0.0,
    }
)
"""Losses between a meter and those below it, as a share of their sum."""

POWER_FACTORS = MappingProxyType({"steel": 0.86, "plastics": 0.92, "feed": 0.91, "electronics": 0.97})
"""Of the tenants at full load; the others have 0.94."""
USUAL_POWER_FACTOR = 0.94

VOLTAGES = MappingProxyType({"em-grid": 22_000.0})
USUAL_VOLTAGE = 400.0
"""Between the phases, where the meter is."""

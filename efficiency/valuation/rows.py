"""What stands in `usage` of one meter: each quarter hour by band, with what it cost, emitted and weighed.

Which bands a quarter hour has follows from time and tariff alone, never from what was measured; one that straddles a
band's edge has a row in each, with its share of everything that can be shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import Floats, Times
from efficiency.usage.quality import rules_in
from efficiency.usage.quarterhours import Masks, QuarterHours
from efficiency.valuation.carbon import emissions, primary_energy
from efficiency.valuation.localtime import Slots
from efficiency.valuation.money import BANDS, band_shares, electricity_cost, flat_cost, tariff_over
from efficiency.valuation.valued import Valued
from metering.dated import value_on
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from metering.tariffs import Band

NUMBERS = (
    "amount",
    "completeness",
    "estimated",
    "cost_vnd",
    "co2e_kg",
    "toe",
    "reactive_kvarh",
    "energy_export_kwh",
    "error",
)
"""Fields of `usage` that are numbers, in the order of the columns of `Rows`."""

_COARSE = 0.01
"""One count that is less than this share of what can pass in a quarter hour is not worth a field."""
_QUARTERS_PER_HOUR = 4

BAND_NAMES = (*(band.value for band in BANDS), Band.ALL.value)
_ALL = BAND_NAMES.index(Band.ALL.value)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one meter: `start` (ms), `band` (place in `BAND_NAMES`), `numbers` (rows, NUMBERS; NaN where none)."""

    start: Times
    band: NDArray[np.uint8]
    numbers: Floats
    rules: Masks


@dataclass(frozen=True, slots=True)
class Place:
    """What the park file says of where a meter hangs; with the meter it is the tags of `usage`."""

    tenant: str | None
    utility: str
    role: str


def place_of(park: Park, meter: Meter) -> Place:
    """The tags of a meter: see `store.schema.USAGE` for the roles."""
    above = park.meter[meter.parent] if meter.parent is not None else None
    if meter.role is Role.GENERATION or (meter.role is Role.MAIN and meter.tenant is None):
        role = meter.role.value
    elif above is not None and above.tenant == meter.tenant and (meter.tenant or above.role is Role.CONSUMPTION):
        role = "sub"
    else:
        role = "own" if meter.tenant is None else "billing"
    return Place(meter.tenant, meter.utility.value, role)


def rows_of(park: Park, meter: Meter, use: QuarterHours, further: Mapping[str, QuarterHours], when: Slots) -> Rows:
    """Rows of one meter from its use and that of its `FURTHER_REGISTERS`; `when` are the same quarter hours."""
    shares, amount, cost = _in_bands(park, meter, use, when)
    factors = park.factors
    whole = {
        "co2e_kg": emissions(use, meter.utility, meter.role, factors, when).value,
        "toe": primary_energy(use, meter.utility, factors, when).value,
        **{name: one.amount for name, one in further.items()},
        "error": np.where(use.error >= _COARSE * meter.rated / _QUARTERS_PER_HOUR, use.error, np.nan),
    }
    interval, band = np.nonzero(shares > 0)
    numbers = np.full((len(interval), len(NUMBERS)), np.nan)
    numbers[:, 0] = amount[interval, band]
    numbers[:, 1] = use.completeness[interval]
    numbers[:, 2] = use.estimated[interval]
    numbers[:, 3] = cost[interval, band]
    for name, values in whole.items():
        numbers[:, NUMBERS.index(name)] = values[interval] * shares[interval, band]
    return Rows(use.start[interval], band.astype(np.uint8), numbers, use.rules[interval])


def _in_bands(park: Park, meter: Meter, use: QuarterHours, when: Slots) -> tuple[Floats, Floats, Floats]:
    """Shares, amount and cost by (interval, BAND_NAMES)."""
    size = (len(use), len(BAND_NAMES))
    shares, amount, cost = np.zeros(size), np.full(size, np.nan), np.full(size, np.nan)
    tariff = park.tariffs.electricity
    if meter.utility is Utility.ELECTRICITY and tariff is not None:
        hours = band_shares(tariff.bands, park.calendar, when)
        undated = np.asarray(np.isnan(hours).any(axis=1))
        shares[:, :_ALL] = np.where(undated[:, np.newaxis], 0.0, hours)
        shares[:, _ALL] = undated
        voltages = park.tenant[meter.tenant].contract.voltage if meter.tenant is not None else ()
        voltage = value_on(voltages, date.max)
        priced = electricity_cost(use, tariff_over(tariff, hours, voltage, when))
        amount[:, :_ALL] = priced.amount
        if meter.role is not Role.GENERATION:
            cost[:, :_ALL] = priced.cost
        amount[:, _ALL] = use.amount
    else:
        shares[:, _ALL] = 1.0
        amount[:, _ALL] = use.amount
        prices: Valued = flat_cost(use, park.tariffs.prices.get(meter.utility, ()), when)
        cost[:, _ALL] = prices.value
    return shares, amount, cost


@lru_cache(maxsize=4096)
def rule_text(mask: int) -> str:
    """Rules as they stand in the store: names with commas between."""
    return ",".join((rule.name or "").lower() for rule in rules_in(mask))

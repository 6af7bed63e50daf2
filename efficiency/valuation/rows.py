"""What `usage` holds of one meter: each quarter hour by band, with what it cost, emitted and weighed.

Which bands a quarter hour has follows from time and tariff alone, never from what was measured; one that straddles a
band's edge has a row in each, with its share of everything that can be shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import Floats, Times
from efficiency.usage.quality import rules_in
from efficiency.usage.quarterhours import Masks, QuarterHours
from efficiency.valuation.carbon import emissions, primary_energy
from efficiency.valuation.localtime import Slots, local_day
from efficiency.valuation.money import BANDS, band_shares, electricity_cost, flat_cost, tariff_over
from efficiency.valuation.valued import Valued
from metering.dated import edges, value_on
from metering.instants import QUARTER_MS, Span
from metering.meters import Belonging, Meter, Role
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
class ValuedPlace:
    """Where a metering point hangs within `span`: with the meter, the tags of `usage`; and at which voltage it is paid.

    `role` is that of the tag (see `store.schema.USAGE`), `kind` that of the park file.
    """

    span: Span
    tenant: str | None
    utility: str
    role: str
    kind: Role = Role.CONSUMPTION
    voltage: str | None = None


def places_in(park: Park, meter: Meter, span: Span) -> tuple[ValuedPlace, ...]:
    """Where a metering point hangs within a span, in order; nowhere before it exists and after."""
    found: list[ValuedPlace] = []
    for belonging in meter.belongings_in(span):
        tenant = park.tenant.get(belonging.tenant) if belonging.tenant is not None else None
        voltages = tenant.contract.voltage if tenant is not None and meter.utility is Utility.ELECTRICITY else ()
        above = park.meter[belonging.parent].belongs if belonging.parent is not None else ()
        cuts = {belonging.span.start, *edges(voltages, belonging.span, park.zone)}
        cuts |= {edge for entry in above for edge in (entry.since_ms, entry.until_ms) if edge is not None}
        starts = sorted(cut for cut in cuts if belonging.span.start <= cut < belonging.span.end)
        for begin, end in pairwise([*starts, belonging.span.end]):
            day = local_day(begin, park.zone)
            found.append(
                ValuedPlace(
                    Span(begin, end),
                    belonging.tenant,
                    meter.utility.value,
                    _role(park, belonging, begin),
                    belonging.role,
                    value_on(voltages, day),
                )
            )
    return tuple(found)


def _role(park: Park, belonging: Belonging, ms: int) -> str:
    if belonging.role is Role.GENERATION or (belonging.role is Role.MAIN and belonging.tenant is None):
        return belonging.role.value
    above = park.meter[belonging.parent].belonging_at(ms) if belonging.parent is not None else None
    inside = above is not None and above.tenant == belonging.tenant
    if inside and above is not None and (belonging.tenant or above.role is Role.CONSUMPTION):
        return "sub"
    return "own" if belonging.tenant is None else "billing"


def rows_of(
    park: Park, meter: Meter, use: QuarterHours, further: Mapping[str, QuarterHours], when: Slots
) -> list[tuple[ValuedPlace, Rows]]:
    """Rows of one meter by where it hangs, from its use and that of its `FURTHER_REGISTERS`.

    `when` are the same quarter hours, without holes. Those in which nobody has the meter have no rows.
    """
    if not len(use):
        return []
    whole = Span(int(use.start[0]), int(use.start[-1]) + QUARTER_MS)
    found = []
    for place in places_in(park, meter, whole):
        if place.span == whole:
            found.append((place, _rows(park, meter, place, use, further, when)))
        else:
            first, last = ((edge - whole.start) // QUARTER_MS for edge in (place.span.start, place.span.end))
            part = slice(first, last)
            cut = {name: one.cut(part) for name, one in further.items()}
            found.append((place, _rows(park, meter, place, use.cut(part), cut, when.cut(part))))
    return found


def _rows(
    park: Park, meter: Meter, place: ValuedPlace, use: QuarterHours, further: Mapping[str, QuarterHours], when: Slots
) -> Rows:
    shares, amount, cost = _in_bands(park, meter, place, use, when)
    factors = park.factors
    whole = {
        "co2e_kg": emissions(use, meter.utility, place.kind, factors, when).value,
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


def _in_bands(
    park: Park, meter: Meter, place: ValuedPlace, use: QuarterHours, when: Slots
) -> tuple[Floats, Floats, Floats]:
    """Shares, amount and cost by (interval, BAND_NAMES)."""
    size = (len(use), len(BAND_NAMES))
    shares, amount, cost = np.zeros(size), np.full(size, np.nan), np.full(size, np.nan)
    tariff = park.tariffs.electricity
    if meter.utility is Utility.ELECTRICITY and tariff is not None:
        hours = band_shares(tariff.bands, when)
        undated = np.asarray(np.isnan(hours).any(axis=1))
        shares[:, :_ALL] = np.where(undated[:, np.newaxis], 0.0, hours)
        shares[:, _ALL] = undated
        priced = electricity_cost(use, tariff_over(tariff, hours, place.voltage, when))
        amount[:, :_ALL] = priced.amount
        if place.kind is not Role.GENERATION:
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
    """Rules as they are stored: names with commas between."""
    return ",".join((rule.name or "").lower() for rule in rules_in(mask))

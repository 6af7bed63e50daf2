"""The rows of `usage` for one meter: each quarter hour by band, with its cost, emissions and energy content.

Which bands a quarter hour has follows from time and tariff alone, never from what was measured; one that straddles a
band's edge has a row in each, with its share of everything that can be shared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import Bools, Floats, Times
from efficiency.usage.quality import rules_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.carbon import emissions, primary_energy
from efficiency.valuation.localtime import Slots, runs
from efficiency.valuation.money import BANDS, band_shares, electricity_cost, flat_cost, tariff_over
from efficiency.valuation.valued import Valued
from metering.dated import edges, value_on
from metering.instants import EVER, QUARTER_MS, Span, local_day
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
AMOUNT, COMPLETENESS, ESTIMATED, COST, CO2E, TOE = (
    NUMBERS.index(name) for name in ("amount", "completeness", "estimated", "cost_vnd", "co2e_kg", "toe")
)

_COARSE = 0.01
"""One count that is less than this share of what can pass in a quarter hour is not worth a field."""
_QUARTERS_PER_HOUR = 4

BAND_NAMES = (*(band.value for band in BANDS), Band.ALL.value)
_ALL = BAND_NAMES.index(Band.ALL.value)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one series of `usage`: `start` (ms, ascending), `numbers` (rows, NUMBERS; NaN where none), `rules`.

    `rules` are masks of `Rule`, or what the store makes of a row that no longer holds.
    """

    start: Times
    numbers: Floats
    rules: Times

    def where(self, chosen: Bools | NDArray[np.intp] | slice) -> "Rows":
        """Some of the rows."""
        return Rows(self.start[chosen], self.numbers[chosen], self.rules[chosen])

    def within(self, span: Span) -> "Rows":
        """Those that start in a span."""
        first, last = np.searchsorted(self.start, (span.start, span.end))
        return self.where(slice(int(first), int(last)))


@dataclass(frozen=True, slots=True)
class BandRows:
    """Rows in the order of quarter hours: `hour` and `band` are places, of the quarter hour and in `BAND_NAMES`."""

    hour: NDArray[np.intp]
    band: NDArray[np.intp]
    numbers: Floats


@dataclass(frozen=True, slots=True)
class ValuedPlace:
    """A metering point's place within `span`: with the meter, the tags of `usage`; and its voltage level for prices.

    `role` is that of the tag (see `store.schema.USAGE`), `kind` that of the park file.
    """

    span: Span
    tenant: str | None
    utility: str
    role: str
    kind: Role = Role.CONSUMPTION
    voltage: str | None = None


def places_in(park: Park, meter: Meter, span: Span) -> tuple[ValuedPlace, ...]:
    """A metering point's places within a span, in order; none outside its existence."""
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
                    role=_role(park, belonging, begin),
                    kind=belonging.role,
                    voltage=value_on(voltages, day),
                )
            )
    return tuple(found)


class PlacesOfPark:
    """The places of the metering points of a park, looked up once each."""

    def __init__(self, park: Park) -> None:
        self.park = park
        self._found: dict[str, tuple[ValuedPlace, ...]] = {}

    def over(self, meter: Meter, window: Span) -> ValuedPlace | None:
        """A meter's place in all of a window; None where it changes within it."""
        places = self._found.get(meter.id)
        if places is None:
            places = self._found[meter.id] = places_in(self.park, meter, EVER)
        return next((one for one in places if one.span.start <= window.start and window.end <= one.span.end), None)


def _role(park: Park, belonging: Belonging, ms: int) -> str:
    if belonging.role is Role.GENERATION or (belonging.role is Role.MAIN and belonging.tenant is None):
        return belonging.role.value
    above = park.meter[belonging.parent].belonging_at(ms) if belonging.parent is not None else None
    inside = above is not None and above.tenant == belonging.tenant
    if inside and above is not None and (belonging.tenant or above.role is Role.CONSUMPTION):
        return "sub"
    return "own" if belonging.tenant is None else "billing"


class PlacedRows(NamedTuple):
    """Rows of one meter in one place and band."""

    place: ValuedPlace
    band: str
    rows: Rows


def rows_of(
    park: Park, meter: Meter, use: QuarterHours, further: Mapping[str, QuarterHours], when: Slots
) -> Iterator[PlacedRows]:
    """Rows of one meter by where it hangs and by band, from its use and that of its `FURTHER_REGISTERS`.

    `when` are the same quarter hours, without holes. Those in which nobody has the meter have no rows.
    """
    if not len(use):
        return
    whole = Span(int(use.start[0]), int(use.start[-1]) + QUARTER_MS)
    for place in places_in(park, meter, whole):
        first, last = ((edge - whole.start) // QUARTER_MS for edge in (place.span.start, place.span.end))
        part = slice(first, last)
        mine, cut = use.cut(part), {name: one.cut(part) for name, one in further.items()}
        found = band_rows(park, place, mine, cut, when.cut(part), rated=meter.rated)
        rules = mine.rules.astype(np.int64)
        for band, name in enumerate(BAND_NAMES):
            of_band = np.flatnonzero(found.band == band)
            if len(of_band):
                hour = found.hour[of_band]
                yield PlacedRows(place, name, Rows(mine.start[hour], found.numbers[of_band], rules[hour]))


class AlikeMeters(NamedTuple):
    """What meters have in common that are valued together: their registers, and their place."""

    registers: tuple[str, ...]
    utility: str
    kind: Role
    voltage: str | None

    @classmethod
    def of(cls, registers: Iterable[str], place: ValuedPlace) -> "AlikeMeters":
        """Of a meter with these registers that hangs there."""
        return cls(tuple(sorted(registers)), place.utility, place.kind, place.voltage)


def rows_of_alike(
    park: Park, place: ValuedPlace, meters: Sequence[Meter], uses: Sequence[Mapping[str, QuarterHours]], when: Slots
) -> list[dict[str, Rows]]:
    """Rows by band of each of some meters that are alike and hang in places like this one, from use by register.

    `when` are the quarter hours of each.
    """
    hours = len(when)
    joined = {name: QuarterHours.joined([use[name] for use in uses]) for name in uses[0]}
    use = joined.pop(meters[0].counter)
    rated = np.repeat(np.array([meter.rated for meter in meters]), hours)
    every = when.cut(np.tile(np.arange(hours), len(meters)))
    found = band_rows(park, place, use, joined, every, rated=rated)
    series = found.hour // hours * len(BAND_NAMES) + found.band
    order = np.argsort(series, kind="stable")
    hour, numbers, rules = found.hour[order], found.numbers[order], use.rules.astype(np.int64)
    result: list[dict[str, Rows]] = [{} for _ in meters]
    for number, part in runs(series[order]):
        of_meter, band = divmod(number, len(BAND_NAMES))
        places = hour[part]
        result[of_meter][BAND_NAMES[band]] = Rows(use.start[places], numbers[part], rules[places])
    return result


def band_rows(
    park: Park,
    place: ValuedPlace,
    use: QuarterHours,
    further: Mapping[str, QuarterHours],
    when: Slots,
    *,
    rated: float | Floats,
) -> BandRows:
    """Cost, emissions and energy content of quarter hours, by band.

    They may be of several meters that share a place like this one; `rated` is then by quarter hour.
    """
    shares, amount, cost = _in_bands(park, place, use, when)
    factors, utility = park.factors, Utility(place.utility)
    whole = {
        "co2e_kg": emissions(use, utility, place.kind, factors, when).value,
        "toe": primary_energy(use, utility, factors, when).value,
        **{name: one.amount for name, one in further.items()},
        "error": np.where(use.error >= _COARSE * rated / _QUARTERS_PER_HOUR, use.error, np.nan),
    }
    hour, band = np.nonzero(shares > 0)
    numbers = np.full((len(hour), len(NUMBERS)), np.nan)
    numbers[:, AMOUNT] = amount[hour, band]
    numbers[:, COMPLETENESS] = use.completeness[hour]
    numbers[:, ESTIMATED] = use.estimated[hour]
    numbers[:, COST] = cost[hour, band]
    for name, values in whole.items():
        numbers[:, NUMBERS.index(name)] = values[hour] * shares[hour, band]
    return BandRows(hour, band, numbers)


class _InBands(NamedTuple):
    """Each by (interval, BAND_NAMES)."""

    shares: Floats
    amount: Floats
    cost: Floats


def _in_bands(park: Park, place: ValuedPlace, use: QuarterHours, when: Slots) -> _InBands:
    size = (len(use), len(BAND_NAMES))
    shares, amount, cost = np.zeros(size), np.full(size, np.nan), np.full(size, np.nan)
    tariff, utility = park.tariffs.electricity, Utility(place.utility)
    if utility is Utility.ELECTRICITY and tariff is not None:
        hours = band_shares(tariff.bands, park.calendar, when)
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
        prices: Valued = flat_cost(use, park.tariffs.prices.get(utility, ()), when)
        cost[:, _ALL] = prices.value
    return _InBands(shares, amount, cost)


@lru_cache(maxsize=4096)
def rule_text(mask: int) -> str:
    """Rules as they are stored: comma-separated names."""
    return ",".join((rule.name or "").lower() for rule in rules_in(mask))

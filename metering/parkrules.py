"""Rules between the parts of a park file: names exist and are unique, registers fit.

The park may have been read leniently. A rule then reports what it can see, and nothing that only follows from another
fault: where a name could not be read, no reference counts as dangling.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from metering.calendar import Calendar, DayRange, Window
from metering.dated import Dated, at
from metering.eip import PARK_INDICATORS, EnteredIndicator
from metering.fuels import EnteredFuel
from metering.instants import EVER, Span
from metering.lenient import Broken, as_far_as_read, was_read
from metering.meterrules import METER_RULES
from metering.meters import Meter
from metering.model import known_zone
from metering.months import MONTH
from metering.park import Adjustment, Gateway, Park, Tenant
from metering.quantities import Utility
from metering.rules import Placed, Scope, known, one_of
from metering.sources import Source
from metering.streamrules import broken_streams
from metering.streams import Stream
from metering.tariffs import Allocation, Factors
from metering.yamllines import KeyPath

RESERVED: Final = frozenset({"ingesters"})
"""Names that topics below `ecopark/v1/` already use."""


def broken_rules(park: Park) -> Iterator[Broken]:
    """The path of each fault and what would be right."""
    for rule in _RULES:
        yield from as_far_as_read(rule(park))


def _ids_are_used_once(park: Park) -> Iterator[Broken]:
    for section in ("tenants", "gateways", "meters", "sources", "streams"):
        seen: set[str] = set()
        for index, item in _named(_section(park, section)).items():
            if item.id in seen:
                yield Broken((section, index, "id"), "used before; every id is used once")
            seen.add(item.id)


def _the_park_s_name_is_free(park: Park) -> Iterator[Broken]:
    if park.park.id in RESERVED:
        yield Broken(("park", "id"), "Ecopark itself uses this name in its topics; choose another")


def _stays_are_whole(park: Park) -> Iterator[Broken]:
    for index, tenant in enumerate(park.tenants):
        yield from as_far_as_read(_ends_after_it_begins(("tenants", index, "until"), tenant))


def _ends_after_it_begins(path: KeyPath, part: Tenant | Adjustment) -> Iterator[Broken]:
    if part.until is not None and part.until <= part.since:
        yield Broken(path, f"must be after from, which is {part.since}")


def _voltages_are_known(park: Park) -> Iterator[Broken]:
    electricity = park.tariffs.electricity
    if electricity is not None:
        for index, tenant in enumerate(park.tenants):
            for path, right in as_far_as_read(_voltage_is_priced(tenant, electricity.prices)):
                yield Broken(("tenants", index, "contract", "voltage", *path), right)


def _voltage_is_priced(tenant: Tenant, prices: Mapping[str, Sequence[Dated]]) -> Iterator[Broken]:
    for place, (entry, later) in enumerate(pairwise([*tenant.contract.voltage, None])):
        if entry is None:
            continue
        end = entry.until or (later.since if later is not None else date.max)
        if entry.value not in prices:
            yield Broken((place, "value"), one_of(prices, "a voltage level of the tariff"))
        elif not any(price.since < end and (price.until or date.max) > entry.since for price in prices[entry.value]):
            yield Broken((place, "value"), "has no prices at that time; add some under tariffs.electricity.prices")


def _compared_tariffs_are_known(park: Park) -> Iterator[Broken]:
    electricity = park.tariffs.electricity
    if electricity is None:
        return
    for level, other in electricity.compared.items():
        path = ("tariffs", "electricity", "compared", level)
        for name in (level, other):
            if name not in electricity.prices:
                yield Broken(path, one_of(electricity.prices, "from one of tariffs.electricity.prices to another"))
                break


def _adjustments_end_after_they_begin(park: Park) -> Iterator[Broken]:
    for index, each in enumerate(park.adjustments if was_read(park, "adjustments") else ()):
        yield from as_far_as_read(_ends_after_it_begins(("adjustments", index, "until"), each))


def _calendar_is_whole(park: Park) -> Iterator[Broken]:
    for place, holiday in enumerate(park.calendar.holidays):
        yield from as_far_as_read(_days_follow(("calendar", "holidays", place), holiday))
    for name, season in park.calendar.seasons.items():
        yield from as_far_as_read(_days_follow(("calendar", "seasons", name), season))


def _days_follow(path: KeyPath, days: DayRange) -> Iterator[Broken]:
    if days.last is not None and isinstance(days.first, date) != isinstance(days.last, date):
        yield Broken((*path, "to"), "write both days with their year, or both without where they come back each year")
    elif isinstance(days.first, date) and isinstance(days.last, date) and days.last < days.first:
        yield Broken((*path, "to"), f"must not be before from, which is {days.first}")


def _seasons_are_known(park: Park) -> Iterator[Broken]:
    for path, windows in _windows(park):
        for place, window in enumerate(windows):
            yield from as_far_as_read(_season_is_known((*path, place, "season"), window, park.calendar))


def _windows(park: Park) -> Iterator[Placed[Sequence[Window]]]:
    for index, tenant in enumerate(park.tenants):
        for place, entry in enumerate(tenant.shifts if was_read(tenant, "shifts") else ()):
            yield Placed(("tenants", index, "shifts", place, "value"), entry.value)
    for index, stream in enumerate(park.streams if was_read(park, "streams") else ()):
        yield Placed(("streams", index, "hours"), stream.hours if was_read(stream, "hours") else ())
    electricity = park.tariffs.electricity
    for place, hours in enumerate(electricity.bands if electricity is not None else ()):
        yield Placed(("tariffs", "electricity", "bands", place, "peak"), hours.peak)
        yield Placed(("tariffs", "electricity", "bands", place, "off_peak"), hours.off_peak)


def _season_is_known(path: KeyPath, window: Window, calendar: Calendar) -> Iterator[Broken]:
    if window.season is not None and window.season not in calendar.seasons:
        yield Broken(path, one_of(calendar.seasons, "a season of calendar.seasons"))


def _scope(park: Park) -> Scope:
    try:
        zone = ZoneInfo(known_zone(park.park.timezone))
    except (AttributeError, ValueError, TypeError):  # a fault reported elsewhere
        zone = ZoneInfo("UTC")
    return Scope(
        tenants=_stays(park, zone),
        gateways=_ids(park, "gateways"),
        meters=_ids(park, "meters"),
        models=park.meter_models if was_read(park, "meter_models") else None,
        by_id={meter.id: meter for meter in _named(park.meters).values()},
        zone=zone,
    )


def _meters_are_right(park: Park) -> Iterator[Broken]:
    scope = _scope(park)
    for index, meter in enumerate(park.meters):
        for rule in METER_RULES:
            for path, right in as_far_as_read(rule(meter, scope)):
                yield Broken(("meters", index, *path), right)


def _streams_are_right(park: Park) -> Iterator[Broken]:
    yield from broken_streams(park.streams, _scope(park))


def _entered_fuels_are_known(park: Park) -> Iterator[Broken]:
    tenants, fuels = _ids(park, "tenants"), park.factors.fuels
    for index, entered in enumerate(park.entered):
        yield from as_far_as_read(_entry_is_known(("entered", index), entered, tenants, park.factors))
        if entered.fuel not in fuels:
            yield Broken(("entered", index, "fuel"), one_of(fuels, "a fuel of factors.fuels"))


def _gases_can_be_added_up(park: Park) -> Iterator[Broken]:
    factors = park.factors
    for utility, entries in factors.scope1.items():
        for place, entry in enumerate(entries):
            if at(factors.gwp, entry.since) is None:
                right = f"factors.gwp must name the set of warming potentials that holds from {entry.since} on"
                yield Broken(("factors", "scope1", utility, place, "from"), right)


def _reuse_and_targets_are_known(park: Park) -> Iterator[Broken]:
    meters = {meter.id: meter for meter in _named(park.meters).values()}
    reused = park.park.reused_water
    for place, name in enumerate(reused):
        if name in meters and was_read(meters[name], "utility"):
            if meters[name].utility not in {Utility.WATER, Utility.WASTEWATER}:
                yield Broken(("park", "reused_water", place), "must measure water or wastewater")
        elif _ids(park, "meters") is not None:
            yield Broken(("park", "reused_water", place), one_of(meters, "a meter of this file"))
    for code in park.targets:
        if code not in PARK_INDICATORS:
            yield Broken(("targets", code), one_of(PARK_INDICATORS, "an indicator of a park"))
    seen: set[tuple[str, int]] = set()
    for place, entered in enumerate(park.entered_indicators):
        yield from as_far_as_read(_indicator_is_known(("entered_indicators", place), entered, seen))


def _indicator_is_known(path: KeyPath, entered: EnteredIndicator, seen: set[tuple[str, int]]) -> Iterator[Broken]:
    if entered.indicator not in PARK_INDICATORS:
        yield Broken((*path, "indicator"), one_of(PARK_INDICATORS, "an indicator of a park"))
    for year in entered.years:
        if not _FIRST_YEAR <= year < _FIRST_YEAR + 100:
            yield Broken((*path, "years", str(year)), "a year is written as in 2026")
        elif (entered.indicator, year) in seen:
            yield Broken((*path, "years", str(year)), "is entered twice; one value a year")
        seen.add((entered.indicator, year))


_FIRST_YEAR = 2000


def _entry_is_known(
    path: KeyPath, entered: EnteredFuel, tenants: frozenset[str] | None, factors: Factors
) -> Iterator[Broken]:
    if not known(tenants, entered.tenant):
        yield Broken((*path, "tenant"), one_of(tenants or (), "a tenant of this file"))
    for month in entered.months:
        if not MONTH.fullmatch(month):
            yield Broken((*path, "months", month), "a month is written as in 2026-10")
        elif entered.fuel in factors.fuels:
            first = date.fromisoformat(f"{month}-01")
            if at(factors.fuels[entered.fuel].factors, first) is None:
                yield Broken((*path, "months", month), f"factors.fuels.{entered.fuel} has no factors that hold then")
            elif at(factors.gwp, first) is None:
                yield Broken((*path, "months", month), "factors.gwp names no set of warming potentials that holds then")


def _stays(park: Park, zone: ZoneInfo) -> dict[str, Span] | None:
    """When each tenant is in the park, as far as it could be read; None where a name is missing."""
    if _ids(park, "tenants") is None:
        return None
    return {
        tenant.id: tenant.span(zone) if was_read(tenant, "since") and was_read(tenant, "until") else EVER
        for tenant in park.tenants
    }


def _aliases_are_used_once(park: Park) -> Iterator[Broken]:
    """A device of one gateway has one name, so an alias may be neither another meter's alias nor its id."""
    meters = [
        (index, meter)
        for index, meter in _named(park.meters).items()
        if was_read(meter, "alias") and was_read(meter, "gateway")
    ]
    ids = {(meter.gateway, meter.id) for _, meter in meters}
    seen: set[tuple[str, str]] = set()
    for index, meter in meters:
        named = (meter.gateway, meter.alias or "")
        if meter.alias is not None and (named in seen or (meter.alias != meter.id and named in ids)):
            yield Broken(
                ("meters", index, "alias"), "another meter of this gateway has this name; a device is one meter"
            )
        seen.add(named)


def _sources_are_carried(park: Park) -> Iterator[Broken]:
    gateways = _ids(park, "gateways")
    for index, source in enumerate(_section(park, "sources")):
        for _, right in as_far_as_read(_gateway_is_known(source, gateways)):
            yield Broken(("sources", index, "gateway"), right)


def _gateway_is_known(
    source: Tenant | Gateway | Meter | Source | Stream, gateways: frozenset[str] | None
) -> Iterator[Broken]:
    if isinstance(source, Source) and gateways is not None and source.gateway not in gateways:
        yield Broken((), one_of(gateways, "a gateway of this park, which is to carry what the source reads"))


def _allocations_hold(park: Park) -> Iterator[Broken]:
    for utility, entries in park.allocation.items():
        for place, (entry, later) in enumerate(pairwise([*entries, None])):
            if entry is not None:
                path = ("allocation", str(utility), place)
                end = entry.until or (later.since if later is not None else date.max)
                for key, right in as_far_as_read(_allocation_holds(park, utility, entry, end)):
                    yield Broken((*path, *key), right)


def _allocation_holds(park: Park, utility: Utility, entry: Allocation, end: date) -> Iterator[Broken]:
    """An allocation key covers whole months, and names only who and what is there in them."""
    if entry.since.day != 1 or (entry.until is not None and entry.until.day != 1):
        yield Broken(("from",), "a key holds for whole months: write the first day of one")
    tenants, meters = (_ids(park, section) for section in ("tenants", "meters"))
    for name, share in (("losses", entry.losses), ("common", entry.common)):
        for place, tenant in enumerate(share.tenants if share is not None else ()):
            if tenants is not None and tenant not in tenants:
                yield Broken((name, "tenants", place), one_of(tenants, "a tenant"))
            elif tenants is not None and (left := park.tenant[tenant].until) is not None and left <= _month_before(end):
                yield Broken(
                    (name, "tenants", place), f"has left on {left}; begin an entry without it with the month after"
                )
        for place, meter in enumerate(share.meters if share is not None else ()):
            if meters is not None and (meter not in meters or park.meter[meter].utility != utility):
                yield Broken((name, "meters", place), f"must be a meter of {utility}")
    if entry.losses is not None and entry.losses.meters:
        yield Broken(("losses", "meters"), "losses are what no meter measures; leave it out")


def _month_before(day: date) -> date:
    """The first day of the last month that ends by a day."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def _ids(park: Park, section: str) -> frozenset[str] | None:
    items = _section(park, section)
    named = _named(items)
    return (
        frozenset(item.id for item in named.values()) if was_read(park, section) and len(named) == len(items) else None
    )


_RULES: Final[tuple[Callable[[Park], Iterator[Broken]], ...]] = (
    _the_park_s_name_is_free,
    _ids_are_used_once,
    _aliases_are_used_once,
    _stays_are_whole,
    _voltages_are_known,
    _compared_tariffs_are_known,
    _adjustments_end_after_they_begin,
    _calendar_is_whole,
    _seasons_are_known,
    _meters_are_right,
    _sources_are_carried,
    _streams_are_right,
    _entered_fuels_are_known,
    _gases_can_be_added_up,
    _reuse_and_targets_are_known,
    _allocations_hold,
)

N = TypeVar("N", bound=Tenant | Gateway | Meter | Source | Stream)


def _section(park: Park, section: str) -> Sequence[Tenant | Gateway | Meter | Source | Stream]:
    found: Sequence[Tenant | Gateway | Meter | Source | Stream] = (
        getattr(park, section) if was_read(park, section) else ()
    )
    return found


def _named(items: Iterable[N]) -> dict[int, N]:
    """Those with an id that could be read, by their place."""
    return {index: item for index, item in enumerate(items) if was_read(item, "id")}

"""What a changed park file would make the usage service compute again: whose figures, and of which months.

It compares the park file with the inputs in the database, before the service sees the file; nothing is written. Only
months count that have stored use on or after the day from which the two park files differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from efficiency.baseline.frozen import frozen_baselines
from efficiency.baseline.model import Baseline
from efficiency.baseline.weather import NO_WEATHER, WeatherSeries
from efficiency.service.aside import MAIN
from efficiency.service.basis import BASELINE, PLACES, Changes, Parts, changes, parts_of
from efficiency.service.basisstore import load_basis
from efficiency.stored.readings import RegisterReader
from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE, HOUR_MS, Span
from efficiency.valuation.localtime import period_span
from metering.figures import Period
from metering.instants import local_day, midnight_ms
from metering.park import Park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE
from store.select import Of, select, where

_A_STEP_MS = HOUR_MS
"""Registers at an exchange change the step across it; most steps are shorter than this."""


@dataclass(frozen=True, slots=True)
class Rewrites:
    """`because`: the parts of the park file that differ. `months`: first days of months, by tenant (None: the park)."""

    because: tuple[str, ...]
    months: Mapping[str | None, frozenset[date]]


async def rewrites(
    store: Store, park: Park, baselines: Iterable[Baseline], now_ms: int, weather: WeatherSeries = NO_WEATHER
) -> Rewrites | None:
    """What this park file would change in the store; None if nothing has been computed yet."""
    before = await load_basis(store, park.id)
    if before is None:
        return None
    after = parts_of(park, frozen_baselines(park, baselines, weather))
    reader = RegisterReader(store, park.id)
    await reader.find_first(park.meters)
    rows = await store.query(
        select(USAGE, [Of("first", "completeness")], where({"park": park.id}), ["meter"]), OPERATOR_DATABASE
    )
    first = reader.first
    for row in rows:
        ms = row["time"] // NS_PER_MS
        first[row["meter"]] = min(ms, first.get(row["meter"], ms))
    return rewritten(before, after, park, first, now_ms)


def rewritten(before: Parts, after: Parts, park: Park, first: Mapping[str, int], now_ms: int) -> Rewrites:
    """What differs between two versions of a park file; `first`: the first reading or use of each meter, ms."""
    found = changes(before, after, park)
    spans: dict[str | None, list[Span]] = {None: []}
    for meter, changed in _of_meters(found, first, now_ms).items():
        spans[None] += changed
        for stay in _stays(before, after, meter):
            if stay.tenant is not None:
                parts = [span.within(stay.span) for span in changed if span.overlaps(stay.span)]
                spans.setdefault(stay.tenant, []).extend(parts)
    since = _of_figures(found, before, after, park)
    for meter, ms in first.items():
        for stay in _stays(before, after, meter):
            begin = max(ms, since.get(stay.tenant, ALWAYS_AFTER))
            if begin < min(stay.span.end, now_ms):
                part = Span(max(begin, stay.span.start), stay.span.end)
                spans.setdefault(stay.tenant, []).append(part)
    spans[None] += [Span(max(since, first[main]), now_ms) for main, since in found.mains.items() if main in first]
    months = {whose: _months(park, each, now_ms) for whose, each in spans.items()}
    different = {part for part in before.keys() | after.keys() if before.get(part) != after.get(part)}
    return Rewrites(
        tuple(sorted(part.removeprefix(".") for part in different if not part.startswith(MAIN))),
        {whose: some for whose, some in months.items() if some},
    )


def _of_meters(found: Changes, first: Mapping[str, int], now_ms: int) -> dict[str, list[Span]]:
    """When the use of each meter changes."""
    since = {**found.moved, **dict.fromkeys(found.lost, ALWAYS_BEFORE)}
    for meter, ms in found.meters.items():
        since[meter] = min(ms, since.get(meter, ms))
    spans = {meter: [Span(max(ms, first.get(meter, ALWAYS_AFTER)), now_ms)] for meter, ms in since.items()}
    for meter, swaps in found.swaps.items():
        spans.setdefault(meter, []).extend(
            Span(max(at - _A_STEP_MS, first.get(meter, ALWAYS_AFTER)), at + _A_STEP_MS) for at in swaps
        )
    return {meter: [each for each in some if each.start < min(each.end, now_ms)] for meter, some in spans.items()}


def _of_figures(found: Changes, before: Parts, after: Parts, park: Park) -> dict[str | None, int]:
    """From when figures of tenants (None: the park) change, even if their use does not."""
    since: dict[str | None, int] = dict(found.tenants.items())
    since |= dict.fromkeys(found.left, ALWAYS_BEFORE)
    for name, day in found.baselines.items():
        for parts in (before, after):
            for owner in parts.get(f"{BASELINE}{name}", {"tenants": ()})["tenants"]:
                since[owner] = min(midnight_ms(day, park.zone), since.get(owner, ALWAYS_AFTER))
    return since


class _Stay(NamedTuple):
    """The time for which a tenant (None: the park) has a meter."""

    tenant: str | None
    span: Span


def _stays(before: Parts, after: Parts, meter: str) -> list[_Stay]:
    """Who has a meter when, according to either park file."""
    places = [*before.get(meter, {}).get(PLACES, ()), *after.get(meter, {}).get(PLACES, ())]
    return [_Stay(place[2], Span(place[0], place[1])) for place in places]


def _months(park: Park, spans: Iterable[Span], now_ms: int) -> frozenset[date]:
    found: set[date] = set()
    for span in spans:
        ms, end = span.start, min(span.end, now_ms)
        while ms < end:
            month = local_day(ms, park.zone).replace(day=1)
            found.add(month)
            ms = period_span(park, Period.MONTH, month).end
    return frozenset(found)

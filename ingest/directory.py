"""Who may send what: the parks turned into the one look-up that the path makes per reading."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from metering.meters import Meter
from metering.park import Park
from store.schema import reading_series


class Entry(NamedTuple):
    """What is needed of a meter: its series in the store, and the conceivable range of each quantity."""

    series: str
    ranges: dict[str, tuple[float, float]]


class Gateway(NamedTuple):
    """What one gateway carries; `others` are the meters of its park that it does not."""

    entries: dict[str, Entry]
    others: frozenset[str]


Directory = Mapping[tuple[str, str], Gateway]
"""Gateways by park and id."""


def directory(parks: Iterable[Park]) -> Directory:
    """Make the look-up. Meters with the same registers share one table of ranges, and so do gateways their park."""
    found: dict[tuple[str, str], Gateway] = {}
    shared: dict[tuple[object, ...], dict[str, tuple[float, float]]] = {}
    for park in parks:
        everyone = frozenset(park.meter)
        carried: dict[str, dict[str, Entry]] = {gateway.id: {} for gateway in park.gateways}
        for meter in park.meters:
            ranges = _ranges(meter)
            same = shared.setdefault(tuple(ranges.items()), ranges)
            carried[meter.gateway][meter.id] = Entry(reading_series(park.id, meter), same)
        found |= {(park.id, gateway): Gateway(entries, everyone) for gateway, entries in carried.items()}
    return found


def _ranges(meter: Meter) -> dict[str, tuple[float, float]]:
    ranges = {}
    for name, quantity in meter.quantities.items():
        rollover = meter.registers[name].rollover
        ranges[name] = (quantity.low, quantity.high if rollover is None else rollover)
    return ranges

"""Who may send what: the parks turned into the one look-up that the path makes per reading."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from zlib import crc32

from metering.meters import Meter
from metering.park import Park
from store.schema import reading_series
from wire.topics import Channel, topic

LANES: Final = 2
"""Requests in which what was taken is written side by side; the database takes two faster than one."""

Range = tuple[float, float]
"""The least and the most that is conceivable of a quantity."""


class Entry(NamedTuple):
    """What is needed of a meter: its name and its series in the store, and the range of each quantity."""

    series: str
    ranges: dict[str, Range]
    park: str
    meter: str


class Gateway(NamedTuple):
    """What one gateway carries; `others` are all meters of its park.

    A gateway keeps to one lane, so that no two points of a meter can overtake each other on their way.
    """

    park: str
    id: str
    entries: dict[str, Entry]
    others: frozenset[str]
    lane: int


Directory = Mapping[str, Gateway]
"""Gateways by the topic of their readings."""


def directory(park: Park) -> Directory:
    """Make the look-up of one park. Meters with the same registers share one table of ranges."""
    everyone = frozenset(park.meter)
    shared: dict[tuple[object, ...], dict[str, Range]] = {}
    carried: dict[str, dict[str, Entry]] = {gateway.id: {} for gateway in park.gateways}
    for meter in park.meters:
        ranges = _ranges(meter)
        same = shared.setdefault(tuple(ranges.items()), ranges)
        carried[meter.gateway][meter.id] = Entry(reading_series(park.id, meter), same, park.id, meter.id)
    return {
        address: Gateway(park.id, gateway, entries, everyone, crc32(address.encode()) % LANES)
        for gateway, entries in carried.items()
        for address in [topic(park.id, gateway, Channel.READINGS)]
    }


def _ranges(meter: Meter) -> dict[str, Range]:
    ranges = {}
    for name, quantity in meter.quantities.items():
        rollover = meter.registers[name].rollover
        ranges[name] = (quantity.low, quantity.high if rollover is None else rollover)
    return ranges

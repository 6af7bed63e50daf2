"""Who may send what: a park file turned into the look-ups that accepting makes for each reading.

A `Carrier` hands readings in: a gateway of the park file, on a topic of its own. It names the decoder of its messages,
so a dialect is a decoder, a carrier that names it, and a topic or pattern under which `ingest.directory` finds it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple
from zlib import crc32

from ingest.decode import DecodedMessage, decode
from metering.meters import Meter
from metering.park import Park
from store.schema import reading_series
from wire.topics import Channel, base, topic

LANES: Final = 2
"""Requests in which readings are written side by side; the database takes two faster than one."""

DAY_MS: Final = 86_400_000

Range = tuple[float, float]
"""The least and the most that is conceivable of a quantity."""


class Sendable(NamedTuple):
    """A meter as accepting needs it: its series in the store, the range of each quantity, its first instant (ms)."""

    series: str
    ranges: dict[str, Range]
    since_ms: float
    park: str
    gateway: str
    meter: str


class Carrier(NamedTuple):
    """A gateway with the meters whose readings it carries, by the names they are sent under.

    `others` are all meters of its park. A carrier keeps to one `lane`, so that no two points of a meter can overtake
    each other. `answers` is the topic under which it hears receipts and refusals; None where it does not listen.
    """

    park: str
    id: str
    meters: dict[str, Sendable]
    others: frozenset[str]
    horizon_ms: int
    lane: int
    answers: str | None
    decode: Callable[[str, bytes, int], DecodedMessage] = decode

    @property
    def name(self) -> str:
        """By which shares and rations are counted."""
        return f"{self.park}/{self.id}"


def carriers_of(park: Park) -> dict[str, Carrier]:
    """Carriers of a park by the topic of their readings."""
    everyone = frozenset(park.meter)
    shared: dict[tuple[object, ...], dict[str, Range]] = {}  # meters with the same registers share one table of ranges
    carried: dict[str, dict[str, Sendable]] = {gateway.id: {} for gateway in park.gateways}
    for meter in park.meters:
        ranges = _ranges(meter)
        same = shared.setdefault(tuple(ranges.items()), ranges)
        made = Sendable(reading_series(park.id, meter), same, _since(meter), park.id, meter.gateway, meter.id)
        carried[meter.gateway][meter.id] = made
        if meter.alias is not None:
            carried[meter.gateway].setdefault(meter.alias, made)
    carriers = {}
    for gateway, meters in carried.items():
        address = topic(park.id, gateway, Channel.READINGS)
        lane = crc32(address.encode()) % LANES
        horizon_ms = park.park.horizon_days * DAY_MS
        carriers[address] = Carrier(park.id, gateway, meters, everyone, horizon_ms, lane, base(park.id, gateway))
    return carriers


def _ranges(meter: Meter) -> dict[str, Range]:
    ranges = {}
    for name, quantity in meter.quantities.items():
        rollover = meter.registers[name].rollover
        ranges[name] = (quantity.low, quantity.high if rollover is None else rollover)
    return ranges


def _since(meter: Meter) -> float:
    del meter
    return float("-inf")

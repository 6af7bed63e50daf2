"""Who may send what: a park file as the look-up tables that accepting uses for each reading.

A `Carrier` hands in readings: a gateway of the park file, on its own topic. It names the decoder of its messages, so a
dialect is a decoder, a carrier that names it, and a topic or pattern under which `ingest.directory` finds it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple
from zlib import crc32

from ingest.decode import DecodedMessage, decode
from metering.instants import ALWAYS_BEFORE, DAY_MS
from metering.meters import Meter
from metering.park import Park
from store.schema import reading_series
from wire.topics import Channel, base, topic

LANES: Final = 2
"""Requests in which readings are written concurrently; the database takes two faster than one."""

Range = tuple[float, float]
"""The lowest and highest conceivable value of a quantity. Without names, because a named tuple unpacks more slowly."""


class GaugeFactors(NamedTuple):
    """The factor of each gauge that an instrument shows behind transformers, until the instrument is replaced (ms)."""

    until_ms: int
    factors: dict[str, float]


class Sendable(NamedTuple):
    """A meter for accepting: its series in the store, the range of each quantity, its first instant (ms).

    `secondary`: in the order of the instruments, where one shows gauges behind transformers.
    """

    series: str
    ranges: dict[str, Range]
    since_ms: int
    secondary: tuple[GaugeFactors, ...]
    park: str
    gateway: str
    meter: str


class Carrier(NamedTuple):
    """A gateway with the meters whose readings it carries, by the names they are sent under.

    `others` are all meters of its park. A carrier keeps to one `lane`, so that no two points of a meter can overtake
    each other. `answers` is the topic on which it receives receipts and refusals; None where it does not listen.
    `sources` prefixes the details of its faults: the sources that map its messages, if any do.
    """

    park: str
    id: str
    meters: dict[str, Sendable]
    others: frozenset[str]
    horizon_ms: int
    lane: int
    answers: str | None
    name: str
    decode: Callable[[str, bytes, int], DecodedMessage] = decode
    sources: str = ""


def carriers_of(park: Park) -> dict[str, Carrier]:
    """Carriers of a park by the topic of their readings."""
    everyone = frozenset(name for meter in park.meters for name in _names(meter))
    shared: dict[tuple[object, ...], dict[str, Range]] = {}  # meters with the same registers share one table of ranges
    carried: dict[str, dict[str, Sendable]] = {gateway.id: {} for gateway in park.gateways}
    for meter in park.meters:
        ranges = _ranges(meter)
        same = shared.setdefault(tuple(ranges.items()), ranges)
        since_ms = ALWAYS_BEFORE if meter.since_ms is None else meter.since_ms
        head = reading_series(park.id, meter)
        made = Sendable(head, same, since_ms, _secondary(meter), park=park.id, gateway=meter.gateway, meter=meter.id)
        carried[meter.gateway] |= dict.fromkeys(_names(meter), made)
    carriers = {}
    for gateway, meters in carried.items():
        address = topic(park.id, gateway, Channel.READINGS)
        lane = crc32(address.encode()) % LANES
        horizon_ms = park.park.horizon_days * DAY_MS
        answers, name = base(park.id, gateway), f"{park.id}/{gateway}"
        carriers[address] = Carrier(
            park.id, gateway, meters, others=everyone, horizon_ms=horizon_ms, lane=lane, answers=answers, name=name
        )
    return carriers


def _names(meter: Meter) -> tuple[str, ...]:
    """Names under which a meter may appear in a message."""
    return (meter.id,) if meter.alias is None else (meter.id, meter.alias)


def _secondary(meter: Meter) -> tuple[GaugeFactors, ...]:
    gauges = [name for name, quantity in meter.quantities.items() if not quantity.counter]
    found = [
        GaugeFactors(each.span.end, {name: factor for name in gauges if (factor := each.factor(name)) != 1.0})
        for each in meter.instruments
    ]
    return tuple(found) if any(each.factors for each in found) else ()


def _ranges(meter: Meter) -> dict[str, Range]:
    """The range of each quantity over all instruments that the meter ever had, narrowed by the meter's own limits."""
    ranges = {}
    for name, quantity in meter.quantities.items():
        serving = [instrument for instrument in meter.instruments if name in instrument.registers]
        rollovers = [instrument.registers[name].rollover for instrument in serving]
        low, high = quantity.low, max(quantity.high if each is None else each for each in rollovers)
        if any(meter.counts_down(instrument, name) for instrument in serving):
            low = -high
        own = meter.ranges.get(name)
        if own is not None:
            low = low if own.low is None else own.low
            high = high if own.high is None else own.high
        ranges[name] = (low, high)
    return ranges

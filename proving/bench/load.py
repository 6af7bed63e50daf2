"""The messages of a load, made before anything is measured: PUBLISH packets at QoS 1 in three shapes.

Every reading has a (meter, ts) of its own within the run, so each becomes a point of its own, and the count of points
is the count of readings. Packet ids go round in `1..IDS`; a broker acknowledges them in their order.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Literal, NamedTuple

import mqtt5

from metering.parkfile import load_park
from metering.quantities import Utility
from proving.bench.parks import EXAMPLE, PARK, PER_GATEWAY, gateway_of, meter_of, tenant_of
from proving.plant.history import WireReading, history
from proving.plant.plant import Plant
from store.lines import series
from wire.topics import Channel, topic

Shape = Literal["single", "batch", "mix"]
IDS = 60_000
LAST = 16
"""How many of the last messages are looked up one by one: more than there are ingesters."""
STEP_MS = 20
"""Between two readings of a meter of the large park: minutes of metering pass in seconds, so that none is old."""
FASTER = 10_000
"""How much faster than the plant the clock of `mix` runs, for the same reason."""
VARIANTS = 16
"""After how many messages a gateway repeats its values."""


class ReadingPlace(NamedTuple):
    """Where the point of a reading is."""

    utility: str
    meter: str
    ms: int


@dataclass(slots=True)
class MessageLoad:
    """Packets in order of sending, what they hold, and one place of each of the last of them."""

    park: str
    packets: list[bytes]
    readings: int
    first_ms: int
    last_ms: int
    last: list[ReadingPlace]


class _Message(NamedTuple):
    topic: str
    payload: bytes
    readings: int
    place: ReadingPlace


def make(shape: Shape, readings: int, first_ms: int, meters: int) -> MessageLoad:
    """Make a load of at least so many readings, from `first_ms` on; `meters` are those of the large park."""
    source = {"single": _single, "batch": _batch, "mix": _mix}[shape](first_ms, meters)
    packets: list[bytes] = []
    places: list[ReadingPlace] = []
    count, last_ms = 0, first_ms
    for message in source:
        packets.append(
            mqtt5.PublishPacket(
                message.topic, message.payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=len(packets) % IDS + 1
            ).write()
        )
        places.append(message.place)
        count += message.readings
        last_ms = message.place.ms
        if count >= readings:
            break
    park = load_park(EXAMPLE).id if shape == "mix" else PARK
    return MessageLoad(park, packets, count, first_ms=first_ms, last_ms=last_ms, last=places[-LAST:])


class ShownValues(NamedTuple):
    """What a meter shows, as texts."""

    energy_kwh: str
    power_kw: str


def values(number: int, variant: int) -> ShownValues:
    """Energy and power of a meter, as a device with three decimals writes them."""
    energy = 48_211.25 + number * 7 + variant * 0.125
    power = 180 + (number * 37 + variant * 11) % 4_000 / 32
    return ShownValues(f"{energy:.3f}", f"{power:.3f}")


def _single(first_ms: int, meters: int) -> Iterator[_Message]:
    """A meter that publishes by itself: bare readings without an id, meter after meter."""
    meters_of_park = [
        (topic(PARK, gateway_of(number), Channel.READINGS), meter_of(number), *values(number, 0))
        for number in range(meters)
    ]
    ms = first_ms
    while True:
        for address, meter, energy, power in meters_of_park:
            payload = f'{{"meter":"{meter}","ts":{ms},"values":{{"energy_kwh":{energy},"power_kw":{power}}}}}'
            yield _Message(address, payload.encode(), 1, ReadingPlace(Utility.ELECTRICITY, meter, ms))
        ms += STEP_MS


def _batch(first_ms: int, meters: int) -> Iterator[_Message]:
    """Gateways of a hundred meters that send a poll in a message, with an id that asks for a receipt."""
    templates = [
        (start, [_template(start, min(start + PER_GATEWAY, meters), variant) for variant in range(VARIANTS)])
        for start in range(0, meters, PER_GATEWAY)
    ]
    ms = first_ms
    while True:
        for start, variants in templates:
            payload = variants[ms // STEP_MS % VARIANTS].replace(b"?", b"%d" % ms)
            yield _Message(
                topic(PARK, gateway_of(start), Channel.READINGS),
                payload,
                min(PER_GATEWAY, meters - start),
                ReadingPlace(Utility.ELECTRICITY, meter_of(start), ms),
            )
        ms += STEP_MS


def _template(start: int, end: int, variant: int) -> bytes:
    """A message with `?` in the place of each time."""
    readings = ",".join(
        f'{{"meter":"{meter_of(number)}","ts":?,"values":{{"energy_kwh":{energy},"power_kw":{power}}}}}'
        for number in range(start, end)
        for energy, power in [values(number, variant)]
    )
    return f'{{"id":"b{start}-?","readings":[{readings}]}}'.encode()


class GatewayPoll(NamedTuple):
    """What a gateway read at an instant (ms)."""

    ms: int
    gateway: str
    readings: list[WireReading]


def _mix(first_ms: int, meters: int) -> Iterator[_Message]:
    """What the gateways of the example park publish, one message a poll; `meters` does not matter here."""
    del meters
    park = load_park(EXAMPLE)
    # From the plant's first day on nothing is late or silent, so readings come in the order of their polls.
    start = datetime.fromtimestamp(first_ms / 1000, UTC)
    plant = Plant(park, seed=7, start=start, events=())
    end = start + timedelta(days=60)
    utility = {meter.id: meter.utility.value for meter in park.meters}

    def polls(gateway: str) -> Iterator[GatewayPoll]:
        readings = chain.from_iterable(history(plant, gateway, start, end))
        for ms, poll in groupby(readings, key=lambda reading: int(reading["ts"])):
            yield GatewayPoll(ms, gateway, list(poll))

    for poll in merge(*(polls(gateway.id) for gateway in park.gateways), key=attrgetter("ms", "gateway")):
        ms = first_ms + (poll.ms - first_ms) // FASTER
        for reading in poll.readings:
            reading["ts"] = ms
        payload = json.dumps({"id": f"{poll.gateway}-{ms}", "readings": poll.readings}, separators=(",", ":")).encode()
        meter = poll.readings[0]["meter"]
        yield _Message(
            topic(park.id, poll.gateway, Channel.READINGS),
            payload,
            len(poll.readings),
            ReadingPlace(utility[meter], meter, ms),
        )


def lines(points: int, first_ms: int, meters: int) -> Iterator[bytes]:
    """Line protocol of the points that `batch` becomes, for the database's own ceiling."""
    heads = [[_line(number, variant) for number in range(meters)] for variant in range(VARIANTS)]
    made = (
        b"%s %d000000" % (head, ms)
        for ms in range(first_ms, first_ms + points * STEP_MS, STEP_MS)
        for head in heads[ms // STEP_MS % VARIANTS]
    )
    return islice(made, points)


def _line(number: int, variant: int) -> bytes:
    energy, power = values(number, variant)
    tags = {"park": PARK, "tenant": tenant_of(number), "meter": meter_of(number)}
    return f"{series(Utility.ELECTRICITY, tags)} energy_kwh={float(energy)!r},power_kw={float(power)!r}".encode()

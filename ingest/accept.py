"""The accept step: one message in, readings that are taken and refusals out. Pure, and never raises.

This is where the time per reading goes, so the loop does one look-up a reading and one comparison a value.
"""

from operator import attrgetter
from typing import NamedTuple

from ingest.directory import Directory, Gateway
from ingest.parse import parse
from ingest.refusal import EARLIEST_MS, Refusal
from ingest.taken import Taken
from metering.instants import FUTURE_MS
from wire.messages import Reading, Reason
from wire.topics import Channel
from wire.topics import parse as parse_topic


class Accepted(NamedTuple):
    """What became of one message. `id` is there where the sender wants a receipt; `park` is empty where unknown.

    `lane`: what is taken of one gateway is written in the lane that it has among all gateways.
    """

    park: str
    gateway: str
    id: str | None
    taken: list[Taken]
    refusals: list[Refusal]
    lane: int = 0


def accept(topic: str, payload: bytes, now_ms: int, known: Directory) -> Accepted:
    """Check each reading of a message against the park files, at the ingester's time `now_ms`."""
    message_id, readings, refusals = parse(payload)
    latest = now_ms + FUTURE_MS
    gateway = known.get(topic)
    if gateway is None:
        return _from_nobody(topic, payload, message_id, readings, refusals, latest)
    if len(readings) > 1:
        readings = _agreeing(readings, refusals, latest)
    taken: list[Taken] = []
    entries = gateway.entries
    for reading in readings:
        ms, values, state = reading.ts, reading.values, reading.state
        if type(ms) is not int:
            ms = reading.ms
        try:
            entry = entries[reading.meter]
            ranges = entry.ranges
            for name, value in values.items():
                low, high = ranges[name]
                if not low <= value <= high:
                    raise LookupError  # noqa: TRY301 (what is wrong is said in one place)
            if not EARLIEST_MS <= ms <= latest:
                raise LookupError  # noqa: TRY301 (as above)
        except LookupError:
            refusals.append(_judge(reading, ms, gateway, latest))
            continue
        taken.append((entry, values, ms, "" if state is None else f',state="{state}"'))
    return Accepted(gateway.park, gateway.id, message_id, taken, refusals, gateway.lane)


def _from_nobody(
    topic: str, payload: bytes, message_id: str | None, readings: list[Reading], refusals: list[Refusal], latest: int
) -> Accepted:
    """Refuse what came on a topic of no gateway that the park files have."""
    address = parse_topic(topic)
    if address is None or address.channel is not Channel.READINGS:
        return Accepted("", "", None, [], [Refusal(Reason.MALFORMED, "not a readings topic", payload)])
    detail = f"the park files have no gateway {address.gateway!r} in a park {address.park!r}"
    refusals += [_refuse(reading, Reason.UNKNOWN_GATEWAY, detail, latest) for reading in readings]
    return Accepted(address.park, address.gateway, message_id, [], refusals)


_METER_OF = attrgetter("meter")
_TWICE = "a meter has one value of a quantity at one instant; this message holds two"


def _agreeing(readings: list[Reading], refusals: list[Refusal], latest: int) -> list[Reading]:
    """Refuse readings that say otherwise what an earlier one said of the same meter and instant; return the rest."""
    if len(set(map(_METER_OF, readings))) == len(readings):
        return readings
    kept: list[Reading] = []
    said: dict[tuple[str, int], dict[str, float]] = {}
    for reading in readings:
        before = said.setdefault((reading.meter, reading.ms), {})
        if any(before.get(name, value) != value for name, value in reading.values.items()):
            refusals.append(_refuse(reading, Reason.MALFORMED, _TWICE, latest))
        else:
            before |= reading.values
            kept.append(reading)
    return kept


def _judge(reading: Reading, ms: int, gateway: Gateway, latest: int) -> Refusal:
    """Say why a reading cannot be taken: the first that is wrong of meter, time, quantities and values."""
    entry = gateway.entries.get(reading.meter)
    if entry is None:
        if reading.meter in gateway.others:
            return _refuse(reading, Reason.WRONG_GATEWAY, "another gateway of the park carries this meter", latest)
        return _refuse(reading, Reason.UNKNOWN_METER, "the park file has no such meter", latest)
    if ms < EARLIEST_MS:
        return _refuse(reading, Reason.BAD_TIME, "before the year 2000; ts is in milliseconds since the epoch", latest)
    if ms > latest:
        ahead = (ms - latest + FUTURE_MS) // 1000
        return _refuse(reading, Reason.FUTURE_TIME, f"{ahead} s ahead of the ingester's clock", latest)
    for name, value in reading.values.items():
        if name not in entry.ranges:
            serves = ", ".join(entry.ranges)
            return _refuse(reading, Reason.UNKNOWN_QUANTITY, f"{name[:64]!r}; the meter serves {serves}", latest)
        low, high = entry.ranges[name]
        if not low <= value <= high:
            detail = f"{name} is {value!r}; it lies between {low:g} and {high:g}"
            return _refuse(reading, Reason.OUT_OF_RANGE, detail, latest)
    msg = f"nothing is wrong with {reading!r}"
    raise AssertionError(msg)


def _refuse(reading: Reading, reason: Reason, detail: str, latest: int) -> Refusal:
    ms = reading.ms
    return Refusal(
        reason,
        detail,
        reading.model_dump_json(exclude_defaults=True, exclude={"id"}).encode(),
        meter=reading.meter[:64],
        ts=ms,
        ms=ms if EARLIEST_MS <= ms <= latest else None,
    )

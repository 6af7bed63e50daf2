"""The accept step: one message in, lines for the store and refusals out. Pure, and never raises.

This is where the time per reading goes, so the loop does one look-up a reading and one comparison a value.
"""

from typing import NamedTuple

from ingest.directory import Directory, Gateway
from ingest.parse import parse
from ingest.refusal import Refusal
from metering.topics import Channel
from metering.topics import parse as parse_topic
from metering.wire import FUTURE_MS, Reading, Reason

EARLIEST_MS = 946_684_800_000
"""The year 2000: what is older is a clock that was never set, or seconds taken for milliseconds."""


class Accepted(NamedTuple):
    """What became of one message. `id` is there where the sender wants a receipt; `park` is empty where unknown."""

    park: str
    gateway: str
    id: str | None
    lines: list[str]
    refusals: list[Refusal]


def accept(topic: str, payload: bytes, now_ms: int, known: Directory) -> Accepted:
    """Check each reading of a message against the park files, at the ingester's time `now_ms`."""
    address = parse_topic(topic)
    if address is None or address.channel is not Channel.READINGS:
        return Accepted("", "", None, [], [Refusal(Reason.MALFORMED, "not a readings topic", payload)])
    parsed = parse(payload)
    latest = now_ms + FUTURE_MS
    gateway = known.get((address.park, address.gateway))
    if gateway is None:
        detail = f"the park files have no gateway {address.gateway!r} in a park {address.park!r}"
        refusals = [_refuse(reading, Reason.UNKNOWN_GATEWAY, detail, latest) for reading in parsed.readings]
        return Accepted(address.park, address.gateway, parsed.id, [], parsed.refusals + refusals)
    refusals = parsed.refusals
    readings = parsed.readings
    if len(readings) > 1 and len({(reading.meter, _ms(reading)) for reading in readings}) < len(readings):
        readings, contradicting = _contradicting(readings)
        refusals += [_refuse(reading, Reason.MALFORMED, _TWICE, latest) for reading in contradicting]
    lines: list[str] = []
    entries = gateway.entries
    for reading in readings:
        entry = entries.get(reading.meter)
        ms = _ms(reading)
        if entry is None or not EARLIEST_MS <= ms <= latest:
            refusals.append(_judge(reading, ms, gateway, latest))
            continue
        line, ranges = entry
        glue = " "
        for name, value in reading.values.items():
            bounds = ranges.get(name)
            if bounds is None or not bounds[0] <= value <= bounds[1]:
                refusals.append(_judge(reading, ms, gateway, latest))
                break
            line += f"{glue}{name}={value!r}"
            glue = ","
        else:
            state = "" if reading.state == "measuring" else f',state="{reading.state}"'
            lines.append(f"{line}{state} {ms}000000")
    return Accepted(address.park, address.gateway, parsed.id, lines, refusals)


def _ms(reading: Reading) -> int:
    """`Reading.ms`, without a property's cost where the time came as a number."""
    ts = reading.ts
    return ts if type(ts) is int else reading.ms


_TWICE = "a meter has one value of a quantity at one instant; this message holds two"


def _contradicting(readings: list[Reading]) -> tuple[list[Reading], list[Reading]]:
    """Part the readings from those that say otherwise what an earlier one said of the same meter and instant."""
    kept: list[Reading] = []
    contradicting: list[Reading] = []
    said: dict[tuple[str, int], dict[str, float]] = {}
    for reading in readings:
        before = said.setdefault((reading.meter, reading.ms), {})
        if any(before.get(name, value) != value for name, value in reading.values.items()):
            contradicting.append(reading)
        else:
            before |= reading.values
            kept.append(reading)
    return kept, contradicting


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
        bounds = entry.ranges.get(name)
        if bounds is None:
            serves = ", ".join(entry.ranges)
            return _refuse(reading, Reason.UNKNOWN_QUANTITY, f"{name[:64]!r}; the meter serves {serves}", latest)
        if not bounds[0] <= value <= bounds[1]:
            detail = f"{name} is {value!r}; it lies between {bounds[0]:g} and {bounds[1]:g}"
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

"""The accept step: takes a message, returns the readings to store and the refusals. Pure; never raises.

`accept` finds the carrier of a topic and decodes its message; `check` compares the decoded readings with the park file,
whatever their dialect. To add a dialect, make a carrier with another decoder (`ingest.lookup`, `ingest.decode`).

This is the hot path: one look-up and one comparison per value. The cause of a refusal is worked out only for a reading
that fails.
"""

from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

from ingest.decode import DecodedMessage
from ingest.directory import Directory
from ingest.lookup import Carrier, Sendable
from ingest.refusal import Refusal, refusal
from ingest.taken import Taken
from metering.instants import ALWAYS_BEFORE, DAY_MS, FUTURE_MS, unit_of
from store.schema import ARRIVED
from wire.messages import Reading, Reason
from wire.topics import Channel, base
from wire.topics import parse as parse_topic


class Accepted(NamedTuple):
    """The result of accepting one message.

    `id` is set where the sender wants a receipt. `park` and `gateway` come from the park files, and are empty for an
    unknown sender. `answers` is the topic on which the sender receives replies, None where it does not listen. All
    readings of a carrier are written in its `lane`. `arrived`, `waits` and `bad_reads` are those of the decoded
    message.
    """

    park: str
    gateway: str
    answers: str | None
    id: str | None
    taken: list[Taken]
    refusals: list[Refusal]
    lane: int = 0
    arrived: bool = False
    waits: bool = False
    bad_reads: int = 0


_new = tuple.__new__  # as NamedTuple's own __new__ does: saves a tenth of a microsecond per reading


def accept(topic: str, payload: bytes, now_ms: int, known: Directory) -> Accepted:
    """Check each value of a message against the park files, at the ingester's time `now_ms`."""
    carrier = known.carrier(topic)
    if carrier is None:
        return from_nobody(topic, payload, known)
    return check(carrier.decode(topic, payload, now_ms), carrier, now_ms)


def check(decoded: DecodedMessage, carrier: Carrier, now_ms: int) -> Accepted:
    """Check decoded readings against the meters of their carrier."""
    readings, refusals = decoded.readings, decoded.refusals
    if len(readings) > 1:
        readings = _agreeing(readings, carrier, refusals)
    taken: list[Taken] = []
    for reading in readings:
        good = sound(reading, carrier, now_ms)
        if good is None:
            ms, meter = reading.ms, carrier.meters.get(reading.meter)
            fault = _fault_of_meter(reading, carrier) if meter is None else _fault_of_time(ms, meter, carrier, now_ms)
            if fault is not None:
                refusals.append(fault.of(reading, carrier))
                continue
            assert meter is not None  # noqa: S101 (a missing meter is a fault)
            values = _good_values(reading, meter, carrier, refusals)
            if not values:
                continue
            good = Taken(meter, values, ms, _said_state(reading))
        taken.append(good)
    taken = _marked(taken, now_ms) if decoded.arrived else taken
    identity, _, _, arrived, waits, bad_reads = decoded
    sender = (carrier.park, carrier.id, carrier.answers, identity)
    return _new(Accepted, (*sender, taken, refusals, carrier.lane, arrived, waits, bad_reads))


def sound(reading: Reading, carrier: Carrier, now_ms: int) -> Taken | None:
    """A reading with which nothing is wrong, as it may be stored; None where `check` has to say what is."""
    try:
        meter = carrier.meters[reading.meter]
        values, ranges = reading.values, meter.ranges
        for name, value in values.items():
            low, high = ranges[name]
            if not low <= value <= high:  # type: ignore[operator]  # null: a TypeError
                return None
    except (LookupError, TypeError):
        return None
    ms = reading.ts
    if type(ms) is not int:
        ms = reading.ms
    if not -FUTURE_MS <= now_ms - ms <= carrier.horizon_ms or ms < meter.since_ms:
        return None
    return _new(Taken, (meter, values, ms, "" if reading.state is None else _said_state(reading)))


def _said_state(reading: Reading) -> str:
    return "" if reading.state is None else f',state="{reading.state}"'


def _marked(taken: list[Taken], now_ms: int) -> list[Taken]:
    """Mark readings without a time of their own as stamped on arrival; other records of the message may have one."""
    return [each._replace(state=f"{each.state},{ARRIVED}=true") if each.ms == now_ms else each for each in taken]


def from_nobody(topic: str, payload: bytes, known: Directory) -> Accepted:
    """Refuse, unread, a message on a topic of no known gateway: nothing in it could be stored."""
    address = parse_topic(topic)
    if address is None or address.channel is not Channel.READINGS:
        return Accepted("", "", None, None, [], [refusal(Reason.MALFORMED, "not a readings topic", payload)])
    park = address.park if address.park in known.parks else ""
    where = f"the park {address.park!r} has" if park else f"no park file has a park {address.park!r} with"
    detail = f"{where} no gateway {address.gateway!r}" if park else f"{where} a gateway {address.gateway!r}"
    refused = refusal(Reason.UNKNOWN_GATEWAY, detail, payload)
    return Accepted(park, "", base(address.park, address.gateway), None, [], [refused])


_METER_OF = attrgetter("meter")
_TWICE = "a meter has one value of a quantity at one instant; this message holds two"


def _agreeing(readings: list[Reading], carrier: Carrier, refusals: list[Refusal]) -> list[Reading]:
    """Refuse values that contradict an earlier reading of the same meter and instant; return the others."""
    if len(set(map(_METER_OF, readings))) == len(readings):
        return readings
    kept: list[Reading] = []
    said: dict[tuple[str, int], dict[str, float | None]] = {}
    for reading in readings:
        before = said.setdefault((reading.meter, reading.ms), {})
        other = [name for name, value in reading.values.items() if before.get(name, value) != value]
        refusals.extend(_Fault(Reason.MALFORMED, f"{name[:64]}: {_TWICE}").of(reading, carrier, name) for name in other)
        agreeing = {name: value for name, value in reading.values.items() if name not in other}
        before |= agreeing
        if agreeing:
            kept.append(reading.model_copy(update={"values": agreeing}) if other else reading)
    return kept


class _Fault(NamedTuple):
    reason: Reason
    detail: str

    def of(self, reading: Reading, carrier: Carrier, quantity: str | None = None) -> Refusal:
        """The refusal of a reading or of one of its values; that of a mapped message names the source."""
        detail = f"{carrier.sources}{self.detail}"
        return refusal(self.reason, detail, reading, meter=reading.meter, ts=reading.ms, quantity=quantity)


def _fault_of_meter(reading: Reading, carrier: Carrier) -> _Fault:
    if reading.meter in carrier.others:
        return _Fault(Reason.WRONG_GATEWAY, "another gateway of the park carries this meter")
    return _Fault(Reason.UNKNOWN_METER, "the park file has no such meter")


def _fault_of_time(ms: int, meter: Sendable, carrier: Carrier, now_ms: int) -> _Fault | None:
    latest = now_ms + FUTURE_MS
    if now_ms - carrier.horizon_ms <= ms <= latest and ms >= meter.since_ms:
        return None
    unit = unit_of(ms)
    if unit not in {None, "milliseconds"}:
        return _Fault(Reason.BAD_TIME, f"{ms} looks like {unit}; ts is in milliseconds since the epoch")
    if ms > latest:
        return _Fault(Reason.FUTURE_TIME, f"{(ms - now_ms) // 1000} s ahead of the ingester's clock")
    if ALWAYS_BEFORE != meter.since_ms > ms:
        first = datetime.fromtimestamp(meter.since_ms / 1000, UTC).isoformat()
        return _Fault(Reason.BAD_TIME, f"before the meter's `from` in the park file ({first})")
    days = carrier.horizon_ms // DAY_MS
    return _Fault(
        Reason.BAD_TIME,
        f"{_readable(ms)}: more than {days} days old, the park's horizon (`horizon_days` in the park file)",
    )


def _readable(ms: int) -> str:
    """An instant for people; years outside the calendar stay numbers."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms"


def _good_values(
    reading: Reading, meter: Sendable, carrier: Carrier, refusals: list[Refusal]
) -> dict[str, float | None]:
    """Values that may be stored; each of the others is refused on its own. null means no value, and is no fault."""
    good: dict[str, float | None] = {}
    for name, value in reading.values.items():
        if value is None:
            continue
        if name not in meter.ranges:
            detail = f"{name[:64]!r}; the meter serves {', '.join(meter.ranges)}"
            refusals.append(_Fault(Reason.UNKNOWN_QUANTITY, detail).of(reading, carrier, name))
            continue
        low, high = meter.ranges[name]
        if low <= value <= high:
            good[name] = value
        else:
            detail = f"{name} is {value!r}; it lies between {low:g} and {high:g}"
            refusals.append(_Fault(Reason.OUT_OF_RANGE, detail).of(reading, carrier, name))
    return good

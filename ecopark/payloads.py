"""What would happen to a payload: the ingester's own accept step, explained value by value. Nothing is sent.

A wrong unit shows by the meter's rating: a rate that is far above it, a register that would have taken a lifetime, or,
with several payloads of one meter, a counter that steps too fast.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from efficiency.usage.counters import PLAUSIBLE_FACTOR
from ingest.accept import Accepted, accept, check
from ingest.decode import DecodedMessage
from ingest.directory import Directory, directory
from ingest.foreign import ForeignDecoder, SourceRecords
from ingest.lookup import Carrier
from metering.instants import local_time
from metering.meters import Meter
from metering.park import Park
from metering.quantities import UTILITIES

_SLIPS: Final = (1000, 100, 10)
"""Factors by which units are confused, the commonest first."""

_LIFE_H: Final = 20 * 8766
"""Hours at full load that no register has counted: a meter is replaced before."""


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value that would be stored: `ms` is its instant, `arrived` says that it is the time of arrival."""

    park: str
    meter: str
    quantity: str
    value: float
    ms: int
    arrived: bool


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """A value, a reading or a message that would be refused."""

    meter: str | None
    quantity: str | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A quantity that would be neither stored nor refused, and why."""

    meter: str
    quantity: str
    why: str


@dataclass(slots=True)
class PayloadOutcome:
    """What would happen to one payload; `unknown` where no source reads its topic."""

    topic: str
    stored: list[StoredValue] = field(default_factory=list)
    refused: list[RefusedPart] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    bad_reads: int = 0
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A payload and the topic on which it is published."""

    topic: str
    payload: bytes


def outcomes(parks: Sequence[Park], sent: Iterable[Sent], now_ms: int) -> list[PayloadOutcome]:
    """Accept each payload, in order, as the ingester would at `now_ms`."""
    known = directory(*parks)
    return [_outcome(known, one, now_ms) for one in sent]


def _outcome(known: Directory, one: Sent, now_ms: int) -> PayloadOutcome:
    own, decoder = known.carriers.get(one.topic), known.foreign.decoder(one.topic)
    if own is not None:
        accepted = accept(one.topic, one.payload, now_ms, known)
        left_out = list(_nulls(own.decode(one.topic, one.payload, now_ms), own))
    elif decoder is not None:
        records = decoder.records(one.topic, one.payload, now_ms)
        accepted = check(decoder.message_of(records, one.payload, now_ms), decoder.carrier, now_ms)
        left_out = list(_not_taken(records, decoder))
    else:
        return PayloadOutcome(one.topic, unknown=True)
    return PayloadOutcome(one.topic, _stored(accepted), _refused(accepted), left_out, accepted.bad_reads)


def _stored(accepted: Accepted) -> list[StoredValue]:
    return [
        StoredValue(taken.meter.park, taken.meter.meter, name, value=value, ms=taken.ms, arrived=accepted.arrived)
        for taken in accepted.taken
        for name, value in taken.values.items()
        if value is not None
    ]


def _refused(accepted: Accepted) -> list[RefusedPart]:
    return [RefusedPart(each.meter, each.quantity, each.reason.value, each.detail) for each in accepted.refusals]


def _nulls(decoded: DecodedMessage, carrier: Carrier) -> Iterator[LeftOut]:
    for reading in decoded.readings:
        if reading.meter in carrier.meters:
            for name, value in reading.values.items():
                if value is None:
                    yield LeftOut(
                        carrier.meters[reading.meter].meter, name, "null in the payload, so there is no value"
                    )


def _not_taken(found: Iterable[SourceRecords], decoder: ForeignDecoder) -> Iterator[LeftOut]:
    """Quantities that a source maps and the payload does not have, or has and the meter does not serve."""
    for source, mapped, records, _ in found:
        for device in dict.fromkeys(one.device for one in records):
            meter = decoder.carrier.meters.get(device)
            if meter is None:
                continue
            own = [one for one in records if one.device == device]
            seen = {name for one in own for name in one.values}
            faulty = {fault.quantity for one in own for fault in one.faults}
            for name in mapped.values:
                if name in meter.ranges and name not in seen | faulty:
                    paths = " or ".join(each.path or each.base or "" for each in mapped.values[name])
                    yield LeftOut(meter.meter, name, f"source {source} maps it, but the payload has nothing at {paths}")
            if seen & meter.ranges.keys():  # where none is served, all are refused
                for name in sorted(seen - meter.ranges.keys()):
                    serves = ", ".join(meter.ranges)
                    yield LeftOut(
                        meter.meter, name, f"is there, but this meter does not serve it (registers: {serves})"
                    )


def sentences(parks: Sequence[Park], found: Sequence[PayloadOutcome]) -> Iterator[str]:
    """What would happen to the payloads, a line for each value."""
    by_id = {park.id: park for park in parks}
    for outcome in found:
        if outcome.unknown:
            yield f"no source of the park files reads {outcome.topic}; ecopark listen proposes one"
        for each in outcome.stored:
            park = by_id[each.park]
            unit = _unit(park.meter[each.meter], each.quantity)
            when = local_time(each.ms, park.zone).isoformat(timespec="milliseconds")
            clock = " (time of arrival)" if each.arrived else ""
            yield f"{each.meter}: {each.quantity} = {each.value!r} {unit} at {when}{clock}: stored"
            yield from _too_much(park.meter[each.meter], each)
        for part in outcome.refused:
            what = ": ".join(text for text in (part.meter, part.quantity) if text)
            yield f"{what or 'the message'}: refused as {part.reason}: {part.detail}"
        for left in outcome.left_out:
            yield f"{left.meter}: {left.quantity}: not stored: {left.why}"
        if outcome.bad_reads:
            yield f"{outcome.bad_reads} of its values are errors by the device's own word: counted as bad reads"
        if not (outcome.unknown or outcome.stored or outcome.refused or outcome.left_out or outcome.bad_reads):
            yield "there is nothing in it that could be stored or refused"
    yield from _too_fast(by_id, found)


def _unit(meter: Meter, quantity: str) -> str:
    return meter.unit if quantity == meter.counter else UTILITIES[meter.utility].quantities[quantity].unit


def _factor(meter: Meter, each: StoredValue) -> float:
    instrument = meter.instrument_at(each.ms)
    return 1.0 if instrument is None else instrument.factor(each.quantity)


def _too_much(meter: Meter, each: StoredValue) -> Iterator[str]:
    """A sentence where a single value is far above what the meter is rated for."""
    spec = UTILITIES[meter.utility]
    true = abs(each.value * _factor(meter, each))
    if each.quantity == spec.rate and true > PLAUSIBLE_FACTOR * meter.rated:
        unit = spec.quantities[each.quantity].unit
        hint = _slip(true, PLAUSIBLE_FACTOR * meter.rated)
        yield f"{meter.id}: {each.quantity} is {true:g} {unit}, far above rated ({meter.rated:g} {unit}){hint}"
    if each.quantity == meter.counter and true > _LIFE_H * meter.rated:
        years = true / meter.rated / 8766
        yield (
            f"{meter.id}: {each.quantity} is what {years:,.0f} years at rated ({_rated(meter)}) make;"
            " look at the unit and at rated"
        )


def _slip(value: float, most: float) -> str:
    slip = next((factor for factor in _SLIPS if value / factor <= most), None)
    return f"; divided by {slip:,} it would be possible, so look at the unit" if slip else ""


def _rated(meter: Meter) -> str:
    return f"{meter.rated:g} {UTILITIES[meter.utility].rate_unit or f'{meter.unit}/h'}"


def _too_fast(parks: Mapping[str, Park], found: Sequence[PayloadOutcome]) -> Iterator[str]:
    """A sentence for each meter whose counter steps faster than its rating allows."""
    seen: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for outcome in found:
        for each in outcome.stored:
            meter = parks[each.park].meter[each.meter]
            if each.quantity == meter.counter:
                seen.setdefault((each.park, each.meter), []).append((each.ms, each.value * _factor(meter, each)))
    for (park, name), points in seen.items():
        meter = parks[park].meter[name]
        (first_ms, first), (last_ms, last) = min(points), max(points)
        hours = (last_ms - first_ms) / 3_600_000
        most = PLAUSIBLE_FACTOR * meter.rated * hours
        if hours > 0 and abs(last - first) > most:
            step = f"steps by {last - first:g} {meter.unit} in {hours:g} h"
            yield f"{name}: {step}, more than rated ({_rated(meter)}){_slip(abs(last - first), most)}"


def plain(found: Sequence[PayloadOutcome]) -> str:
    """The same as a JSON object."""
    return json.dumps({"payloads": [asdict(one) for one in found]})

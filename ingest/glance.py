"""A quick look at a message of a gateway that has used up its ration of refusals: whether anything in it can be good.

Broker and ingester share one connection, so whoever floods it with bad messages delays everybody else. Refusing a
thousand readings one by one takes ten times as long as seeing that none of them is good. Such refusals are only
counted, as they would be anyway once the ration is used up. Where anything may be good, or is unclear, the glance
decides nothing, and each reading is checked as usual.
"""

import re
from collections import Counter
from typing import Final, NamedTuple

from pydantic_core import from_json

from ingest.lookup import Carrier, Sendable
from metering.instants import FUTURE_MS
from wire.messages import MAX_BYTES, MAX_ID, Reason

WORTH_BYTES: Final = 4_096
"""Smaller messages are refused quickly anyway."""

_METERS = re.compile(r'"meter"\s*:\s*"([^"]*)"')
_IDS = re.compile(rf'"id"\s*:\s*"([^"]{{1,{MAX_ID}}})"')


class Hopeless(NamedTuple):
    """What is wrong with a message in which nothing is good; `id` where its sender waits for a receipt."""

    id: str | None
    counts: Counter[Reason]


def glance(payload: bytes, carrier: Carrier, now_ms: int) -> Hopeless | None:
    """What is wrong with a message in which nothing can be good; None where something may be."""
    if len(payload) > MAX_BYTES:
        return Hopeless(None, Counter({Reason.TOO_LARGE: 1}))
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return Hopeless(None, Counter({Reason.MALFORMED: 1}))
    if "\\" not in text:  # the text is the same however it is parsed
        meters = _METERS.findall(text)
        if carrier.meters.keys().isdisjoint(meters):
            ids = _IDS.findall(text) if '"id"' in text else ()
            return Hopeless(ids[-1] if ids else None, _of_meters(meters, carrier))
    return _taken_apart(text, carrier, now_ms)


def _of_meters(meters: list[str], carrier: Carrier) -> Counter[Reason]:
    if not meters:
        return Counter({Reason.MALFORMED: 1})
    elsewhere = sum(map(carrier.others.__contains__, meters))
    return +Counter({Reason.WRONG_GATEWAY: elsewhere, Reason.UNKNOWN_METER: len(meters) - elsewhere})


def _taken_apart(text: str, carrier: Carrier, now_ms: int) -> Hopeless | None:
    """Look at each reading of a message that names, or may name, meters of the carrier."""
    try:
        content = from_json(text)
    except ValueError:
        return Hopeless(None, Counter({Reason.MALFORMED: 1}))
    if not isinstance(content, dict) or not isinstance(items := content.get("readings"), list):
        return None
    identity = content.get("id")
    earliest, latest = now_ms - carrier.horizon_ms, now_ms + FUTURE_MS
    counts: Counter[Reason] = Counter()
    for item in items:
        if not isinstance(item, dict) or not isinstance(name := item.get("meter"), str):
            counts[Reason.MALFORMED] += 1
        elif (meter := carrier.meters.get(name)) is None:
            counts[Reason.WRONG_GATEWAY if name in carrier.others else Reason.UNKNOWN_METER] += 1
        elif type(ms := item.get("ts")) is int and (not earliest <= ms <= latest or ms < meter.since_ms):
            counts[Reason.FUTURE_TIME if ms > latest else Reason.BAD_TIME] += 1
        elif not _all_wrong(item.get("values"), meter, counts):
            return None
    return Hopeless(identity if isinstance(identity, str) and 0 < len(identity) <= MAX_ID else None, counts)


def _all_wrong(values: object, meter: Sendable, counts: Counter[Reason]) -> bool:
    """Whether no value of a reading can be good; counts each fault."""
    if not isinstance(values, dict):
        return False
    for name, value in values.items():
        if (ends := meter.ranges.get(name)) is None:
            counts[Reason.UNKNOWN_QUANTITY] += 1
        elif type(value) in {int, float} and not ends[0] <= value <= ends[1]:
            counts[Reason.OUT_OF_RANGE] += 1
        else:
            return False
    return bool(values)

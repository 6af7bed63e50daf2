"""A dozen messages, each wrong in another way, and the reason for which each must be refused."""

import json
from dataclasses import dataclass
from typing import Any

from metering.instants import FUTURE_MS
from metering.meters import Meter
from metering.park import Park
from metering.quantities import UTILITIES
from wire.messages import MAX_BYTES, Reason


@dataclass(frozen=True, slots=True)
class Malformed:
    """One message on a gateway's `readings` topic, which is refused as a whole or has one reading, which is."""

    name: str
    gateway: str
    payload: bytes
    reason: Reason


def malformed(park: Park, now_ms: int) -> tuple[Malformed, ...]:
    """Return the messages, sent at `now_ms` (milliseconds since the epoch) to a park with at least two gateways."""
    first, other = park.gateways[0].id, park.gateways[1].id
    meter, elsewhere = park.meters_of(first)[0], park.meters_of(other)[0]
    ts = now_ms - 60_000
    right = _reading(meter, ts)
    counter = meter.counter
    too_high = UTILITIES[meter.utility].quantities[counter].high * 10

    def wrong(name: str, reason: Reason, reading: dict[str, Any], gateway: str = first) -> Malformed:
        return Malformed(name, gateway, json.dumps(reading).encode(), reason)

    return (
        Malformed("not JSON at all", first, bytes(range(256)), Reason.MALFORMED),
        Malformed("cut off", first, json.dumps({"id": "cut", "readings": [right]}).encode()[:-9], Reason.MALFORMED),
        Malformed("300 KB", first, b'{"readings": "' + b"x" * (MAX_BYTES + 44_000) + b'"}', Reason.TOO_LARGE),
        wrong("a gateway nobody knows", Reason.UNKNOWN_GATEWAY, right, "gw-nowhere"),
        wrong("a meter nobody knows", Reason.UNKNOWN_METER, right | {"meter": "em-nobody"}),
        wrong("a meter of another gateway", Reason.WRONG_GATEWAY, _reading(elsewhere, ts)),
        wrong("a quantity nobody knows", Reason.UNKNOWN_QUANTITY, right | {"values": {"energy_horsepower": 1.0}}),
        wrong("a number in words", Reason.NOT_A_NUMBER, right | {"values": {counter: "twelve"}}),
        wrong("NaN", Reason.NOT_A_NUMBER, right | {"values": {counter: float("nan")}}),
        wrong("beyond any meter", Reason.OUT_OF_RANGE, right | {"values": {counter: too_high}}),
        wrong("a time without a date", Reason.BAD_TIME, right | {"ts": "half past nine"}),
        wrong("from tomorrow", Reason.FUTURE_TIME, right | {"ts": now_ms + FUTURE_MS + 86_400_000}),
    )


def _reading(meter: Meter, ts: int) -> dict[str, Any]:
    return {"meter": meter.id, "ts": ts, "values": {meter.counter: 1.0}}

"""What would become of a payload: the ingester's own accept step, explained value by value. Nothing is sent.

With several payloads of one meter the step of its counter is compared with what is rated: a counter in litres that is
mapped as cubic metres is a thousand times too fast, and shows only so.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ingest.accept import Accepted, accept
from ingest.directory import Directory, directory
from metering.park import Park
from metering.quantities import UTILITIES

TOLERANCE: Final = 1.2
"""F2: use is at most so many times what is rated."""

_SLIPS: Final = (1000, 100, 10)
"""Factors by which units are mistaken."""


@dataclass(slots=True)
class PayloadOutcome:
    """What would be stored and what refused of one payload; `unknown` where nobody reads its topic."""

    stored: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    unknown: bool = False


def outcomes(parks: Sequence[Park], topic: str, payloads: Iterable[bytes], now_ms: int) -> list[PayloadOutcome]:
    """Accept each payload as the ingester would at `now_ms`."""
    known = directory(*parks)
    return [_outcome(known, topic, payload, now_ms) for payload in payloads]


def _outcome(known: Directory, topic: str, payload: bytes, now_ms: int) -> PayloadOutcome:
    if known.carrier(topic) is None:
        return PayloadOutcome(unknown=True)
    accepted: Accepted = accept(topic, payload, now_ms, known)
    stored = [
        {"meter": taken.meter.meter, "ms": taken.ms, "arrived": accepted.arrived, "values": dict(taken.values)}
        for taken in accepted.taken
    ]
    refused = [
        {"meter": each.meter, "quantity": each.quantity, "reason": each.reason.value, "detail": each.detail}
        for each in accepted.refusals
    ]
    return PayloadOutcome(stored, refused)


def sentences(parks: Sequence[Park], topic: str, found: Sequence[PayloadOutcome]) -> Iterator[str]:
    """What would become of the payloads, a line for each value."""
    for outcome in found:
        if outcome.unknown:
            yield f"no source of the park files reads {topic}; ecopark listen proposes one"
        for each in outcome.stored:
            park = next(park for park in parks if each["meter"] in park.meter)
            spec = UTILITIES[park.meter[each["meter"]].utility].quantities
            when = datetime.fromtimestamp(each["ms"] / 1000, park.zone).isoformat(timespec="milliseconds")
            clock = " (time of arrival)" if each["arrived"] else ""
            for name, value in each["values"].items():
                yield f"{each['meter']}: {name} = {value!r} {spec[name].unit} at {when}{clock}: stored"
        for each in outcome.refused:
            what = ": ".join(text for text in (each["meter"], each["quantity"]) if text)
            yield f"{what or 'the message'}: refused as {each['reason']}: {each['detail']}"
        if not (outcome.unknown or outcome.stored or outcome.refused):
            yield "nothing in it is mapped, so nothing is stored and nothing refused"
    yield from too_fast(parks, found)


def too_fast(parks: Sequence[Park], found: Sequence[PayloadOutcome]) -> Iterator[str]:
    """A sentence for each meter whose counter steps by more than is rated."""
    seen: dict[str, list[tuple[int, float]]] = {}
    meters = {meter.id: meter for park in parks for meter in park.meters}
    for outcome in found:
        for each in outcome.stored:
            counter = each["values"].get(meters[each["meter"]].counter)
            if counter is not None:
                seen.setdefault(each["meter"], []).append((each["ms"], counter))
    for name, points in seen.items():
        (first_ms, first), (last_ms, last) = min(points), max(points)
        hours = (last_ms - first_ms) / 3_600_000
        most = TOLERANCE * meters[name].rated * hours
        if hours > 0 and last - first > most:
            slip = next((factor for factor in _SLIPS if (last - first) / factor <= most), None)
            hint = f"; divided by {slip:,} it would be, so look at the unit" if slip else ""
            unit = meters[name].unit
            step = f"steps by {last - first:g} {unit} in {hours:g} h"
            yield f"{name}: {step}, more than rated ({meters[name].rated:g} {unit}/h){hint}"


def plain(found: Sequence[PayloadOutcome]) -> str:
    """The same as one line of JSON."""
    return json.dumps(
        {"payloads": [{"stored": one.stored, "refused": one.refused, "unknown": one.unknown} for one in found]}
    )

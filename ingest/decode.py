"""From bytes to readings: the wire's JSON, fast where all is right, value by value where it is not.

Nothing is raised, whatever the bytes: what cannot be read becomes a refusal. A decoder of another dialect has the same
signature as `decode`. It builds plain JSON values and turns them into readings with `sift`, so that there, too, one bad
value is refused alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from ingest.refusal import KEPT_BYTES, Refusal, refusal
from metering.instants import unit_of
from wire.messages import MAX_BYTES, MAX_ID, MAX_READINGS, BareReading, Message, Reading, Reason

# The validators themselves: `model_validate_json` first checks its arguments, which costs a small message dearly.
_MESSAGE: Callable[[bytes], Message] = TypeAdapter(Message).validator.validate_json
_BARE: Callable[[bytes], BareReading] = TypeAdapter(BareReading).validator.validate_json
_BARES: Callable[[bytes], list[BareReading]] = TypeAdapter(
    Annotated[list[BareReading], FailFast()]
).validator.validate_json
_READING: Callable[[bytes], Reading] = TypeAdapter(Reading).validator.validate_json


class DecodedMessage(NamedTuple):
    """The content of a message: its readings, refusals of the rest, and its id where the sender wants a receipt.

    `arrived`: it has no time of its own, so the time of its arrival was taken. `waits`: it cannot be understood yet;
    its refusals hold where it never can. `bad_reads`: values that the device reports it could not read.
    """

    id: str | None
    readings: list[Reading]
    refusals: list[Refusal]
    arrived: bool = False
    waits: bool = False
    bad_reads: int = 0


_new = tuple.__new__  # as in `ingest.accept`


def decode(topic: str, payload: bytes, now_ms: int) -> DecodedMessage:
    """Decode one payload of the `readings` channel."""
    del topic, now_ms
    if len(payload) > MAX_BYTES:
        return _too_large(f"{len(payload)} bytes; a message has at most {MAX_BYTES}", payload)
    try:
        if b'"readings"' in payload:
            message = _MESSAGE(payload)
            return _new(DecodedMessage, (message.id, message.readings, [], False, False, 0))
        bare = _BARE(payload)
    except ValidationError:
        return _sift_message(payload)
    return _new(DecodedMessage, (bare.id, [bare], [], False, False, 0))


def decode_bare(payloads: Sequence[bytes]) -> list[BareReading] | None:
    """Decode small messages that came together, in half the time; None where they must be decoded one by one.

    What one sender wrote must not leak into another's message. So a message has to begin with `{`, and a line break
    separates two: JSON allows none inside a text, after a comma in an object a key would have to follow, and a reading
    contains no list. What remains possible is that a message holds several readings; then their number is wrong.
    """
    if not (min(payloads) >= b"{" and max(payloads) < b"|"):
        return None
    try:
        found = _BARES(b"[%b]" % b",\n".join(payloads))
    except ValidationError:
        return None
    return found if len(found) == len(payloads) else None


def sift(items: Iterable[Any], identity: str | None = None) -> DecodedMessage:
    """Readings from JSON values that should each be one; whatever is not is refused, value by value where possible."""
    found = DecodedMessage(identity, [], [])
    for item in items:
        try:
            found.readings.append(_READING(json.dumps(item).encode()))
        except ValidationError as error:
            _sift_reading(item, error.errors(include_url=False), found)
    return found


def _whole(detail: str, payload: bytes, identity: str | None = None) -> DecodedMessage:
    return DecodedMessage(identity, [], [refusal(Reason.MALFORMED, detail, payload)])


def _sift_message(payload: bytes) -> DecodedMessage:  # noqa: PLR0911 (one return for each way to be wrong)
    """Take a message with faults apart."""
    try:
        content = from_json(payload)
    except ValueError as error:
        return _whole(f"not JSON: {error}", payload)
    if not isinstance(content, dict):
        return _whole(f"a message is an object with readings, not {_kind(content)}", payload)
    identity = content.pop("id", None)
    if identity is not None and not (isinstance(identity, str) and 0 < len(identity) <= MAX_ID):
        return _whole(f"id must be a text of 1 to {MAX_ID} characters", payload)
    if "readings" not in content:
        return sift([content], identity)
    items = content.pop("readings")
    if not isinstance(items, list):
        return _whole(f"readings must be a list, not {_kind(items)}", payload, identity)
    if content:
        return _whole(f"unknown key {next(iter(content))!r} beside readings", payload, identity)
    if len(items) > MAX_READINGS:
        return _too_large(f"{len(items)} readings; a message has at most {MAX_READINGS}", payload, identity)
    return sift(items, identity)


def _too_large(detail: str, payload: bytes, identity: str | None = None) -> DecodedMessage:
    """Refuse a message that is too large as smaller ones that can be replayed, where it can be taken apart."""
    refusals = [refusal(Reason.TOO_LARGE, detail, part) for part in _parts(payload)]
    return DecodedMessage(identity, [], refusals or [refusal(Reason.TOO_LARGE, detail, payload)])


def _parts(payload: bytes) -> Iterator[bytes]:
    """Messages with the readings of a larger one, each small enough to be kept whole; none of an absurdly large one."""
    if len(payload) > _APART:
        return
    try:
        items = from_json(payload)["readings"]
        if not isinstance(items, list):
            return
        written = [to_json(item) for item in items]
    except (ValueError, KeyError, TypeError):
        return
    part: list[bytes] = []
    room = _ROOM
    for item in written:
        if part and len(item) + 1 > room:
            yield _PART % b",".join(part)
            part, room = [], _ROOM
        part.append(item)
        room -= len(item) + 1
    if part:
        yield _PART % b",".join(part)


_APART = 4 * MAX_BYTES
_PART = b'{"readings":[%b]}'
_ROOM = KEPT_BYTES - len(_PART)


def _sift_reading(item: Any, problems: list[ErrorDetails], found: DecodedMessage) -> None:
    """Refuse the wrong values one by one and keep the others; or the whole reading, where more is wrong."""
    bad = {str(path[1]): problem for problem in problems for path in [problem["loc"]] if _of_a_value(path)}
    if not isinstance(item, dict) or any(not _of_a_value(problem["loc"]) for problem in problems):
        found.refusals.append(_of_reading(item, problems))
        return
    for name, problem in bad.items():
        alone = {**item, "values": {name: item["values"][name]}}
        what = {"meter": item["meter"], "ts": _ts(item), "quantity": name}
        detail = f"{name[:64]}: {_what_is_wrong_with_value(item['values'][name]) or problem['msg']}"
        found.refusals.append(refusal(Reason.NOT_A_NUMBER, detail, json.dumps(alone).encode(), **what))
    if rest := {name: value for name, value in item["values"].items() if name not in bad}:
        found.readings.append(_READING(json.dumps({**item, "values": rest}).encode()))


def _what_is_wrong_with_value(value: Any) -> str:
    if isinstance(value, str):
        return "a text, not a number; write it without quotes, or let a source of the park file read it"
    return "true or false, not a number" if isinstance(value, bool) else ""


def _of_a_value(path: tuple[int | str, ...]) -> bool:
    return len(path) > 1 and path[0] == "values"


_SECTIONS = {"ts": Reason.BAD_TIME, "values": Reason.NOT_A_NUMBER}


def _of_reading(item: Any, problems: list[ErrorDetails]) -> Refusal:
    """Refuse a whole reading for the gravest fault: not a reading at all, then its time, then its values."""
    problem = min(reversed(problems), key=lambda found: _SEVERITY.index(_reason(found)))
    reason, path = _reason(problem), problem["loc"]
    known = item if isinstance(item, dict) else {}
    meter = known.get("meter")
    if reason is Reason.BAD_TIME and "ts" in known:
        detail = f"ts: {_what_is_wrong_with_time(known['ts'])}"
    else:
        message = problem["msg"].removeprefix("Value error, ")
        where = ".".join(map(str, path))
        detail = f"{where}: {message}" if where else message
    written = json.dumps(item).encode()
    return refusal(reason, detail, written, meter=meter if isinstance(meter, str) else None, ts=_ts(known))


_SEVERITY = (Reason.MALFORMED, Reason.BAD_TIME, Reason.NOT_A_NUMBER)


def _reason(problem: ErrorDetails) -> Reason:
    path = problem["loc"]
    if path and (len(path) > 1 or problem["type"] == "missing" or path[0] == "ts"):
        return _SECTIONS.get(str(path[0]), Reason.MALFORMED)
    return Reason.MALFORMED


_RIGHT = "ts is whole milliseconds since the epoch, or a text such as 2026-11-23T18:00:00+07:00"


def _what_is_wrong_with_time(ts: Any) -> str:
    """Say what a time that the model does not take looks like."""
    match ts:
        case bool() | None | list() | dict():
            return f"{_kind(ts)} is no time; {_RIGHT}"
        case int() | float():
            unit = unit_of(ts)
            looks = "not whole milliseconds" if unit in {None, "milliseconds"} else f"looks like {unit}"
            return f"{ts!r} {looks}; {_RIGHT}"
        case str() if ts.isdigit():
            return f"digits in quotes; {_RIGHT}"
        case str() if _without_zone(ts):
            return f"{ts[:40]!r} has no zone; end it with an offset such as +07:00, or with Z"
        case _:
            return f"{str(ts)[:40]!r} cannot be read; {_RIGHT}"


def _without_zone(ts: str) -> bool:
    try:
        _READING(json.dumps({"meter": "", "ts": f"{ts}Z", "values": {"": 1}}).encode())
    except ValidationError:
        return False
    return True


def _ts(known: dict[str, Any]) -> int | str | None:
    ts = known.get("ts")
    return ts if isinstance(ts, int | str) else None


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"

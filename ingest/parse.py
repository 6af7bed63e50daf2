"""From bytes to readings: the fast path for messages in which everything is right, and sifting for the others.

Whatever the bytes are, nothing is raised: what cannot be read becomes a refusal, reading by reading where the message
can be taken apart.
"""

import json
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from ingest.refusal import Refusal
from wire.messages import MAX_BYTES, MAX_ID, MAX_READINGS, BareReading, Message, Reading, Reason

# The validators themselves: `model_validate_json` looks at its arguments first, which a small message feels.
_MESSAGE: Callable[[bytes], Message] = TypeAdapter(Message).validator.validate_json
_BARE: Callable[[bytes], BareReading] = TypeAdapter(BareReading).validator.validate_json
_READING: Callable[[bytes], Reading] = TypeAdapter(Reading).validator.validate_json

_DETAIL = 200
_METER = 64


Parsed = tuple[str | None, list[Reading], list[Refusal]]
"""What a payload holds: its id, where the sender wants a receipt; readings; refusals. Without names: made each time."""


def parse(payload: bytes) -> Parsed:
    """Read one payload of the `readings` channel."""
    if len(payload) > MAX_BYTES:
        return _whole(f"{len(payload)} bytes; a message has at most {MAX_BYTES}", payload, reason=Reason.TOO_LARGE)
    try:
        if b'"readings"' in payload:
            message = _MESSAGE(payload)
            return message.id, message.readings, []
        bare = _BARE(payload)
    except ValidationError:
        return _sift(payload)
    return bare.id, [bare], []


def _whole(detail: str, payload: bytes, identity: str | None = None, reason: Reason = Reason.MALFORMED) -> Parsed:
    return identity, [], [Refusal(reason, detail[:_DETAIL], payload)]


def _sift(payload: bytes) -> Parsed:  # noqa: PLR0911 (one return for each way to be wrong)
    """Take a message with faults apart, and keep the readings that have none."""
    try:
        content = from_json(payload)
    except ValueError as error:
        return _whole(f"not JSON: {error}", payload)
    if not isinstance(content, dict):
        return _whole(f"a message is an object with readings, not {_kind(content)}", payload)
    identity = content.pop("id", None)
    if identity is not None and not (isinstance(identity, str) and 0 < len(identity) <= MAX_ID):
        return _whole(f"id must be a text of 1 to {MAX_ID} characters", payload)
    bare = "readings" not in content
    items = [content] if bare else content.pop("readings")
    if not isinstance(items, list):
        return _whole(f"readings must be a list, not {_kind(items)}", payload, identity)
    if content and not bare:
        return _whole(f"unknown key {next(iter(content))!r} beside readings", payload, identity)
    if len(items) > MAX_READINGS:
        detail = f"{len(items)} readings; a message has at most {MAX_READINGS}"
        return _whole(detail, payload, identity, Reason.TOO_LARGE)
    return _sift_items(identity, items)


def _sift_items(identity: str | None, items: list[Any]) -> Parsed:
    readings: list[Reading] = []
    refusals: list[Refusal] = []
    for item in items:
        written = json.dumps(item).encode()
        try:
            readings.append(_READING(written))
        except ValidationError as error:
            refusals.append(_refusal(item, written, error.errors(include_url=False)))
    return identity, readings, refusals


_PLACES = {"ts": Reason.BAD_TIME, "values": Reason.NOT_A_NUMBER}


def _refusal(item: Any, written: bytes, problems: list[ErrorDetails]) -> Refusal:
    """Say the worst that is wrong: a reading that is not one, then its time, then its values."""
    known = item if isinstance(item, dict) else {}
    problem = min(reversed(problems), key=lambda found: _rank(_reason(found)))
    path = problem["loc"]
    where = "ts" if path[:1] == ("ts",) else ".".join(map(str, path))
    detail = f"{where}: {problem['msg'].removeprefix('Value error, ')}" if where else problem["msg"]
    meter = known.get("meter")
    ts = known.get("ts")
    return Refusal(
        _reason(problem),
        detail[:_DETAIL],
        written,
        meter=meter[:_METER] if isinstance(meter, str) else None,
        ts=ts if isinstance(ts, int | str) else None,
    )


def _reason(problem: ErrorDetails) -> Reason:
    path = problem["loc"]
    if len(path) > 1 or problem["type"] == "missing" or (path and path[0] == "ts"):
        return _PLACES.get(str(path[0]), Reason.MALFORMED) if path else Reason.MALFORMED
    return Reason.MALFORMED


def _rank(reason: Reason) -> int:
    return (Reason.MALFORMED, Reason.BAD_TIME, Reason.NOT_A_NUMBER).index(reason)


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

"""Guesses how to map an unknown message: where its device, its time and its values may be. Pure.

Names and values are recognised by spelling and form. A guess is a proposal for somebody to check, so each part of it
comes with the example that it was made from.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from ecopark.spelling import VALUE_NAMES, GuessedPart, Leaf, is_numeric, leaves_in, quoted, snake, values_of
from metering.instants import unit_of
from metering.sources import MessageMap

_ZONE: Final = "Asia/Ho_Chi_Minh"

_DEVICE_NAMES: Final = (
    r"(device|dev)_?eui",
    r"serial(_?(no|nr|number))?|sn|imei|mac(_?addr(ess)?)?",
    r"meter(_?(id|no|nr|number|name))?",
    r"(device|dev)(_?(id|name|sn))?|sensor(_?id)?|node(_?id)?",
    r"id|uid|uuid|eui|addr(ess)?|name|tag|source",
)
"""Usual names of fields with a device's name, the most certain first."""

_TIME_NAME = re.compile(
    r"(.*_)?(time|ts|timestamp|date|datetime|at|when|utc|epoch|clock|t)(_?(ms|s|us|ns|unix|utc|local|sec))?"
)
_LOCAL_FORMATS: Final = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
)
_NAMES_OF_PAIRS: Final = ("name", "n", "tag", "key", "code", "metric", "id")
_WORDS_OF_TOPICS: Final = re.compile(
    r"telemetry|data|up|state|status|sensor|sensors|readings?|values?|json|events?|meters?|rpc|out|pub|uplink"
)


@dataclass(frozen=True, slots=True)
class Guess:
    """How a message could be mapped. `others` are numbers by path that were not recognised."""

    topic: str
    device: GuessedPart
    time: GuessedPart | None = None
    values: dict[str, GuessedPart] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    further: dict[str, Any] = field(default_factory=dict)
    """Further parts of the mapping: payload, name_level, each, pairs."""

    @property
    def mapped(self) -> MessageMap:
        """The guess as the mapping that it proposes."""
        parts: dict[str, Any] = {"topic": self.topic, "device": self.device.entry, **self.further}
        if self.time is not None:
            parts["time"] = self.time.entry
        parts["values"] = {name: part.entry for name, part in self.values.items()}
        return MessageMap.model_validate(parts)


def guess(pattern: str, topic: str, payload: bytes, now_ms: int) -> Guess:
    """Guess how messages on topics of a filter are mapped, from one of them that came at `now_ms`."""
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        content = None
    if is_number(payload):
        return _of_number(pattern, topic, payload)
    found = _record_of(content)
    further = found.further
    leaves = list(leaves_in(found.record))
    time = _time(leaves, now_ms) or _time(list(leaves_in(content)) if "pairs" in further else [], now_ms)
    device = (
        GuessedPart({"key": True}, found.device) if found.device else _device(pattern, topic, leaves, content, further)
    )
    used = {part.entry.get("path") for part in (time, device) if part is not None}
    values = values_of([leaf for leaf in leaves if leaf.path not in used])
    return Guess(pattern, device, time, values=values.known, others=values.others, further=further)


def is_number(payload: bytes) -> bool:
    """Whether the whole payload is a number."""
    return bool(re.fullmatch(rb"\s*[+-]?\d+([.,]\d+)?\s*", payload))


class _FoundRecord(NamedTuple):
    """One record of a message, what the mapping says to find it, and the device that it is keyed by, if any."""

    further: dict[str, Any]
    record: Any
    device: str = ""


def _record_of(content: Any) -> _FoundRecord:
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return _FoundRecord({"each": "@"}, content[0])
    if not isinstance(content, dict):
        return _FoundRecord({}, content)
    inner = [(key, value) for key, value in content.items() if _is_list_of_objects(value)]
    if len(inner) == 1:
        key, items = inner[0]
        if pairs := _pairs(items):
            found = {item[pairs.name]: item.get(pairs.value) for item in items if isinstance(item.get(pairs.name), str)}
            return _FoundRecord({"pairs": {"path": quoted(key), **pairs._asdict()}}, {**content, "pairs": found})
        if not any(is_numeric(value) for key, value in content.items() if not _TIME_NAME.fullmatch(snake(key))):
            return _FoundRecord({"each": quoted(key)}, items[0])
    records = [value for value in content.values() if isinstance(value, dict)]
    if len(records) == len(content) > 1 and len({frozenset(record) for record in records}) == 1:
        key = next(iter(content))
        return _FoundRecord({}, content[key], key)
    return _FoundRecord({}, content)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


class _PairKeys(NamedTuple):
    """The keys of name and value in a list of pairs."""

    name: str
    value: str


def _pairs(items: Sequence[Mapping[str, Any]]) -> _PairKeys | None:
    first = items[0]
    name = next((key for key in _NAMES_OF_PAIRS if isinstance(first.get(key), str)), None)
    value = next((key for key in VALUE_NAMES if is_numeric(first.get(key))), None)
    distinct = name is not None and len({str(item.get(name)) for item in items}) == len(items)
    return _PairKeys(name, value) if name and value and distinct else None


def _device(pattern: str, topic: str, leaves: Sequence[Leaf], content: Any, further: Mapping[str, Any]) -> GuessedPart:
    outside = list(leaves_in(content)) if "pairs" in further else []
    for wanted in _DEVICE_NAMES:
        for leaf in (*leaves, *outside):
            named = isinstance(leaf.value, str) or (isinstance(leaf.value, int) and wanted != _DEVICE_NAMES[-1])
            if named and leaf.value != "" and re.fullmatch(wanted, snake(leaf.name)):
                return GuessedPart({"path": leaf.path}, leaf.value)
    levels = topic.split("/")
    open_levels = [place for place, level in enumerate(pattern.split("/")) if level == "+"]
    plain = [place for place, level in enumerate(levels) if not _WORDS_OF_TOPICS.fullmatch(level.lower())]
    place = (open_levels or plain or [len(levels) - 1])[-1]
    return GuessedPart({"level": place}, levels[place])


def _time(leaves: Sequence[Leaf], now_ms: int) -> GuessedPart | None:
    """The time nearest to now: a message contains others, too, such as when the device was started."""
    found = [time for leaf in leaves for time in _times(leaf)]
    return min(found, key=lambda time: abs(time.ms - now_ms)).part if found else None


class _GuessedTime(NamedTuple):
    """A part of a message that may be its time, and the instant in it."""

    part: GuessedPart
    ms: float


def _times(leaf: Leaf) -> Iterator[_GuessedTime]:
    named = _TIME_NAME.fullmatch(snake(leaf.name)) is not None
    value = leaf.value
    number = float(value) if isinstance(value, str) and re.fullmatch(r"\d{10,19}(\.\d+)?", value) else value
    if isinstance(number, int | float):
        if named and (unit := unit_of(number)) is not None:
            short, per_ms = {
                "seconds": ("s", 1e3),
                "milliseconds": ("ms", 1.0),
                "microseconds": ("us", 1e-3),
                "nanoseconds": ("ns", 1e-6),
            }[unit]
            yield _GuessedTime(GuessedPart({"path": leaf.path, "unit": short}, value), number * per_ms)
        return
    if not isinstance(value, str) or len(value) < len("2026-11-27T1"):
        return
    for form in (None, *_LOCAL_FORMATS):
        try:
            when = datetime.strptime(value, form) if form else datetime.fromisoformat(value)  # noqa: DTZ007 (local times are meant)
        except ValueError:
            continue
        if when.tzinfo is not None:
            entry = {"path": leaf.path, "unit": "rfc3339"}
        else:
            entry = {"path": leaf.path, "unit": "local", "zone": _ZONE} | ({"format": form} if form else {})
        yield _GuessedTime(GuessedPart(entry, value), when.timestamp() * 1000)
        return


def _of_number(pattern: str, topic: str, payload: bytes) -> Guess:
    """One number on its own topic: the last level is the quantity, the one before it the device."""
    levels = topic.split("/")
    name = levels[-1]
    device = {"level": len(levels) - 2} if len(levels) > 1 else {"fixed": name}
    found = values_of([Leaf(quoted(name), name, payload.decode().strip())])
    further = {"payload": "number", "name_level": len(levels) - 1}
    return Guess(
        pattern,
        GuessedPart(device, levels[-2] if len(levels) > 1 else name),
        None,
        values=found.known,
        others=found.others,
        further=further,
    )

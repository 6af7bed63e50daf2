"""Guesses how an unknown message could be mapped: where its device, its time and its values may be. Pure.

Names and values are recognised by their spelling and their form. A guess is a proposal for somebody to check, so each
part of it comes with the example that it was made of.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from metering.instants import unit_of
from metering.quantities import UTILITIES
from metering.sources import QUANTITIES, MessageMap
from metering.units import conversion

_DEPTH: Final = 5
_ZONE: Final = "Asia/Ho_Chi_Minh"

_UNITS: Final[Mapping[tuple[str, ...], str]] = {
    ("kwh",): "kWh",
    ("wh",): "Wh",
    ("mwh",): "MWh",
    ("kvarh",): "kvarh",
    ("varh",): "varh",
    ("kw",): "kW",
    ("w",): "W",
    ("watt",): "W",
    ("watts",): "W",
    ("m3", "h"): "m3/h",
    ("m3h",): "m3/h",
    ("l", "h"): "L/h",
    ("lh",): "L/h",
    ("lph",): "L/h",
    ("l", "min"): "L/min",
    ("lpm",): "L/min",
    ("m3",): "m3",
    ("l",): "L",
    ("liter",): "L",
    ("litre",): "L",
    ("liters",): "L",
    ("litres",): "L",
    ("v",): "V",
    ("a",): "A",
    ("hz",): "Hz",
    ("bar",): "bar",
    ("kpa",): "kPa",
    ("c",): "°C",
}
"""Units by how they end a name, the longer before the shorter."""

_WORDS: Final[Sequence[tuple[frozenset[str], str]]] = (
    (frozenset({"power", "factor"}), "power_factor"),
    (frozenset({"powerfactor"}), "power_factor"),
    (frozenset({"pf"}), "power_factor"),
    (frozenset({"cosphi"}), "power_factor"),
    (frozenset({"cos", "phi"}), "power_factor"),
    (frozenset({"energy", "export"}), "energy_export_kwh"),
    (frozenset({"energy", "return"}), "energy_export_kwh"),
    (frozenset({"energy"}), "energy_kwh"),
    (frozenset({"consumption"}), "energy_kwh"),
    (frozenset({"power"}), "power_kw"),
    (frozenset({"flow"}), "flow_m3h"),
    (frozenset({"volume"}), "volume_m3"),
    (frozenset({"voltage"}), "voltage_v"),
    (frozenset({"volt"}), "voltage_v"),
    (frozenset({"current"}), "current_a"),
    (frozenset({"amps"}), "current_a"),
    (frozenset({"frequency"}), "frequency_hz"),
    (frozenset({"freq"}), "frequency_hz"),
    (frozenset({"pressure"}), "pressure_bar"),
    (frozenset({"temperature"}), "temperature_c"),
    (frozenset({"temp"}), "temperature_c"),
    (frozenset({"ph"}), "ph"),
)
"""Quantities by words of a name that has no unit, the more special first."""

_BY_UNIT: Final = (
    "energy_kwh",
    "reactive_kvarh",
    "power_kw",
    "flow_m3h",
    "volume_m3",
    "voltage_v",
    "current_a",
    "frequency_hz",
    "pressure_bar",
    "temperature_c",
)
"""What a value in a unit is, the first that the unit can become."""

_SHORT: Final = {
    "u": "voltage_v",
    "v": "voltage_v",
    "i": "current_a",
    "a": "current_a",
    "p": "power_kw",
    "w": "power_kw",
}
"""Letters that mean something only where they are the whole name, but for the phase."""

_FIRST_PHASE: Final = (["l1"], ["1"], ["l", "1"])

_OUT: Final = frozenset({"export", "exported", "return", "returned", "ret", "reverse"})

_DEVICE_NAMES: Final = (
    r"(device|dev)_?eui",
    r"serial(_?(no|nr|number))?|sn|imei|mac(_?addr(ess)?)?",
    r"meter(_?(id|no|nr|number|name))?",
    r"(device|dev)(_?(id|name|sn))?|sensor(_?id)?|node(_?id)?",
    r"id|uid|uuid|eui|addr(ess)?|name|tag|source",
)
"""What fields with a device's name are called, the surer first."""

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
_VALUES_OF_PAIRS: Final = ("value", "val", "v", "data")
_NUMBER_AND_UNIT = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)?\s*\*?\s*([^\s\d].*?)?\s*")
_WORDS_OF_TOPICS: Final = re.compile(
    r"telemetry|data|up|state|status|sensor|sensors|readings?|values?|json|events?|meters?|rpc|out|pub|uplink"
)


@dataclass(frozen=True, slots=True)
class GuessedPart:
    """A part of a mapping as it is written in the park file, and what was heard there."""

    entry: dict[str, Any]
    heard: Any


@dataclass(frozen=True, slots=True)
class Guess:
    """How a message could be mapped. `others` are numbers by path that were not recognised."""

    topic: str
    device: GuessedPart
    time: GuessedPart | None = None
    values: dict[str, GuessedPart] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    further: dict[str, Any] = field(default_factory=dict)
    """What else the mapping needs: payload, name_level, each, pairs."""

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
    further, record, keyed = _record_of(content)
    leaves = list(_leaves(record))
    time = _time(leaves, now_ms) or _time(list(_leaves(content)) if "pairs" in further else [], now_ms)
    device = GuessedPart({"key": True}, keyed) if keyed else _device(pattern, topic, leaves, content, further)
    used = {part.entry.get("path") for part in (time, device) if part is not None}
    values, others = values_of([leaf for leaf in leaves if leaf.path not in used])
    return Guess(pattern, device, time, values, others, further)


def is_number(payload: bytes) -> bool:
    """Whether the whole payload is a number."""
    return bool(re.fullmatch(rb"\s*[+-]?\d+([.,]\d+)?\s*", payload))


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a record: its JMESPath, the name that says what it is, itself, and its unit where one is beside."""

    path: str
    name: str
    value: Any
    unit: str | None = None


def leaves_of(payload: bytes) -> list[Leaf]:
    """Values of a JSON object; none where it is no object."""
    try:
        return list(_leaves(json.loads(payload)))
    except (ValueError, RecursionError):
        return []


def values_of(leaves: Sequence[Leaf]) -> tuple[dict[str, GuessedPart], dict[str, Any]]:
    """Values by quantity, recognised by their names and units, and the numbers that were not recognised by path.

    Where a counter is among them, what its utility does not have is none of its values.
    """
    values: dict[str, GuessedPart] = {}
    others: dict[str, Any] = {}
    for leaf in leaves:
        known = _quantity(leaf)
        if known is not None and known.quantity not in values and _is_conceivable(leaf.value, known):
            values[known.quantity] = GuessedPart({"path": leaf.path, **known.further}, leaf.value)
        elif _is_numeric(leaf.value):
            others[leaf.path] = leaf.value
    fitting = [spec.quantities for spec in UTILITIES.values() if spec.counter in values]
    for name in [name for name in values if fitting and not any(name in quantities for quantities in fitting)]:
        part = values.pop(name)
        others[part.entry["path"]] = part.heard
    return values, others


def _is_conceivable(value: Any, known: "_Recognised") -> bool:
    """Whether a number is one of the quantity: a radio's frequency is not that of the grid."""
    quantity = QUANTITIES[known.quantity]
    into = conversion(known.further.get("unit"), quantity)
    return not isinstance(value, int | float) or into is None or quantity.low <= into.of(value) <= quantity.high


@dataclass(frozen=True, slots=True)
class _Recognised:
    quantity: str
    further: dict[str, Any]


def _quantity(leaf: Leaf) -> _Recognised | None:
    if isinstance(leaf.value, str):
        found = _NUMBER_AND_UNIT.fullmatch(leaf.value)
        if found is None or (found[1] is None and not leaf.value.strip()):
            return None
        comma = {"decimal": ","} if "," in leaf.value else {}
        if found[1] is not None:  # the unit in the text is converted by itself
            quantity = next((name for name in _BY_UNIT if conversion(found[1], QUANTITIES[name])), None)
            return _Recognised(quantity, comma) if quantity else None
        named = _named(leaf)
        return _Recognised(named.quantity, named.further | comma) if named else None
    if isinstance(leaf.value, list):
        named = _named(leaf)
        return _Recognised(named.quantity, {**named.further, "sum": True}) if named else None
    return _named(leaf) if _is_numeric(leaf.value) else None


def _named(leaf: Leaf) -> _Recognised | None:
    words = snake(leaf.name).split("_")
    unit = leaf.unit or next((unit for end, unit in _UNITS.items() if _ends(words, end)), None)
    if unit is not None:
        quantity = next((name for name in _BY_UNIT if conversion(unit, QUANTITIES[name])), None)
        if quantity == "energy_kwh" and _OUT & set(words):
            quantity = "energy_export_kwh"
        if quantity is not None:
            own = conversion(unit, QUANTITIES[quantity])
            return _Recognised(quantity, {} if own is not None and own.factor == 1 else {"unit": unit})
    if words[0] in _SHORT and (len(words) == 1 or words[1:] in _FIRST_PHASE):
        return _Recognised(_SHORT[words[0]], {})
    quantity = next((quantity for needed, quantity in _WORDS if needed <= set(words)), None)
    return _Recognised(quantity, {}) if quantity is not None else None


def _ends(words: Sequence[str], end: tuple[str, ...]) -> bool:
    """Whether a unit ends a name; a single letter does so only after another word."""
    single = len(end) == 1 and len(end[0]) == 1
    return tuple(words[-len(end) :]) == end and len(words) > (1 if single else 0)


def snake(name: str) -> str:
    """A name in lower case with `_` between its words: `activePower-W` becomes `active_power_w`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.replace("³", "3"))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _record_of(content: Any) -> tuple[dict[str, Any], Any, str]:
    """What leads to a record, one record, and the device that it is keyed by, if it is."""
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return {"each": "@"}, content[0], ""
    if not isinstance(content, dict):
        return {}, content, ""
    inner = [(key, value) for key, value in content.items() if _is_list_of_objects(value)]
    if len(inner) == 1:
        key, items = inner[0]
        if pairs := _pairs(items):
            name, value = pairs
            found = {item[name]: item.get(value) for item in items if isinstance(item.get(name), str)}
            return {"pairs": {"path": quoted(key), "name": name, "value": value}}, {**content, "pairs": found}, ""
        if not any(_is_numeric(value) for key, value in content.items() if not _TIME_NAME.fullmatch(snake(key))):
            return {"each": quoted(key)}, items[0], ""
    records = [value for value in content.values() if isinstance(value, dict)]
    if len(records) == len(content) > 1 and len({frozenset(record) for record in records}) == 1:
        key = next(iter(content))
        return {}, content[key], key
    return {}, content, ""


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _pairs(items: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    first = items[0]
    name = next((key for key in _NAMES_OF_PAIRS if isinstance(first.get(key), str)), None)
    value = next((key for key in _VALUES_OF_PAIRS if _is_numeric(first.get(key))), None)
    distinct = name is not None and len({str(item.get(name)) for item in items}) == len(items)
    return (name, value) if name and value and distinct else None


def _leaves(content: Any, path: str = "", depth: int = 0, outer: str = "") -> Iterator[Leaf]:
    """Values of an object; one called `value` is named by what holds it, with the unit that stands beside it."""
    if not isinstance(content, dict) or depth > _DEPTH:
        return
    beside = next((content[key] for key in ("unit", "units") if isinstance(content.get(key), str)), None)
    for key, value in content.items():
        whole = f"{path}.{quoted(key)}" if path else quoted(key)
        held = key in _VALUES_OF_PAIRS and outer
        if isinstance(value, dict):
            yield from _leaves(value, whole, depth + 1, key)
        elif isinstance(value, list):
            if value and all(_is_numeric(one) for one in value):
                yield Leaf(whole, key, value, beside if held else None)
        elif value is not None and not isinstance(value, bool):
            yield Leaf(whole, outer if held else key, value, beside if held else None)


def quoted(key: str) -> str:
    """A key as JMESPath takes it."""
    return key if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else json.dumps(key, ensure_ascii=False)


def _is_numeric(value: Any) -> bool:
    if isinstance(value, str):
        return bool(re.fullmatch(r"\s*[+-]?\d+([.,]\d+)?\s*", value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _device(pattern: str, topic: str, leaves: Sequence[Leaf], content: Any, further: Mapping[str, Any]) -> GuessedPart:
    outside = list(_leaves(content)) if "pairs" in further else []
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
    """The time nearest to now: a message has others, too, such as when the device was started."""
    found = [(part, ms) for leaf in leaves for part, ms in _times(leaf)]
    return min(found, key=lambda one: abs(one[1] - now_ms))[0] if found else None


def _times(leaf: Leaf) -> Iterator[tuple[GuessedPart, float]]:
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
            yield GuessedPart({"path": leaf.path, "unit": short}, value), number * per_ms
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
        yield GuessedPart(entry, value), when.timestamp() * 1000
        return


def _of_number(pattern: str, topic: str, payload: bytes) -> Guess:
    """One number on a topic of its own: the last level says what it is, and the one before it of which device."""
    levels = topic.split("/")
    name = levels[-1]
    device = {"level": len(levels) - 2} if len(levels) > 1 else {"fixed": name}
    values, others = values_of([Leaf(quoted(name), name, payload.decode().strip())])
    further = {"payload": "number", "name_level": len(levels) - 1}
    return Guess(pattern, GuessedPart(device, levels[-2] if len(levels) > 1 else name), None, values, others, further)

"""Which quantity a value of a message may be, by its name and unit. Pure.

Names are recognised by their words and by the unit that ends them; what is not recognised is left for a person.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple

from metering.quantities import QUANTITIES, UTILITIES
from metering.units import conversion

_DEPTH: Final = 5
VALUE_NAMES: Final = ("value", "val", "v", "data")
"""Names of fields that hold the value of what is named beside or around them."""

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
"""Units by how they end a name, longest first."""

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
"""Quantities by words of a name without a unit, the more specific first."""

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
"""The quantity of a value in a unit: the first that the unit can be converted to."""

_SHORT: Final = {
    "u": "voltage_v",
    "v": "voltage_v",
    "i": "current_a",
    "a": "current_a",
    "p": "power_kw",
    "w": "power_kw",
}
"""Letters with a meaning only as the whole name, apart from the phase."""

_FIRST_PHASE: Final = (["l1"], ["1"], ["l", "1"])

_OUT: Final = frozenset({"export", "exported", "return", "returned", "ret", "reverse"})

_NUMBER_AND_UNIT = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)?\s*\*?\s*([^\s\d].*?)?\s*")


@dataclass(frozen=True, slots=True)
class GuessedPart:
    """A part of a mapping as written in the park file, and what was received there."""

    entry: dict[str, Any]
    heard: Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a record: its JMESPath, its descriptive name, itself, and the unit next to it, if any."""

    path: str
    name: str
    value: Any
    unit: str | None = None


def leaves_of(payload: bytes) -> list[Leaf]:
    """Values of a JSON object; none where it is no object."""
    try:
        return list(leaves_in(json.loads(payload)))
    except (ValueError, RecursionError):
        return []


class GuessedValues(NamedTuple):
    """Values by quantity, recognised by name and unit, and the unrecognised numbers by path."""

    known: dict[str, GuessedPart]
    others: dict[str, Any]


def values_of(leaves: Sequence[Leaf]) -> GuessedValues:
    """Recognise the values of a message.

    Where a counter is among them, quantities that its utility lacks are excluded.
    """
    values: dict[str, GuessedPart] = {}
    others: dict[str, Any] = {}
    for leaf in leaves:
        known = _quantity(leaf)
        if known is not None and known.quantity not in values and _is_conceivable(leaf.value, known):
            values[known.quantity] = GuessedPart({"path": leaf.path, **known.further}, leaf.value)
        elif is_numeric(leaf.value) or isinstance(leaf.value, list):  # of numbers
            others[leaf.path] = leaf.value
    fitting = [spec.quantities for spec in UTILITIES.values() if spec.counter in values]
    for name in [name for name in values if fitting and not any(name in quantities for quantities in fitting)]:
        part = values.pop(name)
        others[part.entry["path"]] = part.heard
    return GuessedValues(values, others)


def _is_conceivable(value: Any, known: "_Recognised") -> bool:
    """Whether a number is conceivable for the quantity: a radio's frequency is not that of the grid."""
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
    return _named(leaf) if is_numeric(leaf.value) else None


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
    """Whether a name ends with a unit; for a single letter, only after another word."""
    single = len(end) == 1 and len(end[0]) == 1
    return tuple(words[-len(end) :]) == end and len(words) > (1 if single else 0)


def snake(name: str) -> str:
    """A name in lower case with `_` between its words: `activePower-W` becomes `active_power_w`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.replace("³", "3"))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def leaves_in(content: Any, path: str = "", depth: int = 0, outer: str = "") -> Iterator[Leaf]:
    """Values of an object; one called `value` is named after its parent, with the unit next to it."""
    if not isinstance(content, dict) or depth > _DEPTH:
        return
    beside = next((content[key] for key in ("unit", "units") if isinstance(content.get(key), str)), None)
    for key, value in content.items():
        whole = f"{path}.{quoted(key)}" if path else quoted(key)
        held = key in VALUE_NAMES and outer
        if isinstance(value, dict):
            yield from leaves_in(value, whole, depth + 1, key)
        elif isinstance(value, list):
            if value and all(is_numeric(one) for one in value):
                yield Leaf(whole, key, value, beside if held else None)
        elif value is not None and not isinstance(value, bool):
            yield Leaf(whole, outer if held else key, value, beside if held else None)


def quoted(key: str) -> str:
    """A key quoted for JMESPath."""
    return key if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else json.dumps(key, ensure_ascii=False)


def is_numeric(value: Any) -> bool:
    """Whether a value is a number, or a text that is one."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"\s*[+-]?\d+([.,]\d+)?\s*", value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbered(name: str) -> Iterator[str]:
    """The name, then the name with the numbers from 2 on: for whoever needs one that is not taken yet."""
    yield name
    base = name.removesuffix("-1")
    yield from (f"{base}-{number}" for number in count(2))

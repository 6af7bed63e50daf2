"""The short forms of a park file and what they stand for.

`tenant`, `parent` and `role` of a meter are short for `belongs` with one entry without a beginning; `model`,
`registers`, `multiplier` and the other keys of a device are short for `instruments`. Next to a list, they are the
defaults of its entries. A dated `multiplier` is short for one device with several entries, and a plain value for a
dated list.

`written_out` turns the short forms of a parsed park file into the long ones, and `as_written` turns the path of a fault
in the long form back into that of the text.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from metering.dated import is_dated
from metering.instants import midnight_ms
from metering.meterlibrary import DRIVER_NAMES, library_model, library_names
from metering.yamllines import KeyPath, Lines

SHORT_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "belongs": ("tenant", "parent", "role"),
    "instruments": ("model", "serial", "registers", "multiplier", "multiplier_for", "sign", "accuracy_pct"),
}
"""By the list that they stand for: keys of a meter."""

_EDGES = ("from", "until")


def written_out(raw: dict[str, Any]) -> dict[str, Any]:
    """Give each meter of a parsed park file its long form; anything malformed is left to the models.

    The registers of a model go into its instruments, and dates become milliseconds in the time zone of the park. A
    driver's block of the newest instrument's model also applies to meters that have such a block. A meter serves what a
    block's `registers` name. A register written as null is left out.
    """
    meters, models = raw.get("meters"), raw.get("meter_models", {})
    if not isinstance(meters, list | tuple) or not isinstance(models, dict):
        return raw
    zone = _zone(raw)
    written = [meter_written_out(_with_what_is_read(meter)) if isinstance(meter, dict) else meter for meter in meters]
    models = _models(models, written)
    return raw | {
        "meter_models": models,
        "meters": [_whole(meter, models, zone) if isinstance(meter, dict) else meter for meter in written],
    }


def _models(own: dict[Any, Any], meters: list[Any]) -> dict[Any, Any]:
    """The models of the file, and those of the library that meters name."""
    named = {
        str(entry["model"])
        for meter in meters
        if isinstance(meter, dict) and isinstance(meter["instruments"], list)
        for entry in meter["instruments"]
        if isinstance(entry, dict) and "model" in entry
    }
    foreign = sorted(named - own.keys())
    library = {name: library_model(name) for name in foreign if name in library_names()}
    return {
        name: _with_what_is_read(model) if isinstance(model, dict) else model for name, model in (own | library).items()
    }


def _whole(meter: dict[str, Any], models: dict[Any, Any], zone: ZoneInfo) -> dict[str, Any]:
    meter = _in_ms(meter, zone)
    entries = meter["instruments"]
    if not isinstance(entries, list) or not entries:
        return meter
    newest = entries[-1]
    model = models.get(str(newest.get("model"))) if isinstance(newest, dict) else None
    if isinstance(model, dict):
        blocks = [driver for driver in DRIVER_NAMES if driver in meter and isinstance(model.get(driver), dict)]
        meter = meter | {driver: _over(model[driver], meter[driver]) for driver in blocks}
    left_out = {name for entry in entries if isinstance(entry, dict) for name in _nulls(entry.get("registers"))}
    meter = meter | {
        "instruments": [_with_model(entry, models) if isinstance(entry, dict) else entry for entry in entries]
    }
    return (
        meter
        if not left_out
        else meter
        | {driver: _without(meter[driver], left_out) for driver in DRIVER_NAMES if isinstance(meter.get(driver), dict)}
    )


def meter_written_out(raw: dict[str, Any]) -> dict[str, Any]:
    """Turn the short forms of one meter into lists; a meter in its long form stays as it is."""
    if raw.keys().isdisjoint(_SHORT) and raw.keys() >= SHORT_FORMS.keys():
        return raw
    meter = {key: value for key, value in raw.items() if key not in _SHORT}
    for key, short in SHORT_FORMS.items():
        every = {name: raw[name] for name in short if name in raw}
        meter[key] = _entries(raw.get(key), every)
    _share_edges(meter)
    return meter


_SHORT = frozenset(name for names in SHORT_FORMS.values() for name in names)


def _entries(listed: Any, every: dict[str, Any]) -> Any:
    if listed is not None:
        whole = isinstance(listed, list | tuple)
        return [_filled(entry, every) for entry in listed] if whole else listed
    ratios = every.get("multiplier")
    if not is_dated(ratios) or not ratios:
        return [every]
    return [_with_ratio(every, ratio, first=place == 0) for place, ratio in enumerate(ratios)]


def _filled(entry: Any, every: dict[str, Any]) -> Any:
    if not isinstance(entry, dict):
        return entry
    filled = {**every, **entry}
    if isinstance(every.get("registers"), dict) and "registers" in entry:
        filled["registers"] = _over(every["registers"], entry["registers"])
    return filled


def _with_ratio(every: dict[str, Any], ratio: Any, *, first: bool) -> dict[str, Any]:
    """An instrument from an entry of a dated multiplier."""
    if not isinstance(ratio, dict):
        return every | {"multiplier": ratio}
    rest = {key: value for key, value in ratio.items() if key != "value"}
    return every | rest | {"multiplier": ratio.get("value")} | ({} if first else {"continues": True})


def _share_edges(meter: dict[str, Any]) -> None:
    """Default dates: a point has those of its owners; owners and devices have those of the point."""
    for key, place in zip(_EDGES, (0, -1), strict=True):
        for name in SHORT_FORMS:
            entries = meter[name]
            if not isinstance(entries, list) or not entries or not isinstance(entries[place], dict):
                continue
            if key not in meter and key in entries[place] and name == "belongs":
                meter[key] = entries[place][key]
            elif key in meter and key not in entries[place]:
                entries[place] = entries[place] | {key: meter[key]}


def _in_ms(meter: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    for entries in ([meter], *(meter[name] for name in SHORT_FORMS)):
        if isinstance(entries, list):
            for entry in entries:
                if isinstance(entry, dict):
                    for key in _EDGES:
                        if key in entry:
                            entry[key] = _midnight(entry[key], zone)
    return meter


def _midnight(written: Any, zone: ZoneInfo) -> Any:
    try:
        return midnight_ms(date.fromisoformat(written), zone) if len(written) == len("2026-11-27") else written
    except (TypeError, ValueError, OverflowError):
        return written


def _with_model(entry: dict[str, Any], models: dict[Any, Any]) -> dict[str, Any]:
    model, own = models.get(str(entry.get("model"))), entry.get("registers", {})
    shared = model.get("registers") if isinstance(model, dict) else None
    registers = _over(shared, own) if isinstance(shared, dict) else own
    left_out = _nulls(registers)
    if left_out:
        registers = {name: register for name, register in registers.items() if name not in left_out}
    return entry | {"registers": registers}


def _nulls(registers: Any) -> set[str]:
    named = registers.items() if isinstance(registers, dict) and None in registers.values() else ()
    return {name for name, register in named if register is None}


def _without(block: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    registers = block.get("registers")
    if not isinstance(registers, dict):
        return block
    return block | {"registers": {name: place for name, place in registers.items() if name not in left_out}}


def _with_what_is_read(served: dict[str, Any]) -> dict[str, Any]:
    """A meter or model with a register for each quantity that a driver's block names."""
    own = served.get("registers", {})
    read: dict[str, Any] = {}
    for driver in DRIVER_NAMES:
        block = served.get(driver)
        if isinstance(block, dict) and isinstance(block.get("registers"), dict):
            read |= {name: {} for name in block["registers"]}
    return served | {"registers": {**read, **own}} if read and isinstance(own, dict) else served


def _over(shared: dict[str, Any], own: Any) -> Any:
    """The meter's own values merged over those of its model, key by key."""
    if not isinstance(own, dict):
        return own
    both = {key: _over(value, own[key]) for key, value in shared.items() if key in own and isinstance(value, dict)}
    return {**shared, **own, **both}


def _zone(raw: dict[str, Any]) -> ZoneInfo:
    park = raw.get("park")
    try:
        return ZoneInfo(park["timezone"]) if isinstance(park, dict) else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, KeyError, TypeError, ValueError, OSError):
        return ZoneInfo("UTC")  # the fault is reported; the dates are only needed to find others


def as_written(path: KeyPath, lines: Lines) -> KeyPath:
    """The path in the text of what the long form has at `path`."""
    match path:
        case ("meters", int(), ("belongs" | "instruments") as name, int(), *_):
            return _short(path, str(name), lines)
        case _:
            return _plain(path, lines)


def _short(path: KeyPath, name: str, lines: Lines) -> KeyPath:
    meter, place, rest = path[:2], path[3], path[4:]
    if lines.has((*meter, name)):
        own = rest and not lines.has((*path[:4], *rest[:2]))
        return (*meter, *rest) if own and lines.has((*meter, *rest[:2])) else path
    if name == "instruments" and rest and lines.has((*meter, "multiplier", place)):
        if rest[0] == "multiplier":
            return (*meter, "multiplier", place, "value", *rest[1:])
        if rest[0] in {*_EDGES, "source"}:
            return (*meter, "multiplier", place, *rest)
    return (*meter, *rest)


def _plain(path: KeyPath, lines: Lines) -> KeyPath:
    """Leave out the first entry of a dated list where the text has a plain value."""
    for step in range(len(path) - 1):
        if path[step : step + 2] == (0, "value") and not any(
            lines.has((*path[: step + 1], key)) for key in ("value", *_EDGES)
        ):
            return _plain((*path[:step], *path[step + 2 :]), lines)
    return path

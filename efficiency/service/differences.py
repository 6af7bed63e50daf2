"""The first instant at which two versions of dated data, given as JSON, differ.

Entries with the same meaning are equal, however they are split: after the end of the last entry nothing holds, just as
where there is no entry. The source is ignored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from efficiency.usage.intervals import ALWAYS_AFTER, ALWAYS_BEFORE
from metering.instants import midnight_ms

PlainEntry = Mapping[str, Any]
_DATED = ("from", "until")
_NOT_SAID = {*_DATED, "source"}


def ms_of(day: date, zone: ZoneInfo) -> int:
    """Start of a local day, ms; `date.max` means never."""
    return ALWAYS_AFTER if day == date.max else midnight_ms(day, zone)


def first_day(old: Sequence[PlainEntry], new: Sequence[PlainEntry]) -> date:
    """First day on which two dated lists differ; `date.max` for none."""
    days = {date.min, *(date.fromisoformat(entry[key]) for entry in (*old, *new) for key in _DATED if entry.get(key))}
    return next((day for day in sorted(days) if _on(old, day) != _on(new, day)), date.max)


def _on(entries: Sequence[PlainEntry], day: date) -> PlainEntry | None:
    for entry in reversed(entries):
        if date.fromisoformat(entry["from"]) <= day:
            until = entry.get("until")
            open_ = until is None or day < date.fromisoformat(until)
            return {key: value for key, value in entry.items() if key not in _NOT_SAID} if open_ else None
    return None


def first_place(old: Sequence[Sequence[Any]], new: Sequence[Sequence[Any]]) -> int:
    """The first instant (ms) at which two lists of places (start, end, what holds) differ."""

    def at(places: Sequence[Sequence[Any]], ms: int) -> Any:
        return next((each[2:] for each in places if each[0] <= ms < each[1]), None)

    cuts = (edge for place in (*old, *new) for edge in place[:2])
    return _first(cuts, lambda ms: at(old, ms) != at(new, ms))


def first_of_tenant(old: PlainEntry, new: PlainEntry, zone: ZoneInfo) -> int:
    """The first instant (ms) at which a tenant's metering points (`points`) or one of its dated values differ."""

    def at(points: Sequence[Sequence[Any]], ms: int) -> list[Any]:
        return [[meter, *_plain(belonging)] for meter, belonging in points if _holds(belonging, ms)]

    before, after = old.get("points", []), new["points"]
    points = _first(_edges(each[1] for each in (*before, *after)), lambda ms: at(before, ms) != at(after, ms))
    one, other = _lists(old), _lists(new)
    days = [first_day(one.get(key, []), other.get(key, [])) for key in one.keys() | other.keys()]
    return min(points, ms_of(min(days, default=date.max), zone))


def _lists(content: PlainEntry) -> dict[str, Sequence[PlainEntry]]:
    """The dated lists of a tenant and of its contract, by name."""
    found: dict[str, Sequence[PlainEntry]] = {key: value for key, value in content.items() if isinstance(value, list)}
    contract = {f"contract.{key}": value for key, value in (content.get("contract") or {}).items()}
    return {key: value for key, value in {**found, **contract}.items() if key != "points"}


def first_of_balance(old: Sequence[Sequence[Any]], new: Sequence[Sequence[Any]]) -> int:
    """The first instant (ms) at which a main meter, or what is below it, differs.

    Each list begins with the main meter: its id, its classes (from, class, registers) and who has it. The meters below
    it follow, each with the entry that puts it there.
    """

    def at(content: Sequence[Sequence[Any]], ms: int) -> list[Any]:
        main, *below = content
        return [_meter_at(main, ms), *(_meter_at(each[1:], ms) for each in below if _holds(each[0], ms))]

    contents = [*old, *new]
    cuts = [since for each in contents for since, *_ in each[-2] if since is not None]
    cuts += _edges(entry for each in contents for entry in each[-1])
    return _first(cuts, lambda ms: at(old, ms) != at(new, ms))


def _meter_at(meter: Sequence[Any], ms: int) -> list[Any]:
    name, classes, belongs = meter
    measuring = [rest for since, *rest in classes if since is None or since <= ms]
    return [name, measuring[-1:], *(_plain(entry) for entry in belongs if _holds(entry, ms))]


def _plain(belonging: PlainEntry) -> list[Any]:
    return [value for key, value in sorted(belonging.items()) if key not in _DATED]


def _holds(entry: PlainEntry, ms: int) -> bool:
    since, until = entry["from"], entry["until"]
    return (since is None or since <= ms) and (until is None or ms < until)


def _edges(entries: Iterable[PlainEntry]) -> list[int]:
    return [entry[key] for entry in entries for key in _DATED if entry[key] is not None]


def _first(cuts: Iterable[int], differ: Callable[[int], bool]) -> int:
    return next((ms for ms in sorted({ALWAYS_BEFORE, *cuts}) if differ(ms)), ALWAYS_AFTER)

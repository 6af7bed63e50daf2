"""Points of `usage` as arrays: how they are compared with what the store holds, and written as lines.

The points of one meter are held by series; what has no value is NaN, rules are masks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from efficiency.usage.intervals import Bools, Floats, Span, Times
from efficiency.usage.quality import Rule
from efficiency.valuation.rows import BAND_NAMES, NUMBERS, Rows, ValuedPlace, rule_text

SeriesKey = tuple[str, str, str, str]
"""Tenant (empty where there is none), utility, role, band."""

Combined = NDArray[np.int64]
"""Masks of `Rule` of a point, or `SUPERSEDED`."""

SUPERSEDED = 2**40
"""Mask of a point that no longer holds but could not be deleted; no rule has it."""
_SUPERSEDED_TEXT = "superseded"
_RULES = {rule.name.lower(): int(rule) for rule in Rule if rule.name}
_COMPLETENESS = NUMBERS.index("completeness")
_WORTH = [NUMBERS.index(name) for name in ("amount", "cost_vnd", "co2e_kg", "toe")]


@dataclass(frozen=True, slots=True)
class Content:
    """Points of one series: `start` (ms, ascending), `numbers` (points, NUMBERS), `rules` (masks)."""

    start: Times
    numbers: Floats
    rules: Combined

    def where(self, chosen: Bools | NDArray[np.intp] | slice) -> "Content":
        """Some of the points."""
        return Content(self.start[chosen], self.numbers[chosen], self.rules[chosen])

    def within(self, span: Span) -> "Content":
        """Those that start in a span."""
        first, last = np.searchsorted(self.start, (span.start, span.end))
        return self.where(slice(int(first), int(last)))


@dataclass(frozen=True, slots=True)
class StoredUsage:
    """Points of one meter that are in the store, or are to be written."""

    content: Mapping[SeriesKey, Content] = field(default_factory=dict)

    def within(self, span: Span) -> "StoredUsage":
        """Those that start in a span."""
        cut = {key: content.within(span) for key, content in self.content.items()}
        return StoredUsage({key: content for key, content in cut.items() if len(content.start)})


def points_of(rows: Iterable[tuple[ValuedPlace, Rows]]) -> StoredUsage:
    """What the store must hold of a meter: rows by the series that they belong to."""
    found: dict[SeriesKey, list[Content]] = {}
    for place, each in rows:
        whole = Content(each.start, each.numbers, each.rules.astype(np.int64))
        for number, band in enumerate(BAND_NAMES):
            of_band = np.flatnonzero(each.band == number)
            if len(of_band):
                key = (place.tenant or "", place.utility, place.role, band)
                found.setdefault(key, []).append(whole.where(of_band))
    return StoredUsage({key: _joined(parts) for key, parts in found.items()})


def _joined(parts: Sequence[Content]) -> Content:
    if len(parts) == 1:
        return parts[0]
    return Content(
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.rules for part in parts]),
    )


class Difference:
    """What must be written so that the store holds `after` where it holds `before`."""

    def __init__(self, before: StoredUsage, after: Mapping[SeriesKey, Content]) -> None:
        self.before = before.content
        self.after = after
        self.changed: dict[SeriesKey, Bools] = {}
        self.lost: dict[SeriesKey, Bools] = {}
        """Points that lose a number, which overwriting cannot take away."""
        self._worth_changed: dict[SeriesKey, Bools] = {}
        for key, content in after.items():
            self._compare(key, content, self.before.get(key))

    def _compare(self, key: SeriesKey, new: Content, old: Content | None) -> None:
        size = len(new.start)
        if old is None or not len(old.start):
            self.changed[key] = self._worth_changed[key] = np.ones(size, dtype=np.bool_)
            self.lost[key] = np.zeros(size, dtype=np.bool_)
            return
        place = np.minimum(np.searchsorted(old.start, new.start), len(old.start) - 1)
        there = old.start[place] == new.start
        numbers, missing = old.numbers[place], np.isnan(new.numbers)
        unequal = (numbers != new.numbers) & ~(np.isnan(numbers) & missing)
        self.changed[key] = ~there | unequal.any(axis=1) | (old.rules[place] != new.rules)
        self._worth_changed[key] = ~there | unequal[:, _WORTH].any(axis=1)
        self.lost[key] = there & (missing & ~np.isnan(numbers)).any(axis=1)

    @cached_property
    def gone(self) -> dict[SeriesKey, Content]:
        """Points that must go."""
        found: dict[SeriesKey, Content] = {}
        for key, old in self.before.items():
            new = self.after.get(key)
            held = old.rules != SUPERSEDED
            gone = old.where(held if new is None else held & ~np.isin(old.start, new.start))
            if len(gone.start):
                found[key] = gone
        return found

    @property
    def leaving(self) -> list[int]:
        """Starts of the points that cannot just be overwritten."""
        starts = [content.start for content in self.gone.values()]
        starts += [self.after[key].start[lost] for key, lost in self.lost.items()]
        return [int(start) for each in starts for start in each]

    def starts(self) -> dict[str, Times]:
        """Starts of what changes by the tenant who has, or had, the point then (empty where none): ascending."""
        found: dict[str, list[Times]] = {}
        for key, content in self.after.items():
            found.setdefault(key[0], []).append(content.start[self.changed[key]])
        for key, content in self.gone.items():
            found.setdefault(key[0], []).append(content.start)
        every = {tenant: np.unique(np.concatenate(starts)) for tenant, starts in found.items()}
        return {tenant: starts for tenant, starts in every.items() if len(starts)}

    def revised(self, now_ms: int) -> dict[SeriesKey, Times]:
        """`now_ms` for points whose worth changes after they had been complete, else 0."""
        whole = [old.start[old.numbers[:, _COMPLETENESS] == 1] for old in self.before.values()]
        complete = np.concatenate(whole) if whole else np.empty(0, dtype=np.int64)
        found: dict[SeriesKey, Times] = {}
        for key, content in self.after.items():
            since = np.zeros(len(content.start), dtype=np.int64)
            if len(complete):
                since[self.changed[key] & self._worth_changed[key] & np.isin(content.start, complete)] = now_ms
            found[key] = since
        return found

    def overwriting(self) -> dict[SeriesKey, Content]:
        """`after` for a store that does not delete: a number that is lost becomes zero; so does all that is gone."""
        found = dict(self.after)
        for key, lost in self.lost.items():
            if lost.any():
                new, old = self.after[key], self.before[key]
                place = np.minimum(np.searchsorted(old.start, new.start), len(old.start) - 1)
                fill = lost[:, np.newaxis] & np.isnan(new.numbers) & ~np.isnan(old.numbers[place])
                found[key] = Content(new.start, np.where(fill, 0.0, new.numbers), new.rules)
        return found


def zeros(content: Content) -> Content:
    """Points that no longer hold, for a store that does not delete."""
    numbers = np.where(np.isnan(content.numbers), np.nan, 0.0)
    return Content(content.start, numbers, np.full(len(content.start), SUPERSEDED))


def lines_of(prefix: str, content: Content, revised: Times) -> list[str]:
    """Lines of line protocol, for points of one series; `revised` is left out where it is 0."""
    there = np.isfinite(content.numbers)
    pattern = there @ (1 << np.arange(len(NUMBERS))) * 2 + (revised > 0)
    rules = {mask: text_of(mask) for mask in set(content.rules.tolist())}
    text = prefix.replace("%", "%%")
    lines: list[str] = []
    kinds = set(pattern.tolist())
    for kind in sorted(kinds):
        part = slice(None) if len(kinds) == 1 else np.flatnonzero(pattern == kind)
        present = [number for number in range(len(NUMBERS)) if kind >> (number + 1) & 1]
        fields = "".join(f"{NUMBERS[number]}=%s," for number in present)
        columns = [_texts(content.numbers[part, number]) for number in present]
        columns.append([rules[mask] for mask in content.rules[part].tolist()])
        since = ""
        if kind & 1:
            since = ",revised=%si"
            columns.append(revised[part].tolist())
        columns.append(content.start[part].tolist())
        lines.extend(map(f'{text} {fields}rule="%s"{since} %s000000'.__mod__, zip(*columns, strict=True)))
    return lines


def _texts(numbers: Floats) -> list[str]:
    """Shortest texts that read back as the same numbers, which must be finite; pydantic's core is quick at that."""
    return to_json(numbers.tolist())[1:-1].decode().split(",")


def text_of(mask: int) -> str:
    """Rules as they are stored."""
    return _SUPERSEDED_TEXT if mask == SUPERSEDED else rule_text(mask)


@lru_cache(maxsize=4096)
def mask_of(text: str) -> int:
    """Rules as they are stored, read back; -1 for what no rule is called."""
    if text == _SUPERSEDED_TEXT:
        return SUPERSEDED
    mask = 0
    for name in text.split(",") if text else ():
        mask |= _RULES.get(name, -1)
    return mask

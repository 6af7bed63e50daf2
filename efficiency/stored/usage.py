"""Points of `usage` as arrays: compared with what is stored, and turned into lines to write.

The points of one meter are grouped by series; a missing value is NaN, rules are masks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic_core import to_json

from efficiency.usage.intervals import Bools, Floats, Span, Times
from efficiency.usage.quality import Rule
from efficiency.valuation.rows import (
    AMOUNT,
    CO2E,
    COMPLETENESS,
    COST,
    NUMBERS,
    TOE,
    PlacedRows,
    Rows,
    ValuedPlace,
    rule_text,
)


class SeriesKey(NamedTuple):
    """What identifies the series of a meter; `tenant` is empty where there is none."""

    tenant: str
    utility: str
    role: str
    band: str

    @classmethod
    def of(cls, place: ValuedPlace, band: str) -> Self:
        """The series of a band of a meter that has this place in the park."""
        return cls(place.tenant or "", place.utility, place.role, band)


SUPERSEDED = 2**40
"""Mask of an obsolete point that the database could not delete; no rule has this bit."""
_SUPERSEDED_TEXT = "superseded"
_RULES = {rule.name.lower(): int(rule) for rule in Rule if rule.name}
WORTH = [AMOUNT, COST, CO2E, TOE]
"""Columns whose change counts as a revision."""


@dataclass(frozen=True, slots=True)
class StoredUsage:
    """Rows of one meter, stored or to be written, by series."""

    series: Mapping[SeriesKey, Rows] = field(default_factory=dict)

    def within(self, span: Span) -> "StoredUsage":
        """Those that start in a span."""
        cut = {key: rows.within(span) for key, rows in self.series.items()}
        return StoredUsage({key: rows for key, rows in cut.items() if len(rows.start)})

    def with_part(self, span: Span, part: "StoredUsage") -> "StoredUsage":
        """A copy with `part` in place of all rows that start in a span."""
        found = {}
        for key in {**self.series, **part.series}:
            pieces = [part.series[key]] if key in part.series else []
            if (own := self.series.get(key)) is not None:
                first, last = np.searchsorted(own.start, (span.start, span.end)).tolist()
                pieces = [*([own.where(slice(first))] if first else []), *pieces]
                pieces += [own.where(slice(last, None))] if last < len(own.start) else []
            if pieces:
                found[key] = joined(pieces)
        return StoredUsage(found)

    def with_row(self, key: SeriesKey, row: Rows) -> "StoredUsage":
        """A copy with one row added to a series, or in place of the row that starts at the same time."""
        own = self.series.get(key)
        if own is None or not len(own.start):
            return StoredUsage({**self.series, key: row})
        start = int(row.start[0])
        first, last = (int(np.searchsorted(own.start, ms)) for ms in (start, start + 1))
        pieces = [own.where(slice(first)), row, own.where(slice(last, None))]
        return StoredUsage({**self.series, key: joined([piece for piece in pieces if len(piece.start)])})


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """Rows of many series: the meter and series of each, and when it was revised (ms; 0 for never)."""

    meters: Sequence[str]
    keys: Sequence[SeriesKey]
    rows: Rows
    revised: Times

    @classmethod
    def of_one(cls, meter: str, key: SeriesKey, rows: Rows, revised: Times | None = None) -> "SeriesRows":
        """Rows of one series."""
        size = len(rows.start)
        since = np.zeros(size, dtype=np.int64) if revised is None else revised
        return cls([meter] * size, [key] * size, rows, since)

    @classmethod
    def joined(cls, some: Sequence["SeriesRows"]) -> "SeriesRows":
        """All of them, one after the other."""
        return cls(
            [meter for each in some for meter in each.meters],
            [key for each in some for key in each.keys],
            joined([each.rows for each in some]),
            np.concatenate([each.revised for each in some]),
        )

    def by_tenant(self) -> "dict[str, SeriesRows]":
        """The rows by tenant."""
        found = {}
        places: dict[str, list[int]] = {}
        for place, key in enumerate(self.keys):
            places.setdefault(key.tenant, []).append(place)
        for tenant, some in places.items():
            chosen = np.array(some)
            meters, keys = [self.meters[place] for place in some], [self.keys[place] for place in some]
            found[tenant] = SeriesRows(meters, keys, self.rows.where(chosen), self.revised[chosen])
        return found


def usage_of_rows(rows: Iterable[PlacedRows]) -> StoredUsage:
    """The rows of a meter by series."""
    found: dict[SeriesKey, list[Rows]] = {}
    for place, band, each in rows:
        found.setdefault(SeriesKey.of(place, band), []).append(each)
    return StoredUsage({key: joined(parts) for key, parts in found.items()})


def joined(parts: Sequence[Rows]) -> Rows:
    """All of them, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.rules for part in parts]),
    )


class Difference:
    """What must be written to turn the stored `before` into `after`."""

    def __init__(self, before: StoredUsage, after: Mapping[SeriesKey, Rows]) -> None:
        self.before = before.series
        self.after = after
        self.changed: dict[SeriesKey, Bools] = {}
        self.lost: dict[SeriesKey, Bools] = {}
        """Points that lose a number: overwriting cannot clear a field."""
        self._worth_changed: dict[SeriesKey, Bools] = {}
        for key, rows in after.items():
            self._compare(key, rows, self.before.get(key))

    def _compare(self, key: SeriesKey, new: Rows, old: Rows | None) -> None:
        size = len(new.start)
        if old is None or not len(old.start):
            self.changed[key] = self._worth_changed[key] = np.ones(size, dtype=np.bool_)
            self.lost[key] = np.zeros(size, dtype=np.bool_)
            return
        place = np.minimum(np.searchsorted(old.start, new.start), len(old.start) - 1)
        there = old.start[place] == new.start
        numbers, missing = old.numbers[place], np.isnan(new.numbers)
        differs = unequal(numbers, new.numbers)
        self.changed[key] = ~there | differs.any(axis=1) | (old.rules[place] != new.rules)
        self._worth_changed[key] = ~there | differs[:, WORTH].any(axis=1)
        self.lost[key] = there & (missing & ~np.isnan(numbers)).any(axis=1)

    @cached_property
    def gone(self) -> dict[SeriesKey, Rows]:
        """Points to delete."""
        found: dict[SeriesKey, Rows] = {}
        for key, old in self.before.items():
            new = self.after.get(key)
            held = old.rules != SUPERSEDED
            gone = old.where(held if new is None else held & ~_among(old.start, new.start))
            if len(gone.start):
                found[key] = gone
        return found

    @property
    def leaving(self) -> list[int]:
        """Starts of the points that cannot simply be overwritten."""
        starts = [rows.start for rows in self.gone.values()]
        starts += [self.after[key].start[lost] for key, lost in self.lost.items()]
        return [int(start) for each in starts for start in each]

    def starts(self) -> dict[str, Times]:
        """Starts of what changes, ascending, by the tenant who has or had the point (empty for none)."""
        found: dict[str, list[Times]] = {}
        for key, rows in self.after.items():
            found.setdefault(key.tenant, []).append(rows.start[self.changed[key]])
        for key, rows in self.gone.items():
            found.setdefault(key.tenant, []).append(rows.start)
        every = {tenant: np.unique(np.concatenate(starts)) for tenant, starts in found.items()}
        return {tenant: starts for tenant, starts in every.items() if len(starts)}

    def revised(self, now_ms: int) -> dict[SeriesKey, Times]:
        """`now_ms` for points that were complete and whose value changes, else 0."""
        whole = [old.start[old.numbers[:, COMPLETENESS] == 1] for old in self.before.values()]
        complete = np.concatenate(whole) if whole else np.empty(0, dtype=np.int64)
        found: dict[SeriesKey, Times] = {}
        for key, rows in self.after.items():
            since = np.zeros(len(rows.start), dtype=np.int64)
            if len(complete):
                since[self.changed[key] & self._worth_changed[key] & _among(rows.start, np.sort(complete))] = now_ms
            found[key] = since
        return found

    def overwriting(self) -> dict[SeriesKey, Rows]:
        """`after` for a store that cannot delete: a lost number becomes zero."""
        found = dict(self.after)
        for key, lost in self.lost.items():
            if lost.any():
                new, old = self.after[key], self.before[key]
                place = np.minimum(np.searchsorted(old.start, new.start), len(old.start) - 1)
                fill = lost[:, np.newaxis] & np.isnan(new.numbers) & ~np.isnan(old.numbers[place])
                found[key] = Rows(new.start, np.where(fill, 0.0, new.numbers), new.rules)
        return found


def unequal(one: Floats, other: Floats) -> Bools:
    """Where numbers differ; unknown equals unknown."""
    return np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))


def _among(values: Times, ascending: Times) -> Bools:
    """Whether each value is one of some ascending numbers; for few numbers, ten times as fast as `np.isin`."""
    if not len(ascending):
        return np.zeros(len(values), dtype=np.bool_)
    return np.asarray(ascending[np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)] == values)


def zeros(rows: Rows) -> Rows:
    """Obsolete points for a store that cannot delete: zeros, marked as superseded."""
    numbers = np.where(np.isnan(rows.numbers), np.nan, 0.0)
    return Rows(rows.start, numbers, np.full(len(rows.start), SUPERSEDED))


def lines_of(prefixes: Sequence[str], rows: Rows, revised: Times) -> list[str]:
    """Lines of line protocol; `prefixes` has the series part of each row. `revised` is left out if it is 0."""
    there = np.isfinite(rows.numbers)
    pattern = there @ (1 << np.arange(len(NUMBERS))) * 2 + (revised > 0)
    rules = {mask: text_of(mask) for mask in set(rows.rules.tolist())}
    lines: list[str] = []
    for kind in sorted(set(pattern.tolist())):
        part = np.flatnonzero(pattern == kind)
        present = [number for number in range(len(NUMBERS)) if kind >> (number + 1) & 1]
        fields = "".join(f"{NUMBERS[number]}=%s," for number in present)
        columns: list[list[Any]] = [[prefixes[place] for place in part.tolist()]]
        columns += [_texts(rows.numbers[part, number]) for number in present]
        columns.append([rules[mask] for mask in rows.rules[part].tolist()])
        since = ""
        if kind & 1:
            since = ",revised=%si"
            columns.append(revised[part].tolist())
        columns.append(rows.start[part].tolist())
        lines.extend(map(f'%s {fields}rule="%s"{since} %s000000'.__mod__, zip(*columns, strict=True)))
    return lines


def _texts(numbers: Floats) -> list[str]:
    """The shortest texts that read back as the same numbers, which must be finite; pydantic_core makes them fast."""
    return to_json(numbers.tolist())[1:-1].decode().split(",")


def text_of(mask: int) -> str:
    """A mask of rules as stored text."""
    return _SUPERSEDED_TEXT if mask == SUPERSEDED else rule_text(mask)


@lru_cache(maxsize=4096)
def mask_of(text: str) -> int:
    """The mask of a stored text; -1 for an unknown name."""
    if text == _SUPERSEDED_TEXT:
        return SUPERSEDED
    mask = 0
    for name in text.split(",") if text else ():
        mask |= _RULES.get(name, -1)
    return mask

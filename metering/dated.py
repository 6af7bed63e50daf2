"""Values that change with time: one mechanism for everything that figures depend on.

In the park file such a value is either plain, and always holds, or a list of entries, oldest first. An entry holds from
the start of its `from` day (local time of the park) until the next entry begins or, where it is given, until the start
of its `until` day. A gap, an overlap or a wrong order is a fault of the park file. Prices, factors and limits must name
their source (`Sourced`); what tenants state about themselves may (`HistoryEntry`).
"""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from metering.instants import Span, midnight_ms
from metering.model import Model, NotNegative


class Dated(Model):
    """The fields of every dated entry; without `from` it has always held."""

    since: date = Field(date.min, alias="from")
    until: date | None = None
    source: str = ""


class Sourced(Dated):
    """An entry that must have a beginning and name its source."""

    since: date = Field(alias="from")
    source: str = Field(min_length=1)


class DatedValue(Sourced):
    """A number that may be zero, such as a price."""

    value: NotNegative


class DatedLimit(Sourced):
    """A permitted range; at least one side is given."""

    low: float | None = None
    high: float | None = None


V = TypeVar("V")


class HistoryEntry(Dated, Generic[V]):
    """A value of any kind that holds for a time."""

    value: V


D = TypeVar("D", bound=Dated)


def is_dated(raw: Any) -> bool:
    """Whether the park file has a list of dated entries there, rather than a plain value."""
    return isinstance(raw, list) and (
        not raw or any(isinstance(entry, dict) and ("from" in entry or "value" in entry) for entry in raw)
    )


def _entries(raw: Any) -> Any:
    if is_dated(raw) or (isinstance(raw, tuple) and all(isinstance(entry, Dated) for entry in raw)):
        return raw
    return [{"value": raw}]


def _readable(since: date) -> str:
    return "since ever" if since == date.min else f"from {since}"


def _in_order(entries: Sequence[D]) -> Sequence[D]:
    for earlier, later in itertools.pairwise(entries):
        if later.since == date.min:
            raise ValueError("only the first entry may leave `from` out")
        if later.since <= earlier.since:
            raise ValueError(
                f"the entry from {later.since} must come before the one from {earlier.since}: oldest first, one a day"
            )
        if earlier.until is not None and earlier.until > later.since:
            raise ValueError(
                f"the entries {_readable(earlier.since)} and {later.since} overlap: end the first by {later.since}"
            )
        if earlier.until is not None and earlier.until < later.since:
            raise ValueError(f"nothing holds between {earlier.until} and {later.since}: close the gap")
    if entries and entries[-1].until is not None and entries[-1].until <= entries[-1].since:
        raise ValueError(f"the entry from {entries[-1].since} ends before it begins")
    return entries


in_order = AfterValidator(_in_order)
Values = Annotated[tuple[DatedValue, ...], in_order]
Limits = Annotated[tuple[DatedLimit, ...], in_order]
plain_or_dated = BeforeValidator(_entries)
"""With `in_order`: the park file has a plain value or a dated list, the model a tuple of entries."""
Amounts = Annotated[tuple[HistoryEntry[NotNegative], ...], plain_or_dated, in_order]


def at(entries: Sequence[D], day: date) -> D | None:
    """The entry that holds on `day`, or None where there is none."""
    for entry in reversed(entries):
        if entry.since <= day:
            return entry if entry.until is None or day < entry.until else None
    return None


def value_on(entries: Sequence[HistoryEntry[V]], day: date) -> V | None:
    """The value that holds on `day`, or None where there is none."""
    entry = at(entries, day)
    return None if entry is None else entry.value


def edges(entries: Sequence[D], span: Span, zone: ZoneInfo) -> tuple[int, ...]:
    """Instants (ms) inside `span`, not its start, at which another entry begins or one ends without a successor."""
    days = [entry.since for entry in entries]
    if entries and entries[-1].until is not None:
        days.append(entries[-1].until)
    instants = [midnight_ms(day, zone) for day in days]
    return tuple(ms for ms in instants if span.start < ms < span.end)


def entries_between(entries: Sequence[D], first: date, end: date) -> list[D | None]:
    """The entries that hold on the days from `first` up to but not including `end`; None for days without one."""
    days = {first, *(entry.since for entry in entries), *(entry.until for entry in entries if entry.until)}
    return [at(entries, day) for day in sorted(days) if first <= day < end]

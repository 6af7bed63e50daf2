"""Data that changes with time and must say where it comes from: prices, factors, limits, multipliers.

An entry holds from the start of its `from` day (local time of the park) until the next entry begins or, where it is
given, until the start of its `until` day. A gap, an overlap or a wrong order is a fault of the park file.
"""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from metering.model import Model, NotNegative, Positive


class Dated(Model):
    """What every dated entry has."""

    since: date = Field(alias="from")
    until: date | None = None
    source: str = Field(min_length=1)


class DatedValue(Dated):
    """A number that may be zero, such as a price."""

    value: NotNegative


class DatedFactor(Dated):
    """A number that must be positive, such as a multiplier."""

    value: Positive


class DatedLimit(Dated):
    """A permitted range; at least one side is given."""

    low: float | None = None
    high: float | None = None


D = TypeVar("D", bound=Dated)


def _in_order(entries: Sequence[D]) -> Sequence[D]:
    for earlier, later in itertools.pairwise(entries):
        if later.since <= earlier.since:
            msg = f"the entry from {later.since} must come before the one from {earlier.since}: oldest first, one a day"
            raise ValueError(msg)
        if earlier.until is not None and earlier.until > later.since:
            msg = f"the entries from {earlier.since} and {later.since} overlap: end the first by {later.since}"
            raise ValueError(msg)
        if earlier.until is not None and earlier.until < later.since:
            msg = f"nothing holds between {earlier.until} and {later.since}: close the gap"
            raise ValueError(msg)
    if entries and entries[-1].until is not None and entries[-1].until <= entries[-1].since:
        msg = f"the entry from {entries[-1].since} ends before it begins"
        raise ValueError(msg)
    return entries


Values = Annotated[tuple[DatedValue, ...], AfterValidator(_in_order)]
Factors = Annotated[tuple[DatedFactor, ...], AfterValidator(_in_order)]
Limits = Annotated[tuple[DatedLimit, ...], AfterValidator(_in_order)]
in_order = AfterValidator(_in_order)


def at(entries: Sequence[D], day: date) -> D | None:
    """Return the entry that holds on `day`, or None where the park file says nothing."""
    for entry in reversed(entries):
        if entry.since <= day:
            return entry if entry.until is None or day < entry.until else None
    return None


def changes(entries: Sequence[D], first: date, last: date) -> Iterator[date]:
    """Yield the days after `first` up to `last` on which another entry begins."""
    yield from (entry.since for entry in entries if first < entry.since <= last)

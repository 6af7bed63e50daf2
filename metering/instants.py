"""Instants and spans throughout the product: whole milliseconds since the epoch, UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

FUTURE_MS = 5 * 60 * 1000
"""How far in the future a reading may lie by the ingester's clock; later ones are refused."""

QUARTER_MS = 900_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

ALWAYS_BEFORE = -(2**60)
"""Start of a span without a beginning."""
ALWAYS_AFTER = 2**60
"""End of a span without an end."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to but not including `end`, ms."""

    start: int
    end: int

    def outward(self) -> "Span":
        """The smallest span of whole quarter hours that contains this one."""
        return Span(self.start // QUARTER_MS * QUARTER_MS, -(-self.end // QUARTER_MS) * QUARTER_MS)

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share an instant."""
        return self.start < other.end and other.start < self.end

    def within(self, other: "Span") -> "Span":
        """The part that both share; for spans that overlap."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def cut(self, instants: Iterable[int]) -> "list[Span]":
        """The span, split at instants inside it."""
        return [Span(*each) for each in pairwise([self.start, *sorted({*instants}), self.end])]


EVER = Span(ALWAYS_BEFORE, ALWAYS_AFTER)


def milliseconds(instant: datetime) -> int:
    """Milliseconds since the epoch, exactly."""
    delta = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def local_time(ms: int, zone: ZoneInfo) -> datetime:
    """An instant in local time."""
    return datetime.fromtimestamp(ms / 1000, zone)


def local_day(ms: int, zone: ZoneInfo) -> date:
    """The local day that holds an instant; the first or last day there is for what lies beyond."""
    if not -_FAR_MS < ms < _FAR_MS:
        return date.min if ms < 0 else date.max
    return local_time(ms, zone).date()


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """Start of a local day, ms; `date.min` means "no beginning"."""
    return ALWAYS_BEFORE if day == date.min else milliseconds(datetime(day.year, day.month, day.day, tzinfo=zone))


_FAR_MS: Final = 2**47
_SECONDS_OF_2000: Final = 946_684_800
_SECONDS_OF_2100: Final = 4_102_444_800
_UNITS: Final = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


def unit_of(number: float) -> str | None:
    """Unit in which a number since the epoch lies between the years 2000 and 2100; None where there is none.

    The four ranges do not overlap, so `unit_of(1795150800)` can only be seconds.
    """
    return next((unit for unit, n in _UNITS.items() if _SECONDS_OF_2000 * n <= number < _SECONDS_OF_2100 * n), None)

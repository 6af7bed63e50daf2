"""Instants and local days of the plant, and chance that depends on nothing but a seed, a name and a day.

Instants are integer milliseconds since the epoch. A local day is a number, counted from 1 January 1970; the park's zone
must have no summer time (Viet Nam has none), so that every day has 1440 minutes.
"""

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MINUTES = 1440
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class LocalDays:
    """Which local day an instant belongs to."""

    offset_ms: int

    @classmethod
    def of(cls, zone: ZoneInfo, start: datetime) -> Self:
        """Days of a zone with the offset that it has at `start`."""
        offset = start.astimezone(zone).utcoffset() or timedelta(0)
        return cls(round(offset.total_seconds() * 1000))

    def day(self, ms: int) -> int:
        """Local day of an instant."""
        return (ms + self.offset_ms) // DAY_MS

    def start(self, day: int) -> int:
        """The instant at which a local day begins."""
        return day * DAY_MS - self.offset_ms


def date_of(day: int) -> date:
    """Calendar date of a local day."""
    return _EPOCH + timedelta(days=day)


def instant(ms: int) -> datetime:
    """The instant as a datetime in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def chance(seed: int, name: str, day: int) -> np.random.Generator:
    """Random numbers of one name on one local day; the same on every call and in every process."""
    return np.random.default_rng((seed, zlib.crc32(name.encode()), day))


def fraction(seed: int, name: str) -> float:
    """A number in [0, 1) that belongs to a name for good."""
    return float(chance(seed, name, 0).random())

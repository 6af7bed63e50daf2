"""Quarter hours in the park's local time (day, weekday, minute), and the dated data that holds then.

Built once for a window and shared by all meters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import DAY_MS, HOUR_MS, Bools, Floats, Span, Times, quarters_in
from metering.calendar import MINUTES_PER_DAY
from metering.dated import Dated
from metering.figures import Period
from metering.instants import midnight_ms
from metering.months import next_month
from metering.park import Park

_MONDAY_OFFSET = 3  # 1 January 1970 was a Thursday
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Quarter hours by their `start` (ms), with local `day` and `month` since 1970, `weekday` (Monday 0), `minute`.

    `cut_from`: the quarter hours that these are a part of, so that what was computed for them is reused.
    """

    start: Times
    day: Times
    month: Times
    weekday: Times
    minute: Times
    cut_from: "Cut | None" = None

    def __len__(self) -> int:
        return len(self.start)

    def cut(self, part: slice | NDArray[np.intp]) -> "Slots":
        """Some of the quarter hours."""
        return Slots(
            self.start[part],
            self.day[part],
            self.month[part],
            weekday=self.weekday[part],
            minute=self.minute[part],
            cut_from=Cut(self, part),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Some of other quarter hours."""

    whole: Slots
    part: slice | NDArray[np.intp]


def slots(start: Times, zone: ZoneInfo) -> Slots:
    """Local time of quarter hours."""
    hours, place = np.unique(start // HOUR_MS, return_inverse=True)
    offsets = np.array([_offset_ms(int(hour), zone) for hour in hours], dtype=np.int64)
    local = start + (offsets[place] if len(hours) else 0)
    day = local // DAY_MS
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return Slots(start, day, month, weekday=(day + _MONDAY_OFFSET) % 7, minute=local % DAY_MS // 60_000)


@lru_cache(maxsize=64)
def slots_over(span: Span, zone: ZoneInfo) -> Slots:
    """Local time of the quarter hours of a span, which all meters that are computed over it share."""
    return slots(quarters_in(span), zone)


def day_number(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - _EPOCH_ORDINAL


def day_of(number: int) -> date:
    """The day with this number since 1970."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


class EqualRun(NamedTuple):
    """The part of an array in which one number repeats."""

    number: int
    part: slice


def runs(numbers: Times) -> list[EqualRun]:
    """Parts of equal number, in order: the days of `Slots.day`, the months of `Slots.month`."""
    edges = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(numbers)]
    return [EqualRun(int(numbers[a]), slice(a, b)) for a, b in pairwise(edges) if a < b]


class MonthPart(NamedTuple):
    """The part of a span in one local month, numbered since 1970."""

    month: int
    span: Span


def months_of(span: Span, zone: ZoneInfo) -> list[MonthPart]:
    """The parts of a span of whole quarter hours in each local month that it reaches into."""
    if span.start >= span.end:
        return []
    first, last = slots(np.array([span.start, span.end - 1], dtype=np.int64), zone).month.tolist()
    cuts = [midnight_ms(month_start(month), zone) for month in range(first + 1, last + 1)]
    return [MonthPart(month, part) for month, part in zip(range(first, last + 1), span.cut(cuts), strict=True)]


def month_start(number: int) -> date:
    """The first day of the month with this number since 1970."""
    return date(1970 + number // 12, number % 12 + 1, 1)


def period_span(park: Park, period: Period, day: date) -> Span:
    """The day, or the month or year that holds it, in local time."""
    if period is Period.DAY:
        return Span(midnight_ms(day, park.zone), midnight_ms(day + timedelta(days=1), park.zone))
    first, until = day.replace(day=1), next_month(day)
    if period is Period.YEAR:
        first, until = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return Span(midnight_ms(first, park.zone), midnight_ms(until, park.zone))


@lru_cache(maxsize=4096)
def minutes_in(ranges: tuple[range, ...]) -> Bools:
    """Whether each minute of a local day lies in any of the ranges (see `Calendar.minutes`); not to be changed."""
    found = np.zeros(MINUTES_PER_DAY, dtype=np.bool_)
    for minutes in ranges:
        found[minutes.start : minutes.stop] = True
    found.flags.writeable = False
    return found


D = TypeVar("D", bound=Dated)


def on_days(entries: Sequence[D], value: Callable[[D], float], days: Times) -> Floats:
    """Value of the entry that holds on each local day; NaN where none does."""
    result = np.full(len(days), np.nan)
    for entry in entries:
        holds = days >= day_number(entry.since)
        result[holds] = value(entry)
        if entry.until is not None:
            result[days >= day_number(entry.until)] = np.nan
    return result


@lru_cache(maxsize=2**16)
def _offset_ms(hour: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)

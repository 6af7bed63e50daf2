"""Days of the week, times of the day, holidays and seasons as the park file writes them: `mon-sat`, `22:00` to `04:00`.

Everything is local time of the park. A window whose end is not after its start runs past midnight.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from metering.model import Localized, Model

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 1440
_LEAP_YEAR = 2024


def _parse_days(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if text == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        names = [first, last] if dash else [first, first]
        if any(name not in DAY_NAMES for name in names):
            raise ValueError(f"days are {', '.join(DAY_NAMES)}, ranges such as mon-sat, or daily")
        begin, end = (DAY_NAMES.index(name) for name in names)
        days.update(d % 7 for d in range(begin, end + 1 if end >= begin else end + 8))
    return frozenset(days)


def _parse_time(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and len(minutes) == 2):  # noqa: PLR2004 (as in 09:30)
        raise ValueError("a time of day is written HH:MM, in quotes")
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) >= 60 or minute > MINUTES_PER_DAY:  # noqa: PLR2004 (minutes of an hour)
        raise ValueError("a time of day lies between 00:00 and 24:00")
    return minute


class DayOfYear(NamedTuple):
    """A day that comes back each year."""

    month: int
    day: int


def _parse_day(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        if len(text) == len("04-30"):
            day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
            return DayOfYear(day.month, day.day)
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a day is written 2026-02-17, or 04-30 where it comes back each year") from None


Days = Annotated[frozenset[int], BeforeValidator(_parse_days)]
"""Days of the week, Monday is 0."""

MinuteOfDay = Annotated[int, Field(strict=True, ge=0, le=MINUTES_PER_DAY), BeforeValidator(_parse_time)]

CalendarDay = Annotated[date | DayOfYear, BeforeValidator(_parse_day)]
"""A date, or month and day of every year."""


class Window(Model):
    """A span of local time that recurs on certain days; it belongs to the day on which it starts.

    It does not start on holidays where `not_on` says so, and only in one `season` where it names one.
    """

    days: Days
    start: MinuteOfDay
    end: MinuteOfDay
    not_on: Literal["holidays"] | None = None
    season: str | None = None


class DayRange(Model):
    """From one day up to and including another (or that one day), in one year or in each."""

    first: CalendarDay = Field(alias="from")
    last: CalendarDay | None = Field(None, alias="to")

    def holds(self, day: date) -> bool:
        """Whether it includes a day."""
        last = self.first if self.last is None else self.last
        if isinstance(self.first, date) and isinstance(last, date):
            return self.first <= day <= last
        begin, end, found = _of_year(self.first), _of_year(last), _of_year(day)
        return begin <= found <= end if begin <= end else found >= begin or found <= end


def _of_year(day: date | DayOfYear) -> DayOfYear:
    return DayOfYear(day.month, day.day)


class Holiday(DayRange):
    """Days on which nobody works and that tariffs and shifts may treat differently."""

    name: Localized
    source: str = Field(min_length=1)


class Calendar(Model):
    """The park's holidays, and its seasons by a name of the park file's choosing."""

    holidays: tuple[Holiday, ...] = ()
    seasons: dict[str, DayRange] = Field(default_factory=dict)

    def __hash__(self) -> int:
        """By content, so that what follows from a calendar can be kept for it."""
        return hash((self.holidays, *sorted(self.seasons.items())))

    def holiday(self, day: date) -> Holiday | None:
        """The holiday on a day, if it is one."""
        return next((holiday for holiday in self.holidays if holiday.holds(day)), None)

    def starting(self, windows: Iterable[Window], day: date) -> tuple[Window, ...]:
        """Those of the windows that start on a day."""
        return tuple(window for window in windows if day.weekday() in window.days and self._held(window, day))

    def _held(self, window: Window, day: date) -> bool:
        if window.not_on is not None and self.holiday(day) is not None:
            return False
        return window.season is None or (window.season in self.seasons and self.seasons[window.season].holds(day))

    def minutes(self, windows: Iterable[Window], day: date) -> tuple[range, ...]:
        """The minutes of a local day in any of the windows; those of the evening before may reach into it."""
        windows = tuple(windows)
        before = (window for window in self.starting(windows, day - timedelta(days=1)) if window.start >= window.end)
        ranges = [range(window.end) for window in before]
        ranges += [
            range(window.start, window.end if window.start < window.end else MINUTES_PER_DAY)
            for window in self.starting(windows, day)
        ]
        return tuple(ranges)

    def covers(self, windows: Iterable[Window], day: date, minute: int) -> bool:
        """Whether a local minute (0..1439) of a day is in any of the windows."""
        return any(minute in minutes for minutes in self.minutes(windows, day))

"""Days of the week and times of the day as the park file writes them: `mon-sat`, `daily`, `22:00` to `04:00`.

Everything is local time of the park. A window whose end is not after its start runs past midnight.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from metering.model import Model

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 1440


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
            msg = f"days are {', '.join(DAY_NAMES)}, ranges such as mon-sat, or daily"
            raise ValueError(msg)
        begin, end = (DAY_NAMES.index(name) for name in names)
        days.update(d % 7 for d in range(begin, end + 1 if end >= begin else end + 8))
    return frozenset(days)


def _parse_time(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and len(minutes) == len("00")):
        msg = "a time of day is written HH:MM, in quotes"
        raise ValueError(msg)
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) >= len(range(60)) or minute > MINUTES_PER_DAY:
        msg = "a time of day lies between 00:00 and 24:00"
        raise ValueError(msg)
    return minute


Days = Annotated[frozenset[int], BeforeValidator(_parse_days)]
"""Days of the week, Monday is 0."""

MinuteOfDay = Annotated[int, Field(strict=True, ge=0, le=MINUTES_PER_DAY), BeforeValidator(_parse_time)]


class Window(Model):
    """A span of local time that recurs on certain days; belongs to the day on which it starts."""

    days: Days
    start: MinuteOfDay
    end: MinuteOfDay

    def covers(self, weekday: int, minute: int) -> bool:
        """Whether the local `minute` (0..1439) of `weekday` (Monday 0) lies inside."""
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        return (weekday in self.days and minute >= self.start) or ((weekday - 1) % 7 in self.days and minute < self.end)

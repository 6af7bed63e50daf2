"""Calendar months; each is known by its first day, and written as 2026-10."""

import re
from datetime import date

from metering.errors import OperatorError

MONTH_WRITTEN = "%Y-%m"
MONTH = re.compile(r"2\d{3}-(0[1-9]|1[0-2])")
_MONTHS = 12


def month_of(written: str) -> date:
    """The month that is written as 2026-10.

    Raises `OperatorError`.
    """
    if not MONTH.fullmatch(written):
        raise OperatorError(f"{written}: a month is written as in 2026-10")
    return date.fromisoformat(f"{written}-01")


def next_month(day: date) -> date:
    """The month after the one that holds a day."""
    return date(day.year + day.month // _MONTHS, day.month % _MONTHS + 1, 1)


def months_in(year: int) -> tuple[date, ...]:
    """The months of a year, in order."""
    return tuple(date(year, month, 1) for month in range(1, _MONTHS + 1))

"""The month or year that a report covers, in days of the park's local time."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from metering.errors import OperatorError
from metering.figures import Period
from metering.instants import Span, midnight_ms
from metering.months import month_of, months_in, next_month
from metering.park import Park
from metering.words import Language

FIRST_YEAR, LAST_YEAR = 2000, 2200


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """A calendar month, or a calendar year where `month` is None."""

    year: int
    month: int | None = None

    @classmethod
    def parse(cls, month: str | None, year: int | None) -> Self:
        """From `--month 2026-10` or `--year 2026`: exactly one of them.

        Raises `OperatorError`.
        """
        if (month is None) == (year is None):
            raise OperatorError("name the period by either --month 2026-10 or --year 2026")
        first = month_of(month) if month is not None else None
        found = cls(first.year, first.month) if first is not None else cls(year or 0)
        if not FIRST_YEAR <= found.year < LAST_YEAR:
            raise OperatorError(f"a report's year lies between {FIRST_YEAR} and {LAST_YEAR - 1}, not in {found.year}")
        return found

    @property
    def kind(self) -> Period:
        """The period of the stored figures that it shows."""
        return Period.YEAR if self.month is None else Period.MONTH

    def span(self, park: Park) -> Span:
        """Its instants, in the park's time."""
        return Span(midnight_ms(self.first, park.zone), midnight_ms(self.until, park.zone))

    def name(self, language: Language) -> str:
        """Its name."""
        return language.year(self.year) if self.month is None else language.month(self.first)

    @property
    def first(self) -> date:
        """First day."""
        return date(self.year, self.month or 1, 1)

    @property
    def until(self) -> date:
        """The day after the last."""
        return date(self.year + 1, 1, 1) if self.month is None else next_month(self.first)

    @property
    def last(self) -> date:
        """Last day."""
        return self.until - timedelta(days=1)

    @property
    def days(self) -> tuple[date, ...]:
        """All days, in order."""
        return tuple(self.first + timedelta(days=number) for number in range((self.until - self.first).days))

    @property
    def months(self) -> tuple[date, ...]:
        """First days of its months, in order."""
        return months_in(self.year) if self.month is None else (self.first,)

    @property
    def before(self) -> "ReportPeriod":
        """The period before, of the same length."""
        last = self.first - timedelta(days=1)
        return ReportPeriod(last.year, last.month if self.month is not None else None)

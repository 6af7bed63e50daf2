"""A report's language: texts from the catalogue, numbers and dates in the language's own format.

Vietnamese writes 1.234.567,89, 23/11/2026 and "tháng 10/2026"; English 1,234,567.89, 23 Nov 2026 and October 2026.
"""

from datetime import date
from enum import StrEnum

from babel.dates import format_date, get_day_names
from babel.numbers import format_decimal, format_percent

from efficiency.reports.periods import ReportPeriod
from metering.model import Localized


class Language(StrEnum):
    """The two languages of every report."""

    VI = "vi"
    EN = "en"

    @property
    def locale(self) -> str:
        """Babel's name of it."""
        return {"vi": "vi_VN", "en": "en_GB"}[self.value]

    def say(self, text: Localized) -> str:
        """A text in this language."""
        return text.vi if self is Language.VI else text.en

    def number(self, value: float, digits: int | None = None) -> str:
        """Write a number; without `digits` as many decimals as make four figures, at most three."""
        if digits is None:
            digits = decimals(value)
        value = round(value, digits)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value or 0.0, format=pattern, locale=self.locale)

    def percent(self, share: float, digits: int = 1, *, sign: bool = False) -> str:
        """A share as percent, with its sign where asked for."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        share = round(share, digits + 2)
        pattern = f"+{pattern};-{pattern}" if sign and share else pattern
        return format_percent(share or 0.0, format=pattern, locale=self.locale)

    def full_date(self, day: date) -> str:
        """A day with its year."""
        return format_date(day, "dd/MM/yyyy" if self is Language.VI else "d MMM yyyy", locale=self.locale)

    def day(self, day: date) -> str:
        """A day without its year."""
        return format_date(day, "dd/MM" if self is Language.VI else "d MMM", locale=self.locale)

    def weekday(self, day: date) -> str:
        """The short name of its weekday."""
        return str(get_day_names("abbreviated", locale=self.locale)[day.weekday()])

    def month(self, day: date) -> str:
        """A month with its year."""
        return format_date(day, "'tháng' M/yyyy" if self is Language.VI else "MMMM yyyy", locale=self.locale)

    def short_month(self, day: date) -> str:
        """A month without its year, as short as it can be."""
        return format_date(day, "'T'M" if self is Language.VI else "MMM", locale=self.locale)

    def period(self, period: ReportPeriod) -> str:
        """Name of a month or year."""
        if period.month is not None:
            return self.month(period.first)
        return f"năm {period.year}" if self is Language.VI else str(period.year)


_FIGURES = 4
_MOST_DECIMALS = 3


def decimals(value: float) -> int:
    """Decimals that leave about four figures, none beyond a thousand."""
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return max(0, min(_MOST_DECIMALS, _FIGURES - max(whole, 1)))

"""Formats numbers, dates and words for people, in Vietnamese and English: the only place that does.

Vietnamese writes 1.234.567,89, 23/11/2026 and "tháng 10/2026"; English 1,234,567.89, 23 Nov 2026 and October 2026.
Reports, dashboards, alerts and the viewer take texts, formats and colours from here.
"""

from datetime import date
from enum import StrEnum
from typing import Final

from babel.dates import format_date, get_day_names
from babel.numbers import format_decimal, format_percent

from metering.model import Localized
from metering.quantities import UTILITIES
from metering.tariffs import Band


class Language(StrEnum):
    """The two languages of everything that a person sees."""

    VI = "vi"
    EN = "en"

    @property
    def locale(self) -> str:
        """Its Babel locale."""
        return {"vi": "vi_VN", "en": "en_GB"}[self.value]

    def say(self, text: Localized) -> str:
        """The text in this language."""
        return text.vi if self is Language.VI else text.en

    def number(self, value: float, digits: int | None = None) -> str:
        """Write a number; without `digits`, with as many decimals as make four significant figures, at most three."""
        if digits is None:
            digits = decimals(value)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(round(value, digits) or 0.0, format=pattern, locale=self.locale)

    def exact(self, value: float) -> str:
        """Write a number, such as a limit or a factor, with all its decimals."""
        return format_decimal(float(f"{value:.10g}"), format="#,##0.##########", locale=self.locale)

    def percent(self, share: float, digits: int = 1, *, sign: bool = False) -> str:
        """A share as percent, with its sign on request."""
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

    def year(self, year: int) -> str:
        """A calendar year."""
        return f"năm {year}" if self is Language.VI else str(year)


_FIGURES = 4
_MOST_DECIMALS = 3


def decimals(value: float) -> int:
    """Decimals that leave about four significant figures, none beyond a thousand."""
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return max(0, min(_MOST_DECIMALS, _FIGURES - max(whole, 1)))


def text(en: str, vi: str) -> Localized:
    """A text in both languages."""
    return Localized(en=en, vi=vi)


def inside(words: Localized) -> Localized:
    """A label within a sentence: with a small initial."""
    return text(words.en[:1].lower() + words.en[1:], words.vi[:1].lower() + words.vi[1:])


BAND: Final = {
    Band.OFF_PEAK: text("Off-peak hours", "Giờ thấp điểm"),
    Band.NORMAL: text("Normal hours", "Giờ bình thường"),
    Band.PEAK: text("Peak hours", "Giờ cao điểm"),
    Band.ALL: text("One price", "Một giá"),
}

BAND_COLOUR: Final = {
    Band.OFF_PEAK: "#4C8F5B",
    Band.NORMAL: "#BD8A09",
    Band.PEAK: "#C2452D",
    Band.ALL: "#BD8A09",
}

SOLAR: Final = "#5CA339"
GOOD: Final = "#3B9A4B"
NEAR: Final = "#A79317"
"""Not yet worth a warning, but close to it."""
WARN: Final = "#D57E19"
BAD: Final = "#D1323C"
NEUTRAL: Final = "#6B7785"
INK: Final = "#1C2430"
FAINT: Final = "#D7DCE2"

MILLION_VND: Final = text("million ₫", "triệu đồng")
"""Unit of money for quick reading; the store holds ₫."""

UTILITY: Final = {utility: spec.label for utility, spec in UTILITIES.items()}
COLOUR: Final = {utility: spec.colour for utility, spec in UTILITIES.items()}
"""The colour of each utility everywhere, readable on light and dark."""

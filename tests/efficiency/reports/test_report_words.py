"""Every text of a report comes from the catalogue in the report's language, or is data."""

import re
import string
from collections.abc import Iterable
from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

import pytest

import efficiency.reports
from efficiency.baseline.model import CUSUM_CONVENTION
from efficiency.reports.forms import PARK_FORMS, TENANT_FORMS
from efficiency.reports.words import FORMULAS, TEXTS
from efficiency.usage.quality import RULE_TEXT
from efficiency.valuation.valued import REASON_TEXT
from metering.eip import PARK_INDICATORS
from metering.figures import FIGURES, MATCH_FIGURES, PARK_FIGURES
from metering.model import Localized
from metering.park import Park
from metering.streams import STREAMS
from metering.words import BAND, MILLION_VND, UTILITY, Language, inside
from tests.efficiency.reports.conftest import KINDS, Reports

CATALOGUE: list[Localized] = [
    *TEXTS.values(),
    *FORMULAS.values(),
    *REASON_TEXT.values(),
    *RULE_TEXT.values(),
    *UTILITY.values(),
    *BAND.values(),
    *(inside(label) for label in BAND.values()),
    MILLION_VND,
    *(figure.label for figure in (FIGURES | PARK_FIGURES | MATCH_FIGURES).values()),
    *(spec.label for spec in STREAMS.values()),
    *(indicator.label for indicator in PARK_INDICATORS.values()),
    *(field.label for fields in chain(PARK_FORMS.values(), TENANT_FORMS.values()) for field in fields),
    CUSUM_CONVENTION,
]
YEAR_DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
TEMPLATES = sorted((Path(efficiency.reports.__file__).parent / "templates").glob("*.html"))
OWN_WORDS = {
    # Units, formulas and names of forms, the same in both languages
    *(
        "kWh",
        "MWh",
        "kW",
        "m³",
        "m²",
        "Nm³",
        "TOE",
        "MJ",
        "kg",
        "CO₂e",
        "CO₂",
        "t",
        "hL",
        "cosφ",
        "EnPI",
        "CUSUM",
        "RECP",
        "CH₄",
        "N₂O",
        "EIP",
        "ha",
    ),
    *(f"F{number}" for number in range(1, 40)),
    *("A", "B", "năm", "tháng", "T"),
}


class Texts(HTMLParser):
    """Texts of a page that people read, with the titles of its charts, without styles and quoted sources."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skip = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "style" or ("data-source", None) in attrs:
            self._skip += 1

    def handle_endtag(self, tag: str) -> None:
        if self._skip and tag in {"style", "td"}:
            self._skip -= 1

    def handle_data(self, data: str) -> None:
        if not self._skip and data.strip():
            self.found.append(" ".join(data.split()))


def spoken(texts: Iterable[Localized], language: Language) -> list[str]:
    """The texts between placeholders, the longest first."""
    parts = [part for text in texts for part, *_ in string.Formatter().parse(language.say(text)) if part.strip()]
    return sorted({part.strip() for part in parts}, key=len, reverse=True)


def data_of(park: Park) -> list[Localized]:
    names = [park.park.name, *(tenant.name for tenant in park.tenants), *(meter.name for meter in park.meters)]
    names += [stream.name for stream in park.streams]
    names += [fuel.name for fuel in park.factors.fuels.values()]
    return [*names, *(tenant.sector for tenant in park.tenants)]


def known(park: Park, language: Language) -> re.Pattern[str]:
    """Everything that may be in a page, the longest first."""
    days = (
        word for day in YEAR_DAYS for word in (language.month(day), language.short_month(day), language.weekday(day))
    )
    words = {
        *spoken([*CATALOGUE, *data_of(park)], language),
        *(meter.unit for meter in park.meters),
        *days,
        *(re.sub(r"\W*\d+$", "", language.month(day)) for day in YEAR_DAYS),
        *voltages(park),
        "=1+1",
    }
    return re.compile("|".join(whole(word) for word in sorted(words, key=len, reverse=True)))


def whole(part: str) -> str:
    """A pattern of a text that neither begins nor ends inside a word; "; from" may follow a number at once."""
    not_inside = r"(?:(?<!\w)|(?!\w))"
    return f"{not_inside}{re.escape(part)}{not_inside}"


def left(text: str, allowed: re.Pattern[str]) -> str:
    """The words of a text that are not allowed."""
    return " ".join(word for word in re.findall(r"[^\W\d_][\w₂³²]*", allowed.sub(" ", text)) if word not in OWN_WORDS)


def voltages(park: Park) -> list[str]:
    assert park.tariffs.electricity is not None
    return list(park.tariffs.electricity.prices)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_a_page_is_of_the_catalogue_or_data(reports: Reports, kind: str, language: Language) -> None:
    allowed = known(reports.park, language)
    texts = {re.sub(r"\d+[.,]\d[\d.,]*", "0", text) for text in Texts(reports.text(kind, language)).found}
    unknown = {(text, rest) for text in texts if not shortened(text) and (rest := left(text, allowed))}
    assert not unknown


def shortened(text: str) -> bool:
    """Names that were cut to fit into a chart are whole in its titles."""
    return text.endswith("…")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_of_the_other_language_is_in_a_page(reports: Reports, kind: str, language: Language) -> None:
    other = Language.EN if language is Language.VI else Language.VI
    own = " ".join([*spoken(CATALOGUE, language), *spoken(data_of(reports.park), language)]).lower()
    foreign = [
        part
        for part in spoken([*CATALOGUE, *data_of(reports.park)], other)
        if len(part) > 4 and part.lower() not in own
    ]
    page = "\n".join({re.sub(r"\d+[.,]\d[\d.,]*", "0", text) for text in Texts(reports.text(kind, language)).found})
    assert not [part for part in foreign if part in page and re.search(whole(part), page)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_a_template_has_no_words(template: Path) -> None:
    bare = re.sub(
        r"{%.*?%}|{{.*?}}|<!doctype html>|<[^>]*>", " ", template.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert not re.findall(r"\w+", bare)


@pytest.mark.parametrize("text", CATALOGUE, ids=lambda text: text.en[:40])
def test_both_languages_have_the_same_placeholders(text: Localized) -> None:
    fields = [{name for _, name, *_ in string.Formatter().parse(said) if name} for said in (text.en, text.vi)]
    assert fields[0] == fields[1]


def test_every_formula_that_a_figure_names_is_explained() -> None:
    assert {figure.formula for figure in FIGURES.values()} <= set(FORMULAS)


@pytest.mark.parametrize(
    ("language", "number", "percent", "day", "month"),
    [
        (Language.VI, "1.234.567,89", "-0,5%", "23/11/2026", "tháng 11/2026"),
        (Language.EN, "1,234,567.89", "-0.5%", "23 Nov 2026", "November 2026"),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_writes_them(
    language: Language, number: str, percent: str, day: str, month: str
) -> None:
    that_day = date(2026, 11, 23)
    assert language.number(1234567.891, 2) == number
    assert language.percent(-0.005, sign=True) == percent
    assert language.full_date(that_day) == day
    assert language.month(that_day) == month
    assert language.number(-0.0001, 1) == language.number(0.0, 1)

"""A figure as people read it: the number in the language's format with unit, worth, change, or the reason for none."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from efficiency.indicators.figure import Figure
from efficiency.reports.entries import Entry
from efficiency.reports.language import Language
from efficiency.reports.names import UNITS
from efficiency.reports.sums import indicative
from efficiency.reports.words import FORMULAS, TEXTS
from efficiency.valuation.valued import REASON_TEXT, Reason, reasons_in

_PERCENT: Final = frozenset(
    {"load_factor", "peak_share", "solar_share", "wastewater_ratio", "night_water_ratio", "loss_share"}
)
_DIGITS: Final = {"cost_vnd": 0, "reactive_vnd": 0, "enpi": 3, "power_factor": 3}
_CARBON: Final = frozenset({"co2e_scope1_kg", "co2e_scope2_kg", "co2e_kg", "co2e_per_output"})

_SHARE_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """Texts of one figure. `reason` is empty where there is a value; `notes` say what to know of it.

    `good` is 1 where the change is for the better, -1 for the worse, 0 where neither can be said.
    """

    label: str
    value: str
    unit: str
    reason: str
    notes: tuple[str, ...]
    indicative: bool
    before: str
    change: str
    good: int
    formula: str
    formula_text: str


def unit_text(unit: str, language: Language) -> str:
    """A unit as it is printed; shares have none."""
    if unit in UNITS:
        return language.say(UNITS[unit])
    return "" if unit == "1" else unit


def shown(entry: Entry, language: Language) -> Shown:
    """An entry as texts."""
    value, unit = quantity(entry.name, entry.now, language)
    before, _ = quantity(entry.name, entry.before, language)
    change = entry.change
    return Shown(
        language.say(entry.label),
        value,
        unit,
        why(entry.now, language),
        notes(entry.now, language, entry.revised),
        indicative(entry.now),
        before,
        "" if change is None else language.percent(change, sign=True),
        0 if round(change or 0.0, _SHARE_DIGITS) == 0 else (1 if (change or 0.0) > 0 else -1) * entry.better,
        entry.formula,
        language.say(FORMULAS[entry.formula]),
    )


def quantity(name: str, figure: Figure, language: Language) -> tuple[str, str]:
    """Number and unit; both empty where there is no value."""
    if figure.value is None:
        return "", ""
    if name in _PERCENT:
        return language.percent(figure.value), ""
    unit = "" if name in {"enpi", "power_factor"} else unit_text(figure.unit, language)
    if name in _CARBON:
        unit = unit.replace("kg", "kg CO₂e", 1)
    return language.number(figure.value, _DIGITS.get(name)), unit


def told(name: str, figure: Figure, language: Language) -> str:
    """Number and unit in one text; the reason where there is no value."""
    value, unit = quantity(name, figure, language)
    if not value:
        return f"{language.say(TEXTS['no_value'])}: {why(figure, language)}"
    return f"{value} {unit}".rstrip() + doubt(figure, language)


def doubt(figure: Figure, language: Language) -> str:
    """What to put behind a figure that is only indicative."""
    return f" · {language.say(TEXTS['indicative'])}" if indicative(figure) else ""


def why(figure: Figure, language: Language) -> str:
    """Why there is no value; empty where there is one."""
    if figure.value is not None:
        return ""
    reasons = reasons_in(figure.reasons & ~Reason.INDICATIVE) or (Reason.NO_DATA,)
    return "; ".join(language.say(REASON_TEXT[reason]) for reason in reasons)


def notes(figure: Figure, language: Language, revised: date | None = None) -> tuple[str, ...]:
    """Completeness, whether indicative, estimated share, and since when it is revised."""
    if figure.value is None:
        return ()
    found = [language.say(TEXTS["complete"]).format(share=language.percent(figure.completeness))]
    if indicative(figure):
        found.insert(0, language.say(TEXTS["indicative"]))
    if round(figure.estimated, 3) > 0:
        found.append(language.say(TEXTS["estimated"]).format(share=language.percent(figure.estimated)))
    if revised is not None:
        found.append(language.say(TEXTS["revised"]).format(day=language.full_date(revised)))
    return tuple(found)

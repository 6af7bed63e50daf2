"""One line of a report: a stored figure with that of the period before, and both as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from efficiency.indicators.figure import Figure, change
from efficiency.reports.words import FORMULAS, TEXTS
from efficiency.valuation.valued import REASON_TEXT, ValueReason, reasons_in
from metering.figures import FIGURES, FigureSpec
from metering.words import MILLION_VND, Language

BANDS: Final = {"saving_kwh": "saving_band_kwh", "peak_demand_kw": "peak_demand_error_kw"}
"""Figures that are written with another figure after a plus-minus sign."""
_SIGNED: Final = frozenset({"saving_kwh", "cusum_kwh"})
"""Figures that may be negative: no change is shown."""
_SHARE_DIGITS: Final = 3
_MARKS: Final = {ValueReason.INDICATIVE: "*", ValueReason.NOT_SIGNIFICANT: "†", ValueReason.PARTLY: "‡"}
_OTHER_MARK: Final = "§"
"""A mark in a table is explained once, in the legend of the table."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`now` is the figure of the period, `before` that of the period before, `band` the ± of the value."""

    spec: FigureSpec
    now: Figure
    before: Figure
    band: Figure | None = None
    revised: date | None = None

    @property
    def change(self) -> float | None:
        """F4; None unless like is compared with like."""
        return None if self.spec.name in _SIGNED else change(self.now, self.before)


def entries_of(
    now: Mapping[str, Figure], before: Mapping[str, Figure], revised: Mapping[str, date | None]
) -> dict[str, Entry]:
    """All figures of a tenant by name.

    `revised` has the newest revision of a figure's data, and under "" that of all data.
    """
    return {
        name: Entry(
            spec=spec,
            now=now[name],
            before=before[name],
            band=now[BANDS[name]] if name in BANDS else None,
            revised=revised.get(name, revised.get("")),
        )
        for name, spec in FIGURES.items()
        if name not in BANDS.values()
    }


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """The texts of one figure. `reason` is empty if there is a value; `notes` are remarks on the value.

    `mark` refers to the legend of a table. `good` is 1 if the change is for the better, -1 if for the worse, else 0.
    """

    label: str
    value: str
    unit: str
    mark: str
    reason: str
    notes: tuple[str, ...]
    indicative: bool
    before: str
    change: str
    good: int
    formula: str
    formula_text: str


def shown(entry: Entry, language: Language) -> ShownFigure:
    """An entry as texts."""
    value, unit = quantity(entry.spec, entry.now, language)
    moved = entry.change
    direction = 0 if round(moved or 0.0, _SHARE_DIGITS) == 0 else (1 if (moved or 0.0) > 0 else -1)
    return ShownFigure(
        label=language.say(entry.spec.label),
        value=value + _behind(entry, language),
        unit=unit,
        mark=mark_of(entry.now),
        reason=why(entry.now, language),
        notes=notes(entry.now, language, entry.revised),
        indicative=entry.now.indicative,
        before=quantity(entry.spec, entry.before, language).number,
        change="" if moved is None else language.percent(moved, sign=True),
        good=direction * entry.spec.better,
        formula=entry.spec.formula,
        formula_text=language.say(FORMULAS[entry.spec.formula]),
    )


def _behind(entry: Entry, language: Language) -> str:
    """The ± after a value: always for a saving; for a peak, if one count of the meter matters."""
    band = entry.band
    if entry.now.value is None or band is None or band.value is None:
        return ""
    if entry.spec.name != "saving_kwh" and not entry.now.reasons & ValueReason.COARSE:
        return ""
    return f" ± {quantity(entry.spec, band, language).number}"


def unit_text(unit: str, language: Language) -> str:
    """A unit as it is printed; shares have none."""
    return {"1": "", "cosφ": "", MILLION_VND.en: language.say(MILLION_VND)}.get(unit, unit)


class ShownQuantity(NamedTuple):
    """A number and its unit as texts; both are empty without a value."""

    number: str
    unit: str


def quantity(spec: FigureSpec, figure: Figure, language: Language) -> ShownQuantity:
    """The value of a figure as text."""
    if figure.value is None:
        return ShownQuantity("", "")
    if spec.percent:
        return ShownQuantity(language.percent(figure.value), "")
    return ShownQuantity(language.number(figure.value, spec.digits), unit_text(figure.unit, language))


def plain(figure: Figure, language: Language) -> str:
    """A figure without a specification as one text: number and unit, or empty."""
    if figure.value is None:
        return ""
    return f"{language.number(figure.value)} {unit_text(figure.unit, language)}".rstrip()


def with_unit(entry: Entry, language: Language) -> str:
    """Number and unit as one text with its mark, or the reason why there is no value."""
    value, unit = quantity(entry.spec, entry.now, language)
    if not value:
        return f"{language.say(TEXTS['no_value'])}: {why(entry.now, language)}"
    return f"{value} {unit}".rstrip() + mark_of(entry.now)


def why(figure: Figure, language: Language) -> str:
    """Why there is no value; empty if there is one."""
    if figure.value is not None:
        return ""
    return in_words(figure.absent_for or ValueReason.NO_DATA, language)


def in_words(reasons: ValueReason, language: Language) -> str:
    """Reasons in words."""
    return "; ".join(language.say(REASON_TEXT[reason]) for reason in reasons_in(reasons))


def cautions(figure: Figure) -> ValueReason:
    """Remarks on a value, other than that it is indicative."""
    return figure.reasons & ~ValueReason.INDICATIVE if figure.value is not None else ValueReason(0)


def mark_of(figure: Figure) -> str:
    """The marks of a figure in a table; its legend explains them."""
    if figure.value is None:
        return ""
    return "".join(sorted({_MARKS.get(reason, _OTHER_MARK) for reason in reasons_in(figure.reasons)}))


def legend(figures: Iterable[Figure], language: Language) -> list[str]:
    """The legend of the marks of some figures."""
    met = ValueReason(0)
    for figure in figures:
        met |= figure.reasons if figure.value is not None else ValueReason(0)
    by_mark: dict[str, ValueReason] = {}
    for reason in reasons_in(met):
        mark = _MARKS.get(reason, _OTHER_MARK)
        by_mark[mark] = by_mark.get(mark, ValueReason(0)) | reason
    return [f"{mark} {in_words(reasons, language)}" for mark, reasons in sorted(by_mark.items())]


def notes(figure: Figure, language: Language, revised: date | None = None) -> tuple[str, ...]:
    """Completeness, whether indicative, estimated share, other remarks, and since when it is revised."""
    if figure.value is None:
        return ()
    found = [language.say(TEXTS["complete"]).format(share=language.percent(figure.completeness))]
    if figure.indicative:
        found.insert(0, language.say(TEXTS["indicative"]))
    if round(figure.estimated, 3) > 0:
        found.append(language.say(TEXTS["estimated"]).format(share=language.percent(figure.estimated)))
    if cautions(figure):
        found.append(in_words(cautions(figure), language))
    if revised is not None:
        found.append(language.say(TEXTS["revised"]).format(day=language.full_date(revised)))
    return tuple(found)

"""Charts that are grids of coloured cells: the load profile by hour and day, and the strips of data quality."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from efficiency.reports.charts.svg import WIDTH, Drawing, LegendEntry, cut
from metering.figures import INDICATIVE_BELOW
from metering.words import BAD, FAINT, GOOD, NEUTRAL, WARN, Language

HOURS = 24
_SHADES = ("#FFF6D9", "#FDE3A0", "#F9C657", "#EE9B2D", "#D96A1E", "#B23E17", "#7A1F16")
_LEFT, _CELL, _FOOT = 38.0, 8.5, 38.0
_EVERY = 3
HALF = 0.5


class ColumnLabel(NamedTuple):
    """The label of a day or month: in full, and short."""

    full: str
    short: str


class GridText(NamedTuple):
    """The name, title and description of a grid."""

    name: str
    title: str
    description: str


def heat_map(
    text: GridText,
    columns: Sequence[ColumnLabel],
    values: Sequence[Sequence[float | None]],
    *,
    missing: str,
    unit: str,
    language: Language,
) -> Markup:
    """Load by hour of the day (rows, midnight on top) and column.

    `values` are by column, then hour; None means not known, which the text `missing` explains.
    """
    drawing = Drawing(*text, HOURS * _CELL + _FOOT + 14)
    known = [value for column in values for value in column if value is not None]
    top = max(known, default=0.0)
    low = min([0.0, *known])
    width = (WIDTH - _LEFT) / max(1, len(columns))
    for i, (label, column) in enumerate(zip(columns, values, strict=True)):
        x = _LEFT + i * width
        for hour, value in enumerate(column):
            told = missing if value is None else f"{language.number(value)} {unit}"
            shade = FAINT if value is None else _shade(value - low, top - low)
            drawing.rect(
                x, hour * _CELL + 2, width - 0.8, _CELL - 0.8, shade, title=f"{label.full}, {hour:02d}:00: {told}"
            )
        if i % max(1, -(-22 // max(1, int(width)))) == 0:
            drawing.text(x + width / 2, HOURS * _CELL + 14, label.short, anchor="middle", fill=NEUTRAL, size=9)
    for hour in range(0, HOURS, _EVERY):
        drawing.text(_LEFT - 5, hour * _CELL + 10, f"{hour:02d}:00", anchor="end", fill=NEUTRAL, size=9)
    y = HOURS * _CELL + 26
    start = language.number(low, 0)
    drawing.text(_LEFT, y + 9, start)
    x = _LEFT + len(start) * 7 + 6
    for shade in _SHADES:
        drawing.rect(x, y, 26, 10, shade)
        x += 26
    drawing.text(x + 6, y + 9, f"{language.number(top, 0)} {unit}")
    drawing.rect(WIDTH - 190, y, 10, 10, FAINT)
    drawing.text(WIDTH - 174, y + 9, missing)
    return drawing.render()


def _shade(value: float, top: float) -> str:
    place = int(value / top * len(_SHADES)) if top > 0 else 0
    return _SHADES[min(len(_SHADES) - 1, place)]


_ROW, _NAME = 13.0, 250.0


class QualityRow(NamedTuple):
    """The completeness of a meter by day or month."""

    label: str
    shares: Sequence[float]


def quality_strips(
    text: GridText,
    columns: Sequence[ColumnLabel],
    rows: Sequence[QualityRow],
    *,
    legend: Sequence[str],
    language: Language,
) -> Markup:
    """Completeness of each meter. `legend` names whole, indicative, poor, none."""
    drawing = Drawing(*text, len(rows) * _ROW + 44)
    width = (WIDTH - _NAME) / max(1, len(columns))
    for number, (label, shares) in enumerate(rows):
        y = number * _ROW
        drawing.text(_NAME - 6, y + 9.5, cut(label, _NAME - 8, 9), anchor="end", size=9)
        for i, share in enumerate(shares):
            told = f"{label}, {columns[i].full}: {language.percent(share)}"
            drawing.rect(_NAME + i * width, y + 1, width - 0.6, _ROW - 2, completeness_colour(share), title=told)
    for i, column in enumerate(columns):
        if i % max(1, -(-22 // max(1, int(width)))) == 0:
            x = _NAME + (i + 0.5) * width
            drawing.text(x, len(rows) * _ROW + 11, column.short, anchor="middle", fill=NEUTRAL, size=9)
    drawing.legend(len(rows) * _ROW + 22, map(LegendEntry, (GOOD, WARN, BAD, FAINT), legend))
    return drawing.render()


def completeness_colour(share: float) -> str:
    """Colour of a completeness: whole, indicative, poor, none."""
    if share <= 0:
        return FAINT
    if share < HALF:
        return BAD
    return GOOD if share >= INDICATIVE_BELOW else WARN

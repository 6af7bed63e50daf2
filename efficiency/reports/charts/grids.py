"""Charts that are grids of coloured cells: the load profile by hour and day, and the strips of data quality."""

from collections.abc import Sequence

from markupsafe import Markup

from efficiency.reports.charts.svg import WIDTH, Drawing, cut
from metering.figures import INDICATIVE_BELOW
from metering.words import BAD, FAINT, GOOD, NEUTRAL, WARN, Language

HOURS = 24
_SHADES = ("#FFF6D9", "#FDE3A0", "#F9C657", "#EE9B2D", "#D96A1E", "#B23E17", "#7A1F16")
_LEFT, _CELL, _FOOT = 38.0, 8.5, 38.0
_EVERY = 3
HALF = 0.5


def heat_map(
    name: str,
    words: tuple[str, str, str],
    columns: Sequence[tuple[str, str]],
    values: Sequence[Sequence[float | None]],
    unit: str,
    language: Language,
) -> Markup:
    """Load by hour of the day (rows, midnight on top) and column (a day or month, full and short label).

    `words`: title, description, what an empty cell means. `values` by column, then hour; None where nothing is known.
    """
    title, description, missing = words
    drawing = Drawing(name, title, description, HOURS * _CELL + _FOOT + 14)
    known = [value for column in values for value in column if value is not None]
    top = max(known, default=0.0)
    low = min([0.0, *known])
    width = (WIDTH - _LEFT) / max(1, len(columns))
    for i, ((label, short), column) in enumerate(zip(columns, values, strict=True)):
        x = _LEFT + i * width
        for hour, value in enumerate(column):
            told = missing if value is None else f"{language.number(value)} {unit}"
            shade = FAINT if value is None else _shade(value - low, top - low)
            drawing.rect(x, hour * _CELL + 2, width - 0.8, _CELL - 0.8, shade, title=f"{label}, {hour:02d}:00: {told}")
        if i % max(1, -(-22 // max(1, int(width)))) == 0:
            drawing.text(x + width / 2, HOURS * _CELL + 14, short, anchor="middle", fill=NEUTRAL, size=9)
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


def quality_strips(
    name: str,
    words: tuple[str, str],
    legend: tuple[str, str, str, str],
    rows: Sequence[tuple[str, Sequence[float]]],
    columns: Sequence[tuple[str, str]],
    language: Language,
) -> Markup:
    """Completeness of each meter (rows) by day or month. `legend` names whole, indicative, poor, none."""
    drawing = Drawing(name, *words, len(rows) * _ROW + 44)
    width = (WIDTH - _NAME) / max(1, len(columns))
    for number, (label, shares) in enumerate(rows):
        y = number * _ROW
        drawing.text(_NAME - 6, y + 9.5, cut(label, _NAME - 8, 9), anchor="end", size=9)
        for i, share in enumerate(shares):
            told = f"{label}, {columns[i][0]}: {language.percent(share)}"
            drawing.rect(_NAME + i * width, y + 1, width - 0.6, _ROW - 2, completeness_colour(share), title=told)
    for i, (_, short) in enumerate(columns):
        if i % max(1, -(-22 // max(1, int(width)))) == 0:
            x = _NAME + (i + 0.5) * width
            drawing.text(x, len(rows) * _ROW + 11, short, anchor="middle", fill=NEUTRAL, size=9)
    drawing.legend(len(rows) * _ROW + 22, list(zip((GOOD, WARN, BAD, FAINT), legend, strict=True)))
    return drawing.render()


def completeness_colour(share: float) -> str:
    """Colour of a completeness: whole, indicative, poor, none."""
    if share <= 0:
        return FAINT
    if share < HALF:
        return BAD
    return GOOD if share >= INDICATIVE_BELOW else WARN

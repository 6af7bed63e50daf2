"""Horizontal bars, one per row, the longest on top: who uses, costs or saves how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from efficiency.reports.charts.svg import WIDTH, Drawing, cut
from metering.words import INK, NEUTRAL

_ROW, _NAME, _VALUE = 19.0, 235.0, 190.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `told`: the value as text, or why there is none."""

    label: str
    value: float | None
    told: str
    colour: str


def ranking(name: str, title: str, description: str, bars: Sequence[Bar]) -> Markup:
    """Bars from zero, sorted by value; rows without a value come last, with the reason."""
    drawing = Drawing(name, title, description, len(bars) * _ROW + 4)
    ordered = sorted(bars, key=lambda bar: (bar.value is None, -(bar.value or 0.0)))
    known = [bar.value for bar in bars if bar.value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = WIDTH - _NAME - _VALUE
    size = (high - low) or 1.0
    zero = _NAME + room * -low / size
    for number, bar in enumerate(ordered):
        y = number * _ROW
        drawing.text(_NAME - 8, y + 13, cut(bar.label, _NAME - 10), anchor="end")
        if bar.value is None:
            drawing.text(zero + 4, y + 13, bar.told, fill=NEUTRAL)
            continue
        length = room * abs(bar.value) / size
        x = zero if bar.value >= 0 else zero - length
        drawing.rect(x, y + 3, max(length, 0.5), _ROW - 6, bar.colour, title=f"{bar.label}: {bar.told}")
        drawing.text(zero + (length if bar.value >= 0 else 0.0) + 5, y + 13, bar.told, fill=INK)
    drawing.line(zero, 0, zero, y2=len(bars) * _ROW, stroke=NEUTRAL, width=0.8)
    return drawing.render()

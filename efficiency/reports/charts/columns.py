"""Charts over time with one column per day or month: stacked bars, and lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from efficiency.reports.charts.scale import Scale, scale
from efficiency.reports.charts.svg import LEGEND_ROW, WIDTH, Drawing, LegendEntry
from metering.words import FAINT, INK, NEUTRAL, Language

_LEFT, _TOP, _FOOT = 62.0, 18.0, 20.0
_GAP = 0.22
_LABEL_ROOM = 22.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One named, coloured row of values; None where nothing is known."""

    label: str
    colour: str
    values: Sequence[float | None]
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a chart over time: `name` for its ids, texts, one label per column (full and short), the unit."""

    name: str
    title: str
    description: str
    labels: Sequence[str]
    short: Sequence[str]
    unit: str
    language: Language
    height: float = 170.0


def stacked_bars(frame: Frame, layers: Sequence[Layer]) -> Markup:
    """Stacked bars of the layers; negative values extend below the axis."""
    count = len(frame.labels)
    above = [sum(max(0.0, layer.values[i] or 0.0) for layer in layers) for i in range(count)]
    below = [sum(min(0.0, layer.values[i] or 0.0) for layer in layers) for i in range(count)]
    axis = scale([*above, *below])
    drawing = _begin(frame, layers, axis)
    width = (WIDTH - _LEFT) / max(1, count)
    for i, label in enumerate(frame.labels):
        up, down = 0.0, 0.0
        for layer in layers:
            value = layer.values[i]
            if not value:
                continue
            start = up if value > 0 else down
            top, bottom = _y(frame, axis, max(start, start + value)), _y(frame, axis, min(start, start + value))
            up, down = (up + value, down) if value > 0 else (up, down + value)
            title = f"{label}: {layer.label} {frame.language.number(value)} {frame.unit}"
            x = _LEFT + (i + _GAP / 2) * width
            drawing.rect(x, top, width * (1 - _GAP), bottom - top, layer.colour, title=title)
    return _end(drawing, frame, axis)


def lines(frame: Frame, layers: Sequence[Layer], *, area: bool = False) -> Markup:
    """Lines over time, broken where nothing is known; with `area`, the first is filled down to zero."""
    axis = scale([value for layer in layers for value in layer.values if value is not None])
    drawing = _begin(frame, layers, axis)
    width = (WIDTH - _LEFT) / max(1, len(frame.labels))
    for number, layer in enumerate(layers):
        for piece in _pieces(layer.values):
            points = [(_LEFT + (i + 0.5) * width, _y(frame, axis, value)) for i, value in piece.items()]
            if len(points) == 1:
                points.append((points[0][0] + 1.0, points[0][1]))
            shape = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
            if area and number == 0:
                zero = _y(frame, axis, 0.0)
                closed = f"{shape} L{points[-1][0]:.1f},{zero:.1f} L{points[0][0]:.1f},{zero:.1f} Z"
                drawing.path(closed, fill=layer.colour, opacity=0.18)
            drawing.path(shape, stroke=layer.colour, dash=layer.dash, title=layer.label)
    return _end(drawing, frame, axis)


def _pieces(values: Sequence[float | None]) -> list[dict[int, float]]:
    """The runs of known values, each by place."""
    pieces: list[dict[int, float]] = [{}]
    for i, value in enumerate(values):
        if value is not None:
            pieces[-1][i] = value
        elif pieces[-1]:
            pieces.append({})
    return [piece for piece in pieces if piece]


def _begin(frame: Frame, layers: Sequence[Layer], axis: Scale) -> Drawing:
    height = frame.height + (LEGEND_ROW if len(layers) > 1 else 0.0)
    drawing = Drawing(frame.name, frame.title, frame.description, height)
    drawing.text(0, 10, frame.unit, fill=NEUTRAL)
    for mark in axis.marks:
        y = _y(frame, axis, mark)
        drawing.line(_LEFT, y, WIDTH, y2=y, stroke=FAINT, width=0.6)
        drawing.text(_LEFT - 5, y + 3.5, frame.language.number(mark, axis.digits), anchor="end", fill=NEUTRAL, size=9)
    if len(layers) > 1:
        drawing.legend(frame.height + 4, [LegendEntry(layer.colour, layer.label) for layer in layers])
    return drawing


def _end(drawing: Drawing, frame: Frame, axis: Scale) -> Markup:
    zero = _y(frame, axis, 0.0)
    drawing.line(_LEFT, zero, WIDTH, y2=zero, stroke=INK, width=0.8)
    width = (WIDTH - _LEFT) / max(1, len(frame.labels))
    every = 1 if "" in frame.short else max(1, -(-int(_LABEL_ROOM) // max(1, int(width))))
    for i, label in enumerate(frame.short):
        if i % every == 0:
            drawing.text(_LEFT + (i + 0.5) * width, frame.height - 5, label, anchor="middle", fill=NEUTRAL, size=9)
    return drawing.render()


def _y(frame: Frame, axis: Scale, value: float) -> float:
    room = frame.height - _TOP - _FOOT
    return _TOP + room * (1 - axis.at(value))

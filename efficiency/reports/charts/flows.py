"""A balance as flows: what came in on the left, where it went on the right, widths in proportion."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from efficiency.reports.charts.svg import WIDTH, Drawing, cut

_LEFT, _RIGHT = 190.0, 250.0
_BAR, _TRUNK, _SPACE, _LEAST = 8.0, 12.0, 5.0, 12.0
_ROOM = 210.0
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow; `told`: its amount as text."""

    label: str
    value: float
    told: str
    colour: str


def flows(name: str, title: str, description: str, sources: Sequence[Flow], sinks: Sequence[Flow]) -> Markup:
    """Flows from the sources through one trunk to the sinks; values are not negative."""
    total = max(sum(flow.value for flow in sources), sum(flow.value for flow in sinks))
    unit = _ROOM / max(total, _NOTHING)
    slots = [max(_LEAST, flow.value * unit) for flow in sinks]
    inlets = [max(_LEAST, flow.value * unit) for flow in sources]
    height = max(sum(slots) + _SPACE * len(slots), sum(inlets) + _SPACE * len(inlets), _ROOM) + 6
    drawing = Drawing(name, title, description, height)
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    trunk = (height - _ROOM) / 2
    drawing.rect(middle - _TRUNK / 2, trunk, _TRUNK, _ROOM, "#6B7785", title=title)
    _side(drawing, sources, inlets, outer=_LEFT, inner=middle - _TRUNK / 2, trunk=trunk, unit=unit, leftward=True)
    _side(
        drawing, sinks, slots, outer=WIDTH - _RIGHT, inner=middle + _TRUNK / 2, trunk=trunk, unit=unit, leftward=False
    )
    return drawing.render()


def _side(
    drawing: Drawing,
    streams: Sequence[Flow],
    slots: Sequence[float],
    *,
    outer: float,
    inner: float,
    trunk: float,
    unit: float,
    leftward: bool,
) -> None:
    y, at_trunk = 2.0, trunk
    for stream, slot in zip(streams, slots, strict=True):
        wide = max(0.6, stream.value * unit)
        top = y + (slot - wide) / 2
        bend = (outer + inner) / 2
        shape = (
            f"M{outer:.1f},{top:.1f} C{bend:.1f},{top:.1f} {bend:.1f},{at_trunk:.1f} {inner:.1f},{at_trunk:.1f} "
            f"L{inner:.1f},{at_trunk + wide:.1f} C{bend:.1f},{at_trunk + wide:.1f} {bend:.1f},{top + wide:.1f} "
            f"{outer:.1f},{top + wide:.1f} Z"
        )
        told = f"{stream.label}: {stream.told}"
        drawing.path(shape, fill=stream.colour, opacity=0.55, title=told)
        drawing.rect(outer - (_BAR if leftward else 0), top, _BAR, wide, stream.colour, title=told)
        x, anchor = (outer - _BAR - 5, "end") if leftward else (outer + _BAR + 5, "start")
        room = _LEFT - 16 if leftward else _RIGHT - 18
        if leftward:
            drawing.text(x, top + wide / 2 - 2, cut(stream.label, room, 9), anchor=anchor, size=9)
            drawing.text(x, top + wide / 2 + 9, stream.told, anchor=anchor, size=9, bold=True)
        else:
            name = cut(stream.label, room - len(stream.told) * 6.2 - 10, 9)
            drawing.text(x, top + wide / 2 + 3.5, name, anchor=anchor, size=9)
            drawing.text(WIDTH, top + wide / 2 + 3.5, stream.told, anchor="end", size=9, bold=True)
        y += slot + _SPACE
        at_trunk += stream.value * unit

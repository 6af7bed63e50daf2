"""A drawing: rectangles, lines, paths and texts, collected and rendered as one accessible SVG element.

Only presentation attributes are used, so that a browser and a PDF writer show the same.
"""

from collections.abc import Iterable
from html import escape
from typing import Final, NamedTuple

from markupsafe import Markup

from metering.words import FAINT, INK

WIDTH: Final = 680.0
FONT: Final = 10.0
_LETTER = 0.6  # mean width of a letter over its height, in a wide face


def cut(text: str, room: float, size: float = FONT) -> str:
    """A text that fits into `room`."""
    letters = int(room / (size * _LETTER))
    return text if len(text) <= letters else text[: max(1, letters - 1)].rstrip() + "…"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


class LegendEntry(NamedTuple):
    """A colour and its name."""

    colour: str
    label: str


class Drawing:
    """Shapes in a box of `WIDTH` x `height` units; `name` makes its ids unique in the page."""

    def __init__(self, name: str, title: str, description: str, height: float) -> None:
        self._name = name
        self._head = (title, description)
        self._height = height
        self._parts: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, fill: str, *, title: str = "") -> None:
        """A filled rectangle, with a tooltip."""
        inside = f"<title>{escape(title)}</title>" if title else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}">{inside}</rect>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = FAINT, width: float = 0.8) -> None:
        """A straight line."""
        self._parts.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{stroke}" '
            f'stroke-width="{_n(width)}"/>'
        )

    def path(
        self,
        shape: str,
        *,
        fill: str = "none",
        stroke: str = "none",
        opacity: float = 1.0,
        title: str = "",
        dash: str = "",
    ) -> None:
        """A path in SVG's syntax."""
        inside = f"<title>{escape(title)}</title>" if title else ""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<path d="{shape}" fill="{fill}" stroke="{stroke}" stroke-width="1.6" '
            f'fill-opacity="{_n(opacity)}" stroke-linejoin="round"{dashed}>{inside}</path>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        fill: str = INK,
        size: float = FONT,
        bold: bool = False,
    ) -> None:
        """A text whose baseline begins at a point, ends there, or is centred on it."""
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" fill="{fill}" font-size="{_n(size)}"{weight}>'
            f"{escape(text)}</text>"
        )

    def legend(self, y: float, entries: Iterable[LegendEntry]) -> float:
        """Colours and their names in rows from `y` on; returns the height used."""
        x, row = 0.0, y
        for colour, label in entries:
            width = len(label) * FONT * _LETTER + 26
            if x and x + width > WIDTH:
                x, row = 0.0, row + LEGEND_ROW
            self.rect(x, row, 10, 10, colour)
            self.text(x + 14, row + 9, label)
            x += width
        return row - y + LEGEND_ROW

    def render(self) -> Markup:
        """The element."""
        title, description = (escape(text) for text in self._head)
        return Markup(  # noqa: S704 (every text was escaped where it came in)
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {_n(WIDTH)} {_n(self._height)}" '
            f'width="{_n(WIDTH)}" height="{_n(self._height)}" role="img" '
            f'aria-labelledby="{self._name}-t {self._name}-d" font-family="{FACES}">'
            f'<title id="{self._name}-t">{title}</title><desc id="{self._name}-d">{description}</desc>'
            f"{''.join(self._parts)}</svg>"
        )


LEGEND_ROW: Final = 18.0
FACES: Final = "'Noto Sans','DejaVu Sans','Segoe UI',Arial,sans-serif"

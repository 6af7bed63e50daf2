"""A panel as pages describe it: its title, its query, its unit, its size.

A number (`stat`), a trend, a ranking (`bars`), a table; and two that occur on one page only: hours by weekday, and open
alerts. `dashboards.render` turns each into a panel of Grafana; a page states only what is particular to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, TypedDict

from dashboards.influxql import InfluxQL
from metering.model import Localized
from metering.quantities import UTILITIES, Utility
from metering.words import text

Words = str | Localized
"""A text that is the same in all languages, such as a unit, or one in each."""

POINTS = 360
"""How many intervals a panel divides its range into: a year into days, a day into reading intervals."""

ANY_RANGE = timedelta(0)
DAILY = timedelta(days=1)

POWER = "kwatt"
ENERGY = "kwatth"
SHARE = "percentunit"
SECONDS = "s"
COUNT = "none"
MONEY = text("currency:financial: million ₫:suffix", "currency:financial: triệu đồng:suffix")
"""With thousands separators: Grafana's own format of whole amounts, followed by ours."""
SEPARATED = "locale"
"""A number with thousands separators, where the title has the unit."""
CARBON = "suffix:t CO₂e"
TOE = "suffix:TOE"

_GRAFANA: dict[str, Words] = {
    "kWh": ENERGY,
    "kW": POWER,
    "1": SHARE,
    "": text("suffix:units", "suffix:đơn vị"),
    "/h": text("suffix:units/h", "suffix:đơn vị/giờ"),
}


def grafana_unit(unit: str) -> Words:
    """Grafana's name of a unit of the store; `{output}` is whatever a tenant makes."""
    if unit in _GRAFANA:
        return _GRAFANA[unit]
    if "{output}" in unit:
        return text(f"suffix:{unit.format(output='unit')}", f"suffix:{unit.format(output='đơn vị')}")
    return f"suffix:{unit}"


def own_unit(unit: str) -> str:
    """The suffix of a number in one of our own units; empty for Grafana's."""
    for start, end in (("suffix:", ""), ("currency:financial: ", ":suffix")):
        if unit.startswith(start):
            return unit.removeprefix(start).removesuffix(end)
    return ""


def amount_unit(utility: Utility) -> Words:
    """Unit of what is used of a utility."""
    return grafana_unit(UTILITIES[utility].unit)


def rate_unit(utility: Utility) -> Words:
    """Unit of what is used of a utility per hour."""
    return grafana_unit(UTILITIES[utility].rate_unit or "/h")


class PanelKind(StrEnum):
    """The kind of a panel."""

    STAT = "stat"
    TREND = "timeseries"
    BARS = "bargauge"
    TABLE = "table"
    HOURS = "hours"
    """Hour by weekday: mean of the column `power`, queried by the hour."""
    ALERTS = "alertlist"
    """Grafana's own list of its alert rules: no query."""


class Draw(StrEnum):
    """How a trend is drawn."""

    LINE = "line"
    AREA = "area"
    """Stacked: what adds up to a whole."""
    BARS = "bars"
    """Stacked bars: one a day or a month."""
    STEP = "step"


@dataclass(frozen=True, slots=True)
class ThresholdStep:
    """From `at` upwards (None: from the bottom) the colour is this."""

    at: float | None
    colour: str


class PageLink(NamedTuple):
    """A link to another page, with a query; the page it names becomes that of the same language."""

    title: Localized
    page: str


class Sort(NamedTuple):
    """The column that a table is sorted by."""

    column: str
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, or a named series of a chart: its field, title, unit and looks.

    `link` is behind each of its values. `mapped` shows a value by another text.
    """

    name: str
    title: Words | None = None
    unit: Words | None = None
    colour: str | None = None
    decimals: int | None = None
    link: PageLink | None = None
    low: float | None = None
    high: float | None = None
    steps: tuple[ThresholdStep, ...] = ()
    mapped: Mapping[str, Localized] = field(default_factory=dict)
    width: int | None = None
    bar: bool = False
    """Draw the value as a bar in its cell."""
    wraps: bool = False
    """A long text takes as many lines as it needs."""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `id` never changes: alerts and bookmarks refer to it.

    `least` is the shortest range of time that certainly contains a point. `window` and `shift` replace the page's range
    (`now/d`: today; `7d`: a week before); where the window only has to contain the `newest` value, it is not shown to
    readers. `step` is the smallest interval that makes sense. `columns` name the result's columns, in order; unnamed
    columns of a table are hidden.
    """

    id: int
    kind: PanelKind
    title: Localized
    about: Localized
    unit: Words
    targets: tuple[InfluxQL, ...]
    width: int
    height: int
    columns: tuple[Column, ...] = ()
    colour: str | None = None
    steps: tuple[ThresholdStep, ...] = ()
    low: float | None = 0.0
    high: float | None = None
    decimals: int | None = None
    draw: Draw = Draw.LINE
    calc: str = "lastNotNull"
    least: timedelta = ANY_RANGE
    window: str | None = None
    shift: str | None = None
    newest: bool = False
    step: str | None = None
    nothing: Localized | None = None
    sort: Sort | None = None
    link: PageLink | None = None
    lines: bool = False
    """Draw the steps as lines across a trend."""
    zero: bool = False
    """Show zero on the axis of a trend, and values above and below it."""
    sparkline: bool = False
    by_row: bool = False
    """Each row of a table is a separate value, in the order of `sort`."""
    most: int | None = None
    """For a ranking `by_row`: how many rows at most."""
    event_free: bool = False
    """Whether a quiet park may leave it empty (events, refusals)."""


class PanelOptions(TypedDict, total=False):
    """Optional fields of `Panel`."""

    width: int
    height: int
    columns: tuple[Column, ...]
    colour: str | None
    steps: tuple[ThresholdStep, ...]
    low: float | None
    high: float | None
    decimals: int | None
    draw: Draw
    calc: str
    least: timedelta
    window: str | None
    shift: str | None
    newest: bool
    step: str | None
    nothing: Localized | None
    sort: Sort | None
    link: PageLink | None
    lines: bool
    zero: bool
    sparkline: bool
    by_row: bool
    most: int | None
    event_free: bool


@dataclass(frozen=True, slots=True)
class PanelRow:
    """Panels side by side from left to right, wrapped at 24 columns, under a heading if there is one."""

    panels: tuple[Panel, ...]
    title: Localized | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the head of a page: a tag of the store (`query`), or fixed `choices`."""

    name: str
    label: Localized
    query: str | None = None
    choices: Mapping[str, Localized] = field(default_factory=dict)
    many: bool = False
    start: str | None = None
    """The value on opening the page, where any will do."""


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard: one question. `name` is its file and, after `ecopark-`, its uid."""

    name: str
    title: Localized
    question: Localized
    rows: tuple[PanelRow, ...]
    variables: tuple[Variable, ...]
    start: str = "now-24h"
    marks: str | None = None
    """Query for the events that are drawn into the charts; `{text}` is the column of the language."""
    tag: str = "ecopark"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels of all rows."""
        return tuple(panel for row in self.rows for panel in row.panels)

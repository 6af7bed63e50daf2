"""What Grafana does to a panel's query before the database sees it, for querying without Grafana.

The browser fills in variables (raw, or escaped inside a regular expression), the back end the macros `$timeFilter`,
`$interval`, `$__interval` and `$__interval_ms`, and a panel may replace the page's range of time.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboards.panels import POINTS, Panel

EVERYTHING = "$__all"
_ROUNDED = (
    (12.5, 10),
    (17.5, 15),
    (25, 20),
    (45, 30),
    (90, 60),
    (210, 120),
    (450, 300),
    (750, 600),
    (1050, 900),
    (1500, 1200),
    (2700, 1800),
    (5400, 3600),
    (9000, 7200),
    (16200, 10800),
    (32400, 21600),
    (86400, 43200),
    (604800, 86400),
    (1814400, 604800),
)
"""Seconds: an interval below the first is rounded to the second, as Grafana does."""
_LONGEST = 2592000
_PATTERN = r"[=!]~\s*/((?:[^/\\]|\\.)*)/"
_MACROS = {"timeFilter", "interval", "__interval", "__interval_ms"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The value of a variable; `all_value` is inserted unchanged where everything is chosen."""

    name: str
    value: str | tuple[str, ...]
    all_value: str | None = None


def as_sent(query: str, panel: Panel, choices: list[Choice], start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """A panel's query as the database gets it, on a page that shows `start` to `end`."""
    first, last = span(panel.window, panel.shift, start, end, zone)
    return with_macros(filled(query, choices), first, last, interval(first, last, panel.step, POINTS))


def stands_aside(statement: str) -> bool:
    """Whether another query of the same panel answers for this range (see `dashboards.queries.SHORT`)."""
    found = re.search(r"\b(\d+) (<|>=) (\d+) AND", statement)
    return found is not None and (int(found[1]) < int(found[3])) is not (found[2] == "<")


def escaped(value: str) -> str:
    """A value inside a regular expression."""
    return re.sub(r"([\\^$*+?.()|\[\]{}/])", r"\\\1", value)


def outside_patterns(statement: str) -> set[str]:
    """Names of the variables that a statement does not keep inside a regular expression, where values are escaped."""
    rest = re.sub(_PATTERN, "", statement)
    return set(re.findall(r"\$\{?(\w+)", rest)) - _MACROS


def filled(statement: str, choices: list[Choice]) -> str:
    """The statement with its variables filled in, in one pass: no value is taken for a variable again.

    `$__...` names belong to the back end.
    """
    texts = {choice.name: _formatted(choice, statement) for choice in choices}

    def value(found: re.Match[str]) -> str:
        return texts.get(found[1] or found[2], found[0])

    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, statement)


def _formatted(choice: Choice, statement: str) -> str:
    if choice.value == (EVERYTHING,) and choice.all_value is not None:
        return choice.all_value
    if isinstance(choice.value, tuple):
        return f"({'|'.join(escaped(value) for value in choice.value)})"
    name = rf"\$(?:{choice.name}\b|\{{{choice.name}\}})"
    inside = any(re.search(name, literal) for literal in re.findall(_PATTERN, statement))
    return escaped(choice.value) if inside else choice.value


def with_macros(statement: str, start: datetime, end: datetime, interval_s: int) -> str:
    """The statement as it is sent.

    Raises `ValueError` where a variable is left that cannot be filled in.
    """
    between = f"time >= {_ms(start)}ms and time <= {_ms(end)}ms"
    for macro, text in (
        ("$timeFilter", between),
        ("$interval", f"{interval_s}s"),
        ("$__interval_ms", str(interval_s * 1000)),
        ("$__interval", f"{interval_s}s"),
    ):
        statement = statement.replace(macro, text)
    if left := re.search(r"\$\w+", statement):
        raise ValueError(f"nobody fills in {left.group()}: {statement}")
    return statement


def interval(start: datetime, end: datetime, least: str | None, points: int) -> int:
    """`$__interval` in seconds: the range over the panel's points, rounded, but not under the panel's own."""
    exact = (end - start).total_seconds() / points
    rounded = next((to for below, to in _ROUNDED if exact < below), _LONGEST)
    return max(rounded, seconds(least) if least else 60)


def seconds(text: str) -> int:
    """`15m` in seconds."""
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[text[-1]]


class QueriedRange(NamedTuple):
    """From one instant to another."""

    start: datetime
    end: datetime


def span(window: str | None, shift: str | None, start: datetime, end: datetime, zone: ZoneInfo) -> QueriedRange:
    """The range that a panel queries: its own window in place of the page's, then its shift."""
    if window is not None:
        local = end.astimezone(zone)
        if (midnight := re.fullmatch(r"now(?:-(\d+)d)?/d", window)) is not None:
            start = local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=int(midnight[1] or 0))
        elif window == "now/M":
            start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        elif window.endswith("M"):
            years, months = divmod(local.month - 1 - int(window[:-1]), 12)
            start = local.replace(year=local.year + years, month=months + 1, day=min(local.day, 28))
        else:
            start = end - timedelta(seconds=seconds(window))
    back = timedelta(seconds=seconds(shift)) if shift else timedelta(0)
    return QueriedRange(start - back, end - back)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

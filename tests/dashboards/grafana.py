"""What Grafana does to a dashboard before the database sees it, and to an alert rule afterwards.

Variables are filled in by the browser (raw, or escaped inside a regular expression), the macros `$timeFilter`,
`$interval`, `$__interval` and `$__interval_ms` by the back end, and panels may replace the range of time. Of alerts:
reduce, and threshold with its recovery.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EVERYTHING = "$__all"
NICE = (60, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800, 2592000)
"""Seconds that Grafana rounds an interval to, as far as our ranges need them."""


@dataclass(frozen=True)
class Choice:
    """The value of a variable; `all_value` goes in as it is where everything is chosen."""

    name: str
    value: str | tuple[str, ...]
    all_value: str | None = None


def escaped(value: str) -> str:
    """A value inside a regular expression."""
    return re.sub(r"([\\^$*+?.()|\[\]{}/])", r"\\\1", value)


def _formatted(choice: Choice, statement: str) -> str:
    if choice.value == (EVERYTHING,) and choice.all_value is not None:
        return choice.all_value
    if isinstance(choice.value, tuple):
        return f"({'|'.join(escaped(value) for value in choice.value)})"
    inside = any(f"${choice.name}" in literal for literal in re.findall(r"[=!]~\s*/((?:[^/\\]|\\.)*)/", statement))
    return escaped(choice.value) if inside else choice.value


def filled(statement: str, choices: list[Choice]) -> str:
    """The statement with its variables filled in; `$__...` names are the back end's."""
    for choice in choices:
        reference = re.compile(rf"\$(?:{choice.name}\b|\{{{choice.name}\}})")
        text = _formatted(choice, statement)
        statement = reference.sub(lambda _, text=text: text, statement)  # type: ignore[misc]  # a default binds it now
    return statement


def with_macros(statement: str, start: datetime, end: datetime, interval_s: int) -> str:
    """The statement as it is sent.

    Raises `ValueError` where something is left that nobody fills in.
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


def interval(start: datetime, end: datetime, least: str | None, points: int = 1000) -> int:
    """`$__interval` in seconds: the range over the pixels, rounded, but not under the panel's own."""
    exact = (end - start).total_seconds() / points
    rounded = next((nice for nice in NICE if nice >= exact), NICE[-1])
    return max(rounded, seconds(least) if least else 60)


def seconds(text: str) -> int:
    """`15m` in seconds."""
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[text[-1]]


def span(panel: dict[str, Any], start: datetime, end: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The range that a panel asks for: its own `timeFrom` before the page's, then `timeShift`."""
    window = panel.get("timeFrom")
    if window is not None:
        local = end.astimezone(zone)
        if window == "now/d":
            start = local.replace(hour=0, minute=0, second=0, microsecond=0)
        elif window == "now/M":
            start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        elif window.endswith("M"):
            years, months = divmod(local.month - 1 - int(window[:-1]), 12)
            start = local.replace(year=local.year + years, month=months + 1, day=min(local.day, 28))
        else:
            start = end - timedelta(seconds=seconds(window))
    shift = timedelta(seconds=seconds(panel["timeShift"])) if panel.get("timeShift") else timedelta(0)
    return start - shift, end - shift


def reduced(values: list[float | None], reducer: str) -> float | None:
    """A series as one number; `dropNN` mode: what is no number does not count."""
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if not numbers:
        return None
    match reducer:
        case "last":
            return numbers[-1]
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "mean":
            return sum(numbers) / len(numbers)
        case "sum":
            return sum(numbers)
    raise ValueError(f"no reducer {reducer}")


def beyond(value: float, condition: dict[str, Any], *, firing: bool) -> bool:
    """Whether a threshold expression is true; one that fires stays so until the recovery threshold is passed."""
    evaluator = condition["evaluator"]
    if firing and "unloadEvaluator" in condition:
        return not _compare(value, condition["unloadEvaluator"])
    return _compare(value, evaluator)


def _compare(value: float, evaluator: dict[str, Any]) -> bool:
    limit, kind = evaluator["params"], evaluator["type"]
    match kind:
        case "gt":
            return bool(value > limit[0])
        case "lt":
            return bool(value < limit[0])
        case "outside_range":
            return bool(value < limit[0] or value > limit[1])
        case "within_range":
            return bool(limit[0] <= value <= limit[1])
    raise ValueError(f"no evaluator {kind}")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

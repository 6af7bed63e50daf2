"""The figures as a table for people, with targets."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

_AT_MOST: Callable[[float, float], bool] = operator.le
_AT_LEAST: Callable[[float, float], bool] = operator.ge


class BenchTarget(NamedTuple):
    """A figure by its path among the keys, and its target."""

    holds: Callable[[float, float], bool]
    bound: float
    shown: str


TARGETS = {
    "single.cpu_us_per_reading": BenchTarget(_AT_MOST, 10, "at most 10"),
    "batch.cpu_us_per_reading": BenchTarget(_AT_MOST, 3, "at most 3"),
    "batch.ceiling_share": BenchTarget(_AT_LEAST, 0.5, "at least 0.5"),
    "latency_ms.2000.p99": BenchTarget(_AT_MOST, 50, "at most 50"),
    "rss_mb": BenchTarget(_AT_MOST, 120, "at most 120"),
    "rss_growth": BenchTarget(_AT_MOST, 0.05, "at most 0.05"),
    "park_load_s": BenchTarget(_AT_MOST, 2, "at most 2"),
    "gateway.cpu_share": BenchTarget(_AT_MOST, 0.2, "at most 0.2"),
    "gateway.backlog_s": BenchTarget(_AT_MOST, 60, "at most 60"),
}


def table(figures: dict[str, Any]) -> Table:
    """Draw all figures in their order."""
    drawn = Table(title="ecopark bench", title_justify="left")
    drawn.add_column("Figure", no_wrap=True)
    drawn.add_column("Measured", justify="right")
    drawn.add_column("Target")
    for path, value in flat(figures).items():
        target = TARGETS.get(path)
        shown = "not installed" if value is None else f"{value:,}"
        if target is None or value is None:
            drawn.add_row(path, shown, "")
        else:
            colour = "green" if target.holds(value, target.bound) else "red"
            drawn.add_row(path, Text(shown, style=colour), target.shown)
    return drawn


def flat(figures: dict[str, Any], above: str = "") -> dict[str, float | None]:
    """Each figure by the path to it, keys joined by dots."""
    found: dict[str, float | None] = {}
    for key, value in figures.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found

"""Spans of time and the quarter hours in them, in milliseconds since the epoch (UTC).

Quarter hours are exact in UTC; those of local time coincide with them in every time zone in use today.
"""

import numpy as np
from numpy.typing import NDArray

from metering.instants import ALWAYS_AFTER, ALWAYS_BEFORE, DAY_MS, EVER, HOUR_MS, QUARTER_MS, Span

__all__ = [
    "ALWAYS_AFTER",
    "ALWAYS_BEFORE",
    "DAY_MS",
    "EVER",
    "HOUR_MS",
    "QUARTER_MS",
    "WEEK_MS",
    "Bools",
    "Floats",
    "Span",
    "Times",
    "merged",
    "quarters_in",
    "starts_in",
]

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Bools = NDArray[np.bool_]

WEEK_MS = 7 * DAY_MS


def quarters_in(span: Span) -> Times:
    """Starts of the quarter hours of a span that lies on quarter hours itself."""
    return np.arange(span.start, span.end, QUARTER_MS, dtype=np.int64)


def starts_in(start: Times, span: Span) -> Bools:
    """Which quarter hours start in a span."""
    return np.asarray((start >= span.start) & (start < span.end))


def merged(spans: list[Span]) -> list[Span]:
    """The same instants as the fewest spans, in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result

"""Spans of time and the quarter hours in them, in milliseconds since the epoch (UTC).

Quarter hours are exact in UTC; those of local time coincide with them in every time zone in use today.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Bools = NDArray[np.bool_]

QUARTER_MS = 900_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS

ALWAYS_BEFORE = -(2**60)
"""Start of a span that reaches back as far as there is anything."""
ALWAYS_AFTER = 2**60
"""End of a span after which there is nothing yet."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to but not including `end`, ms."""

    start: int
    end: int

    def outward(self) -> "Span":
        """The smallest whole quarter hours that hold this span."""
        return Span(self.start // QUARTER_MS * QUARTER_MS, -(-self.end // QUARTER_MS) * QUARTER_MS)

    def overlaps(self, other: "Span") -> bool:
        """Whether any instant lies in both."""
        return self.start < other.end and other.start < self.end

    def starts(self) -> Times:
        """Starts of the quarter hours of this span, which must lie on quarter hours itself."""
        return np.arange(self.start, self.end, QUARTER_MS, dtype=np.int64)


EVER = Span(ALWAYS_BEFORE, ALWAYS_AFTER)


def merged(spans: list[Span]) -> list[Span]:
    """The same instants as the fewest spans, in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result

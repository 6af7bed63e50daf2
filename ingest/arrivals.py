"""Late arrivals: how whoever computes from readings learns that the past has changed.

InfluxDB keeps no time of insertion. So for readings that were older than `LATE_MS` when they came (late, replayed,
corrected), or that became so while the database kept them waiting, each batch leaves one point of `arrivals` per meter.
The point is written after the readings: earlier, it could be acted on too soon. It is written before they are
acknowledged: later, it could be lost.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.lookup import Sendable
from store.lines import point, series
from store.schema import ARRIVALS, NS_PER_MS

LATE_MS = 600_000
"""Younger readings are found by whoever reads the last half hour anyway."""

WAITED_MS = LATE_MS // 2
"""A batch that waited longer than this may have become late after it was received."""


class ArrivalSource(NamedTuple):
    """A meter of a park."""

    park: str
    meter: str


class Extent(NamedTuple):
    """First and last instant of readings, ms."""

    first: int
    last: int


Late = dict[ArrivalSource, Extent]


def note_old(meters: Sequence[Sendable], instants: Sequence[int], before_ms: float, late: Late) -> None:
    """Widen the extents in `late` by the readings from before an instant, of which meters and instants are given."""
    if not instants or min(instants) >= before_ms:
        return
    for meter, ms in zip(meters, instants, strict=True):
        if ms < before_ms:
            source = ArrivalSource(meter.park, meter.meter)
            first, last = late.get(source, (ms, ms))
            late[source] = Extent(min(first, ms), max(last, ms))


class Trace:
    """Makes the points of `arrivals` of one ingester; no two have the same time."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._last_ns = 0

    def lines(self, late: Late, now_ms: int) -> list[str]:
        """One point a meter, all stamped with the time of writing."""
        self._last_ns = max(now_ms * NS_PER_MS, self._last_ns + 1)
        return [
            point(
                series(ARRIVALS, {"park": source.park, "meter": source.meter, "instance": self._instance}),
                {"first": extent.first, "last": extent.last},
                self._last_ns,
            )
            for source, extent in late.items()
        ]

"""What arrived late: the trace by which those who compute from readings learn that the past has changed.

InfluxDB keeps no time of insertion. So for readings that were older than `LATE_MS` when they came (late, replayed,
corrected), or while the database kept them waiting, each batch leaves one point of `arrivals` a meter. It is written
when the database has the readings, never before, or it could be read and acted on too early; and before they are
acknowledged, or it could be lost.
"""

from collections.abc import Iterable, Mapping

from store.lines import parse, point, series
from store.schema import ARRIVALS, NS_PER_MS

LATE_MS = 600_000
"""What is younger is found by those who look at the last hour anyway."""

HELD_MS = LATE_MS // 2
"""A batch that waited longer than this may have grown old after it was received."""

Extent = tuple[int, int]
"""First and last instant of readings, ms."""

Meter = tuple[str, str]
"""Park and meter."""


def widened(extent: Extent | None, first: int, last: int) -> Extent:
    """The extent that also holds `first` to `last`."""
    return (first, last) if extent is None else (min(extent[0], first), max(extent[1], last))


def held(lines: Iterable[str]) -> dict[Meter, Extent]:
    """Extents of all the readings of a batch, from its lines."""
    found: dict[Meter, Extent] = {}
    for line in lines:
        written = parse(line)
        meter, ms = (written.tags["park"], written.tags["meter"]), written.ns // NS_PER_MS
        found[meter] = widened(found.get(meter), ms, ms)
    return found


class Trace:
    """Makes the points of `arrivals` of one ingester; no two have the same time."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._last_ns = 0

    def lines(self, late: Mapping[Meter, Extent], now_ms: int) -> list[str]:
        """One point a meter, all stamped with the time of writing."""
        self._last_ns = max(now_ms * NS_PER_MS, self._last_ns + 1)
        return [
            point(
                series(ARRIVALS, {"park": park, "meter": meter, "instance": self._instance}),
                {"first": first, "last": last},
                self._last_ns,
            )
            for (park, meter), (first, last) in late.items()
        ]

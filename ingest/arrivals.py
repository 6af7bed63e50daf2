"""What arrived late: the trace by which those who compute from readings learn that the past has changed.

InfluxDB keeps no time of insertion. So for readings that were older than `LATE_MS` when they came (late, replayed,
corrected), or while the database kept them waiting, each batch leaves one point of `arrivals` a meter. It is written
when the database has the readings, never before, or it could be read and acted on too early; and before they are
acknowledged, or it could be lost.
"""

from collections.abc import Iterable, Mapping

from ingest.taken import Taken
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


def note_old(taken: Iterable[Taken], before_ms: int, late: dict[Meter, Extent]) -> None:
    """Widen the extents in `late` by the readings from before an instant."""
    for entry, _, ms, _ in taken:
        if ms < before_ms:
            _widen(late, (entry.park, entry.meter), ms)


def held(lines: Iterable[str]) -> dict[Meter, Extent]:
    """Extents of all the readings of a batch, from its lines."""
    found: dict[Meter, Extent] = {}
    for line in lines:
        written = parse(line)
        _widen(found, (written.tags["park"], written.tags["meter"]), written.ns // NS_PER_MS)
    return found


def _widen(extents: dict[Meter, Extent], meter: Meter, ms: int) -> None:
    first, last = extents.get(meter, (ms, ms))
    extents[meter] = (min(first, ms), max(last, ms))


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

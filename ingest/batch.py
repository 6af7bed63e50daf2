"""A batch: what is written together, and what is to be acknowledged and answered once it is.

Readings become lines some hundred at a time: one by one costs more, and so does touching all of a large batch again.
"""

from dataclasses import dataclass, field
from itertools import chain

from ingest.accept import Accepted
from ingest.arrivals import LATE_MS, Extent, Meter, note_old
from ingest.connection import Connection, Delivery
from ingest.directory import LANES
from ingest.taken import Taken, lines_of

BATCH_READINGS = 10_000 * LANES
AT_ONCE = 250
WORTH_LANES = 2_000
"""Fewer readings than this are written faster by one request."""


@dataclass(slots=True)
class Lane:
    """What is written in one request, in order; `waiting` are readings that are not lines yet."""

    lines: list[str] = field(default_factory=list)
    waiting: list[Taken] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """`acks`: packet identifiers in order of receipt, by the connection they came on (one, unless it was lost).

    The payloads are let go; only of those with refusals the delivery is kept. `since_ms`: when the first delivery came.
    `late`: extents of the readings that were old when they came.
    """

    acks: list[tuple[Connection, list[int]]] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=lambda: [Lane() for _ in range(LANES)])
    readings: int = 0
    refused: list[tuple[Delivery, Accepted]] = field(default_factory=list)
    receipts: list[tuple[str, str, str]] = field(default_factory=list)
    refusals: int = 0
    size: int = 0
    since_ms: int = 0
    late: dict[Meter, Extent] = field(default_factory=dict)
    closed: bool = False

    @property
    def full(self) -> bool:
        """Whether what comes next goes into another batch."""
        return self.closed or self.readings + self.refusals >= BATCH_READINGS

    def take(self, accepted: Accepted, now_ms: int) -> None:
        """Add what was taken of a message."""
        lane = self.lanes[accepted.lane]
        lane.waiting += accepted.taken
        self.readings += len(accepted.taken)
        if len(lane.waiting) >= AT_ONCE:
            self._settle(lane, now_ms)

    def requests(self, now_ms: int) -> list[list[str]]:
        """The lines of all that was taken, by the requests in which they are written side by side."""
        for lane in self.lanes:
            self._settle(lane, now_ms)
        found = [lane.lines for lane in self.lanes if lane.lines]
        return found if self.readings >= WORTH_LANES or not found else [list(chain(*found))]

    def _settle(self, lane: Lane, now_ms: int) -> None:
        lane.lines += lines_of(lane.waiting)
        note_old(lane.waiting, now_ms - LATE_MS, self.late)
        lane.waiting.clear()

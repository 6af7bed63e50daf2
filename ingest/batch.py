"""A batch: what is written together, then acknowledged and answered together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.accept import Accepted
from ingest.arrivals import LATE_MS, WAITED_MS, Late, note_old
from ingest.connection import Connection, Delivery
from ingest.lookup import LANES
from ingest.refusal import Kept, Refusal
from ingest.taken import Lane

BATCH_READINGS = 10_000 * LANES
BATCH_BYTES = 2 * 2**20
AT_ONCE = 250
IN_LANES = 2_000
"""Fewer readings than this are written faster by one request."""

TOLD = 50
"""At most so many refusals of a message are sent back to its sender."""


class Acknowledgements(NamedTuple):
    """Messages of one connection, by packet identifier, in order of receipt."""

    connection: Connection
    packet_ids: list[int]


class StoredMessage(NamedTuple):
    """A message whose sender waits for a receipt."""

    answers: str
    id: str


class Told(NamedTuple):
    """Refusals of a message whose sender listens for them."""

    answers: str
    id: str | None
    refusals: list[Refusal]


@dataclass(slots=True)
class Batch:
    """What is written at once; `size` is how many bytes of payload it holds, which are freed when they are accepted.

    `since_ms`: when the first message came. `late`: extents of the readings that were old when they came. `counted`:
    refusals that are only counted, not kept or reported, so they do not fill a batch. A `closed` batch takes nothing
    more.
    """

    acknowledgements: list[Acknowledgements] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=lambda: [Lane() for _ in range(LANES)])
    receipts: list[StoredMessage] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    late: Late = field(default_factory=dict)
    messages: int = 0
    readings: int = 0
    refused: int = 0
    counted: int = 0
    size: int = 0
    since_ms: int = 0
    closed: bool = False

    @property
    def full(self) -> bool:
        """Whether the next message must go into another batch."""
        return self.closed or self.readings + self.refused >= BATCH_READINGS or self.size >= BATCH_BYTES

    def acknowledge(self, delivery: Delivery, size: int, now_ms: int) -> None:
        """Have a message acknowledged when the batch is written."""
        if not self.messages:
            self.since_ms = now_ms
        self.messages += 1
        self.size += size
        connection, packet_id = delivery.connection, delivery.packet_id
        if not self.acknowledgements or self.acknowledgements[-1].connection is not connection:
            self.acknowledgements.append(Acknowledgements(connection, []))
        if packet_id is not None:
            self.acknowledgements[-1].packet_ids.append(packet_id)

    def add(self, accepted: Accepted, kept: Iterable[Kept], now_ms: int) -> None:
        """Add what was accepted of a message, and the refusals of it that are kept."""
        _, _, answers, identity, taken, refusals, number, _, _, _ = accepted
        if taken:
            lane = self.lanes[number]
            lane.waiting += taken
            self.readings += len(taken)
            if len(lane.waiting) >= AT_ONCE:
                self._settle(lane, now_ms)
        if refusals:
            self.refused += len(refusals)
            self.kept += kept
            if answers is not None:
                self.told.append(Told(answers, identity, refusals[:TOLD]))
        if identity is not None and answers is not None:
            self.receipts.append(StoredMessage(answers, identity))

    def add_bare(self, connection: Connection, packet_ids: list[int | None], size: int, now_ms: int) -> None:
        """Count messages of one good reading each, whose readings are in their lanes already."""
        if not self.messages:
            self.since_ms = now_ms
        self.messages += len(packet_ids)
        self.readings += len(packet_ids)
        self.size += size
        self.acknowledgements.append(Acknowledgements(connection, [each for each in packet_ids if each is not None]))
        for lane in self.lanes:
            if len(lane.waiting) >= AT_ONCE:
                self._settle(lane, now_ms)

    def requests(self, now_ms: int) -> list[Lane]:
        """What was accepted, by the requests in which it is written concurrently."""
        for lane in self.lanes:
            self._settle(lane, now_ms)
        found = [lane for lane in self.lanes if lane.lines]
        if len(found) < LANES or self.readings >= IN_LANES:
            return found
        together = Lane()
        for lane in found:
            together.join(lane)
        return [together]

    def arrived_late(self, now_ms: int) -> Late:
        """Extents of the readings that are old by the time they are written, by meter."""
        if now_ms - self.since_ms > WAITED_MS:
            for lane in self.lanes:
                note_old(lane.meters, lane.instants, float("inf"), self.late)
        return self.late

    def _settle(self, lane: Lane, now_ms: int) -> None:
        before = len(lane.lines)
        lane.settle()
        note_old(lane.meters[before:], lane.instants[before:], now_ms - LATE_MS, self.late)

"""What was accepted and is not yet written: batches that grow while a write is under way.

Nothing is timed. An idle ingester writes each message by itself; a busy one finds a larger batch each time it looks.
Memory is bounded by pausing the connection, never by dropping.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.accept import Accepted, accept
from ingest.arrivals import Extent, Meter, widened
from ingest.connection import Connection, Delivery
from ingest.directory import Directory

BATCH_LINES = 10_000
HELD_BYTES = 48 * 1024 * 1024
REFUSAL_BYTES = 1_000
"""What a refusal weighs besides its payload: a few bytes can hold thousands of readings that are none."""


@dataclass(slots=True)
class Batch:
    """The lines of deliveries, and what is to be acknowledged and answered once they are written.

    `acks`: packet identifiers in order of receipt, by the connection they came on (one, unless it was lost meanwhile).
    The payloads are let go; only of those with refusals the delivery is kept.

    `late`: extents of the readings that were old when they came. `since_ms`: when the first delivery came.
    """

    acks: list[tuple[Connection, list[int]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    refused: list[tuple[Delivery, Accepted]] = field(default_factory=list)
    receipts: list[tuple[str, str, str]] = field(default_factory=list)
    refusals: int = 0
    size: int = 0
    late: dict[Meter, Extent] = field(default_factory=dict)
    since_ms: int = 0

    @property
    def full(self) -> bool:
        """Whether what comes next goes into another batch."""
        return len(self.lines) + self.refusals >= BATCH_LINES


class Intake:
    """Accepts deliveries as they come and hands them out in batches."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._batches: deque[Batch] = deque()
        self._filled = asyncio.Event()
        self._held = 0
        self._paused: Connection | None = None
        self.known: Directory = {}
        self.messages = 0
        self.readings = 0

    def receive(self, delivery: Delivery) -> None:
        """Accept one message; pauses its connection when too much is held."""
        now_ms = self._clock_ms()
        accepted = accept(delivery.topic, delivery.payload, now_ms, self.known)
        batch = self._batches[-1] if self._batches else None
        if batch is None or batch.full:
            batch = Batch(since_ms=now_ms)
            self._batches.append(batch)
            self._filled.set()
        if not batch.acks or batch.acks[-1][0] is not delivery.connection:
            batch.acks.append((delivery.connection, []))
        if delivery.packet_id is not None:
            batch.acks[-1][1].append(delivery.packet_id)
        batch.lines += accepted.lines
        for meter, extent in accepted.late.items():
            whole = (accepted.park, meter)
            batch.late[whole] = widened(batch.late.get(whole), *extent)
        size = len(delivery.payload)
        if accepted.refusals:
            batch.refused.append((delivery, accepted))
            batch.refusals += len(accepted.refusals)
            size += sum(REFUSAL_BYTES + len(refusal.payload) for refusal in accepted.refusals)
        batch.size += size
        if accepted.id is not None:
            batch.receipts.append((accepted.park, accepted.gateway, accepted.id))
        self.messages += 1
        self.readings += len(accepted.lines)
        self._held += size
        if self._held > HELD_BYTES:
            self._paused = delivery.connection  # the newest: one that was paused before it is gone
            delivery.connection.pause()

    async def next_batch(self) -> Batch:
        """Wait for something to write and take it."""
        await self._filled.wait()
        batch = self._batches.popleft()
        if not self._batches:
            self._filled.clear()
        return batch

    def written(self, batch: Batch) -> None:
        """Forget a batch that the database has; reads on where reading was paused."""
        self._held -= batch.size
        if self._paused is not None and self._held <= HELD_BYTES // 2:
            self._paused.resume()
            self._paused = None

    @property
    def held_bytes(self) -> int:
        """Bytes of what is accepted and not yet written."""
        return self._held

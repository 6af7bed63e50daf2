"""What was accepted and is not yet written, in batches that grow while a write is under way.

Nothing is timed. An idle ingester writes each message by itself; a busy one finds a larger batch each time it looks.
Memory is bounded by pausing the connection, never by dropping.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from ingest.accept import accept
from ingest.batch import Batch
from ingest.connection import Connection, Delivery
from ingest.directory import Directory

HELD_BYTES = 16 * 1024 * 1024
"""Several batches: more would not be written sooner."""

REFUSAL_BYTES = 1_000
"""What a refusal weighs besides its payload: a few bytes can hold thousands of readings that are none."""


class Intake:
    """Accepts deliveries as they come and hands them out in batches."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._batches: deque[Batch] = deque()
        self._filled = asyncio.Event()
        self._held = 0
        self._paused: Connection | None = None
        self._known: Directory = {}
        self.messages = 0

    def know(self, known: Directory) -> None:
        """Accept by other park files from here on; a meter may change its lane, so in another batch."""
        self._known = known
        if self._batches:
            self._batches[-1].closed = True

    def receive(self, delivery: Delivery) -> None:
        """Accept one message; pauses its connection when too much is held."""
        now_ms = self._clock_ms()
        accepted = accept(delivery.topic, delivery.payload, now_ms, self._known)
        batch = self._batches[-1] if self._batches else None
        if batch is None or batch.full:
            batch = Batch(since_ms=now_ms)
            self._batches.append(batch)
            self._filled.set()
        if not batch.acks or batch.acks[-1][0] is not delivery.connection:
            batch.acks.append((delivery.connection, []))
        if delivery.packet_id is not None:
            batch.acks[-1][1].append(delivery.packet_id)
        batch.take(accepted, now_ms)
        size = len(delivery.payload)
        if accepted.refusals:
            batch.refused.append((delivery, accepted))
            batch.refusals += len(accepted.refusals)
            size += sum(REFUSAL_BYTES + len(refusal.payload) for refusal in accepted.refusals)
        batch.size += size
        if accepted.id is not None:
            batch.receipts.append((accepted.park, accepted.gateway, accepted.id))
        self.messages += 1
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

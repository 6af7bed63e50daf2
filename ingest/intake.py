"""What was received and is not yet written: fair shares for all who send, in batches that grow while one is written.

A message goes straight into the open batch. A carrier that has had its share of it waits in a queue of its own, and the
queues take turns, so nobody waits behind what another has piled up. Memory is bounded by not reading the socket, never
by dropping.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from ingest.accept import accept
from ingest.batch import Batch
from ingest.clocks import Clocks
from ingest.connection import Connection, Delivery
from ingest.directory import Directory
from ingest.pace import ENOUGH, Pace
from ingest.refusal import Ledger

HELD_BYTES = 16 * 2**20
"""Several batches: more would not be written sooner."""

MESSAGE_BYTES = 300
"""What a message weighs besides its payload."""

REFUSAL_BYTES = 500
"""What a refusal weighs besides its payload: a few bytes can hold thousands of readings that are none."""

SHARE_BYTES = 512 * 1024
"""How much of the open batch a carrier may have before others had theirs."""

TURN_BYTES = 16 * 1024
"""How much of a queue is accepted before it is another's turn."""

WAIT_MS = 20_000
"""How long a message may wait for what explains it, such as the birth of a Sparkplug alias."""

LOOK_S = 0.5
"""How often waiting messages are looked at."""

NOBODY = ""
"""The one queue of all topics that no park file knows."""


class Waiting(NamedTuple):
    """A message that cannot be understood yet; after `until_ms` it is refused."""

    delivery: Delivery
    sender: str
    until_ms: int


class Arrival(NamedTuple):
    """When a message without a time of its own first came, by its packet identifier."""

    ms: int
    payload: int


class Intake:
    """Accepts deliveries as they come and hands them out in batches."""

    def __init__(self, clock_ms: Callable[[], int], ledger: Ledger, pace: Pace) -> None:
        self._clock_ms = clock_ms
        self._ledger = ledger
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._known = Directory()
        self._open = Batch()
        self._shares: dict[str, int] = {}
        self._queues: dict[str, deque[Delivery]] = {}
        self._filled = asyncio.Event()
        self._enough = asyncio.Event()
        self._paused: Connection | None = None
        self._waiting: deque[Waiting] = deque()
        self._arrivals: dict[int, Arrival] = {}
        self.clocks = Clocks()
        self.held_bytes = 0
        """Bytes of what is received and not yet written."""
        self.messages = 0
        self.retained = 0
        """Messages that the broker had kept from before: they are no readings of now."""
        self.bad_reads = 0
        """Values that devices said they could not read."""

    def know(self, known: Directory) -> None:
        """Accept by other park files from here on; a meter may change its lane, so in another batch."""
        self._known = known
        self._open.closed = self._open.messages > 0

    def receive(self, delivery: Delivery) -> None:
        """Take one message in; pauses its connection when too much is held."""
        carrier = self._known.carrier(delivery.topic)
        sender = NOBODY if carrier is None else carrier.name
        self.messages += 1
        self.held_bytes += len(delivery.payload) + MESSAGE_BYTES
        queue = self._queues.get(sender)
        if queue is not None:
            queue.append(delivery)
        elif self._has_room(sender):
            self._accept(sender, delivery)
        else:
            self._queues[sender] = deque([delivery])
        self._filled.set()
        if self.held_bytes > HELD_BYTES:
            self._paused = delivery.connection  # the newest: one that was paused before it is gone
            delivery.connection.pause()

    async def next_batch(self) -> Batch:
        """Wait for something to write and take it; where messages come often, wait for a few more."""
        await self._filled.wait()
        while not self._open.messages:
            self._refill()
            if not self._open.messages:  # all that came waits for what explains it
                self._filled.clear()
                await self._filled.wait()
        batch = self._open
        if not batch.full:
            age_s = (self._clock_ms() - batch.since_ms) / 1000
            wait_s = self._pace.wait_s(batch.readings + batch.refused, age_s)
            if wait_s > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._enough.wait()
        self._enough.clear()
        self._open = Batch()
        self._shares.clear()
        if self._queues:
            self._loop.call_soon(self._refill)  # while the batch is written
        else:
            self._filled.clear()
        return batch

    def written(self, batch: Batch) -> None:
        """Forget a batch that the database has; reads on where reading was paused."""
        self.held_bytes -= batch.size
        if self._paused is not None and self.held_bytes <= HELD_BYTES // 2:
            self._paused.resume()
            self._paused = None

    def _has_room(self, sender: str) -> bool:
        """Who has nothing in the open batch yet gets in though it is full: otherwise it would wait for two writes."""
        share = self._shares.get(sender, 0)
        return not self._open.closed and (share < SHARE_BYTES if not self._open.full else not share)

    def _refill(self) -> None:
        """Fill the open batch from the queues, which take turns."""
        while self._queues and not self._open.full:
            sender = next(iter(self._queues))
            queue = self._queues.pop(sender)
            taken = 0
            while queue and taken < TURN_BYTES and not self._open.full:
                taken += self._accept(sender, queue.popleft())
            if queue:
                self._queues[sender] = queue

    def _look_again(self) -> None:
        """Accept what waited, where it can be understood now or has waited for too long."""
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            self._accept(each.sender, each.delivery, until_ms=each.until_ms)
        self._filled.set()

    def _instant(self, delivery: Delivery, now_ms: int) -> int:
        """When a message came: the first time, where the broker says that it sends it again and we saw it before.

        So what is delivered again after a lost connection is no second reading. An ingester that was killed has
        forgotten; there the reading counts twice, at two instants with the same register.
        """
        if delivery.packet_id is None:
            return now_ms
        before, payload = self._arrivals.get(delivery.packet_id), hash(delivery.payload)
        if delivery.again and before is not None and before.payload == payload:
            return before.ms
        self._arrivals[delivery.packet_id] = Arrival(now_ms, payload)
        return now_ms

    def _accept(self, sender: str, delivery: Delivery, until_ms: int = 0) -> int:
        """Accept a message into the open batch; returns what it weighs."""
        now_ms = self._clock_ms()
        size = len(delivery.payload) + MESSAGE_BYTES
        if delivery.retained:
            self.retained += 1
            self._open.acknowledge(delivery, size, now_ms)
            return size
        accepted = accept(delivery.topic, delivery.payload, now_ms, self._known)
        if accepted.waits and now_ms < (until_ms or now_ms + 1):
            if not self._waiting:
                self._loop.call_later(LOOK_S, self._look_again)
            self._waiting.append(Waiting(delivery, sender, until_ms or now_ms + WAIT_MS))
            return size
        if accepted.arrived and (first_ms := self._instant(delivery, now_ms)) != now_ms:
            accepted = accept(delivery.topic, delivery.payload, first_ms, self._known)
        self.bad_reads += accepted.bad_reads
        if accepted.taken and not accepted.arrived:
            self.clocks.note(accepted.park, accepted.gateway, accepted.taken, now_ms)
        if not accepted.refusals:
            self._open.acknowledge(delivery, size, now_ms)
            self._open.add(accepted, (), now_ms)
        else:
            of_whom = (accepted.park, accepted.gateway)
            kept = self._ledger.note(*of_whom, delivery.topic, accepted.refusals, now_ms)
            more = REFUSAL_BYTES * len(accepted.refusals) + sum(len(each.payload) for each in kept)
            self.held_bytes += more
            size += more
            self._open.acknowledge(delivery, size, now_ms)
            self._open.add(accepted, kept, now_ms)
        self._shares[sender] = self._shares.get(sender, 0) + size
        if self._open.readings + self._open.refused >= ENOUGH:
            self._enough.set()
        return size

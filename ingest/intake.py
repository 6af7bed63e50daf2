"""What is received and not yet written: fair shares for all senders, in batches that grow while one is written.

A message goes straight into the open batch. A carrier that has had its share of it waits in a queue of its own, and the
queues take turns, so nobody waits behind another's backlog. Memory is bounded by not reading the socket, never by
dropping.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingest.accept import check, from_nobody, sound
from ingest.batch import Batch, StoredMessage
from ingest.clocks import Clocks
from ingest.connection import Connection, Delivery
from ingest.decode import DecodedMessage, decode, decode_bare
from ingest.directory import Directory
from ingest.glance import WORTH_BYTES, glance
from ingest.lookup import Carrier
from ingest.refusal import Kept, Ledger
from wire.messages import BareReading

HELD_BYTES = 16 * 2**20
"""Several batches: holding more would not write it sooner."""

MESSAGE_BYTES = 300
"""What a message takes besides its payload."""

REFUSAL_BYTES = 500
"""What a refusal takes besides its payload: a few bytes can hold thousands of faulty readings."""

SHARE_BYTES = 512 * 1024
"""How much of the open batch a carrier may fill before the others had their share."""

TURN_BYTES = 16 * 1024
"""How much of a queue is accepted before the next one's turn."""

WAIT_MS = 20_000
"""How long a message may wait for what explains it, such as the birth that names a Sparkplug alias."""

SMALL_BYTES = 1_024
"""A message of one reading is smaller."""

LOOK_S = 0.5
"""How often waiting messages are tried again."""

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

    def __init__(self, clock_ms: Callable[[], int], ledger: Ledger) -> None:
        self._clock_ms = clock_ms
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._known = Directory()
        self._open = Batch()
        self._shares: dict[str, int] = {}
        self._queues: dict[str, deque[Delivery]] = {}
        self._filled = asyncio.Event()
        self._paused: Connection | None = None
        self._waiting: deque[Waiting] = deque()
        self._arrivals: dict[int, Arrival] = {}
        self.clocks = Clocks()
        self.held_bytes = 0
        """Bytes of what is received and not yet written."""
        self.messages = 0
        self.retained = 0
        """Messages that the broker had kept from before; not current readings."""
        self.bad_reads = 0
        """Values that devices report they could not read."""

    def know(self, known: Directory) -> None:
        """Accept by these park files from here on, in a new batch, as a meter may have changed its lane."""
        self._known = known
        self._open.closed = self._open.messages > 0

    def receive(self, came: Sequence[Delivery]) -> None:
        """Take messages that came together; pause their connection when too much is held.

        What is the same for all is done once: the time, whether the batch is full, and parsing the JSON.
        """
        now_ms = self._clock_ms()
        known, queues, shares, batch = self._known, self._queues, self._shares, self._open
        most = 0 if batch.closed else 1 if batch.full else SHARE_BYTES
        self.messages += len(came)
        self.held_bytes += MESSAGE_BYTES * len(came) + sum([len(each.payload) for each in came])
        own, other = known.carriers.get, known.foreign.carrier
        carriers = [own(each.topic) or other(each.topic) for each in came]
        packet_ids: list[int | None] = []
        newest: dict[str, int] = {}
        total = 0
        for delivery, carrier, reading in zip(came, carriers, together(came, carriers), strict=True):
            if (
                reading is None
                or carrier is None
                or (sender := carrier.name) in queues
                or (share := shares.get(sender, 0)) >= most
                or (good := sound(reading, carrier, now_ms)) is None
            ):
                self._take_alone(delivery, carrier, now_ms, most, reading)
                continue
            # The path of nearly all messages of one reading: no call for each but the one above.
            batch.lanes[carrier.lane].waiting.append(good)
            packet_ids.append(delivery.packet_id)
            size = len(delivery.payload) + MESSAGE_BYTES
            shares[sender] = share + size
            total += size
            if good.ms > newest.get(sender, 0):
                newest[sender] = good.ms
            if reading.id is not None and carrier.answers is not None:
                batch.receipts.append(StoredMessage(carrier.answers, reading.id))
        if packet_ids:
            batch.add_bare(came[-1].connection, packet_ids, total, now_ms)
            for sender, newest_ms in newest.items():
                self.clocks.note(sender, newest_ms, now_ms)
        self._filled.set()
        if self.held_bytes > HELD_BYTES:
            self._paused = came[-1].connection  # the newest connection: one that was paused before it is closed
            self._paused.pause()

    async def next_batch(self) -> Batch:
        """Wait for something to write and take it."""
        await self._filled.wait()
        while not self._open.messages:
            self._refill()
            if not self._open.messages:  # all messages so far are waiting for an explanation
                self._filled.clear()
                await self._filled.wait()
        batch = self._open
        self._open = Batch()
        self._shares.clear()
        if self._queues:
            self._loop.call_soon(self._refill)  # while the batch is written
        else:
            self._filled.clear()
        return batch

    def written(self, batch: Batch) -> None:
        """Forget a batch that the database has; resume reading where it was paused."""
        self.held_bytes -= batch.size
        if self._paused is not None and self.held_bytes <= HELD_BYTES // 2:
            self._paused.resume()
            self._paused = None

    def _take_alone(
        self, delivery: Delivery, carrier: Carrier | None, now_ms: int, most: int, reading: BareReading | None
    ) -> None:
        """Take one message by itself: into the open batch where its sender has less than `most` there, or a queue."""
        sender = NOBODY if carrier is None else carrier.name
        if len(delivery.payload) >= WORTH_BYTES and self._is_hopeless(delivery, carrier, now_ms):
            return
        if sender in self._queues:
            self._queues[sender].append(delivery)
        # A carrier with nothing in a full batch yet gets in: otherwise it would wait for two writes.
        elif self._shares.get(sender, 0) < most:
            decoded = None if reading is None else DecodedMessage(reading.id, [reading], [])
            self._accept(sender, delivery, carrier, now_ms, decoded)
        else:
            self._queues[sender] = deque([delivery])

    def _is_hopeless(self, delivery: Delivery, carrier: Carrier | None, now_ms: int) -> bool:
        """Skip a message in which nothing can be good, of a gateway that has used up its ration of refusals.

        It is counted, and acknowledged with the open batch. It uses no share and waits in no queue: otherwise a flood
        would fill the memory limit, and nothing would be read for anybody.
        """
        if carrier is None or carrier.decode is not decode or delivery.retained:
            return False
        if not self._ledger.used_up(carrier.park, carrier.id, now_ms):
            return False
        if (found := glance(delivery.payload, carrier, now_ms)) is None:
            return False
        self._ledger.count(carrier.park, carrier.id, found.counts, now_ms)
        self.held_bytes -= len(delivery.payload)
        self._open.acknowledge(delivery, MESSAGE_BYTES, now_ms)
        self._open.counted += found.counts.total()
        if found.id is not None and carrier.answers is not None:
            self._open.receipts.append(StoredMessage(carrier.answers, found.id))
        return True

    def _refill(self) -> None:
        """Fill the open batch from the queues, which take turns."""
        while self._queues and not self._open.full:
            sender = next(iter(self._queues))
            queue = self._queues.pop(sender)
            taken = 0
            now_ms = self._clock_ms()
            while queue and taken < TURN_BYTES and not self._open.full:
                delivery = queue.popleft()
                carrier = self._known.carrier(delivery.topic)
                if not (len(delivery.payload) >= WORTH_BYTES and self._is_hopeless(delivery, carrier, now_ms)):
                    taken += self._accept(sender, delivery, carrier, now_ms)
            if queue:
                self._queues[sender] = queue

    def _look_again(self) -> None:
        """Accept waiting messages that can be understood now or have waited too long."""
        waiting, self._waiting = self._waiting, deque()
        now_ms = self._clock_ms()
        for delivery, sender, until_ms in waiting:
            self._accept(sender, delivery, self._known.carrier(delivery.topic), now_ms, until_ms=until_ms)
        self._filled.set()

    def _instant(self, delivery: Delivery, now_ms: int) -> int:
        """When a message came: the first time, where the broker sends again one that was seen before.

        So a redelivery after a lost connection is no second reading. An ingester that was killed has forgotten; there
        the reading counts twice, at two instants with the same register.
        """
        if delivery.packet_id is None:
            return now_ms
        before, payload = self._arrivals.get(delivery.packet_id), hash(delivery.payload)
        if delivery.again and before is not None and before.payload == payload:
            return before.ms
        self._arrivals[delivery.packet_id] = Arrival(now_ms, payload)
        return now_ms

    def _accept(
        self,
        sender: str,
        delivery: Delivery,
        carrier: Carrier | None,
        now_ms: int,
        decoded: DecodedMessage | None = None,
        *,
        until_ms: int = 0,
    ) -> int:
        """Accept a message, unless `decoded` already, into the open batch; returns how many bytes it takes."""
        topic, payload = delivery.topic, delivery.payload
        size = len(payload) + MESSAGE_BYTES
        if delivery.retained:
            self.retained += 1
            self._open.acknowledge(delivery, size, now_ms)
            return size
        if carrier is None:
            accepted = from_nobody(topic, payload, self._known)
        else:
            accepted = check(decoded or carrier.decode(topic, payload, now_ms), carrier, now_ms)
            if accepted.waits and now_ms < (until_ms or now_ms + 1):
                if not self._waiting:
                    self._loop.call_later(LOOK_S, self._look_again)
                self._waiting.append(Waiting(delivery, sender, until_ms or now_ms + WAIT_MS))
                return size
            if accepted.arrived:
                if (first_ms := self._instant(delivery, now_ms)) != now_ms:
                    accepted = check(carrier.decode(topic, payload, first_ms), carrier, first_ms)
            elif accepted.taken:
                self.clocks.note(sender, max(accepted.taken[0].ms, accepted.taken[-1].ms), now_ms)
            self.bad_reads += accepted.bad_reads
        kept: list[Kept] = []
        if accepted.refusals:
            of_whom = (accepted.park, accepted.gateway)
            kept = self._ledger.note(*of_whom, topic, accepted.refusals, now_ms)
            more = REFUSAL_BYTES * len(accepted.refusals) + sum(len(each.payload) for each in kept)
            self.held_bytes += more
            size += more
        self._open.acknowledge(delivery, size, now_ms)
        self._open.add(accepted, kept, now_ms)
        self._shares[sender] = self._shares.get(sender, 0) + size
        return size


def together(came: Sequence[Delivery], carriers: Sequence[Carrier | None]) -> Sequence[BareReading | None]:
    """Decode together the bare readings in Ecopark's own format; None in place of everything else."""
    own = [
        place
        for place, (each, carrier) in enumerate(zip(came, carriers, strict=True))
        if carrier is not None
        and carrier.decode is decode
        and len(payload := each.payload) <= SMALL_BYTES
        and b'"readings"' not in payload
        and not each.retained
    ]
    found: list[BareReading | None] = [None] * len(came)
    if len(own) > 1 and (readings := decode_bare([came[place].payload for place in own])) is not None:
        if len(readings) == len(came):
            return readings
        for place, reading in zip(own, readings, strict=True):
            found[place] = reading
    return found

"""Replies to gateways: receipts for what the database has, and refusals.

Receipts are collected for a moment and sent together. Refusals are advice for whoever debugs a gateway, so they are
rate-limited; the database keeps them as far as the ration allows.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable

from ingest.batch import StoredMessage, Told
from ingest.connection import Connection
from wire.messages import Receipt, Refusals
from wire.topics import Channel

PAUSE_S = 0.05
IDS_PER_RECEIPT = 1_000
IDS_HELD = 100_000
REFUSALS_PER_S = 5
SENDERS_PER_S = 1_000
"""How many senders are told of refusals each second: a stranger may send on any number of topics."""


class Replies:
    """Collects replies by the topic under which their gateway listens; publishes on whichever connection is open."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._second = 0
        self._receipts: dict[str, list[str]] = defaultdict(list)
        self._waiting = asyncio.Event()
        self._told: Counter[str] = Counter()
        self._held = 0

    def stored(self, message: StoredMessage) -> None:
        """Note that the database has a message. Beyond a limit, gateways get a receipt only when they send again."""
        if self._held < IDS_HELD:
            self._receipts[message.answers].append(message.id)
            self._held += 1
            self._waiting.set()

    def refused(self, connection: Connection, told: Told) -> None:
        """Tell a gateway at once what was refused of a message, unless this second's limit is reached."""
        second = int(self._time())
        if second != self._second:
            self._second = second
            self._told.clear()
        if self._told[told.answers] < REFUSALS_PER_S and len(self._told) < SENDERS_PER_S and connection.is_open:
            self._told[told.answers] += 1
            reply = Refusals(id=told.id, refused=[refusal.for_sender() for refusal in told.refusals])
            connection.publish(f"{told.answers}/{Channel.REFUSALS.value}", reply.model_dump_json().encode())

    def flush(self, connection: Connection) -> None:
        """Publish the receipts that are waiting."""
        for answers, ids in self._receipts.items():
            for start in range(0, len(ids), IDS_PER_RECEIPT):
                receipt = Receipt(stored=ids[start : start + IDS_PER_RECEIPT])
                connection.publish(f"{answers}/{Channel.RECEIPTS.value}", receipt.model_dump_json().encode())
        self._receipts.clear()
        self._held = 0
        self._waiting.clear()

    async def run(self, connection: Callable[[], Connection | None]) -> None:
        """Publish receipts a moment after the first of them came, for as long as the task lives."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(PAUSE_S)
            current = connection()
            if current is not None and current.is_open:
                self.flush(current)

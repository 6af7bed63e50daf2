"""What gateways are told: receipts for what the database has, and what was refused.

Receipts are collected for a moment and sent together. Refusals are advice for whoever debugs a gateway, so they are
rate-limited: all of them stand in the database.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from ingest.connection import Connection
from ingest.refusal import Refusal
from wire.messages import Receipt, Refusals
from wire.topics import Channel, topic

PAUSE_S = 0.05
IDS_PER_RECEIPT = 1_000
IDS_HELD = 100_000
REFUSALS_PER_S = 5
READINGS_PER_REFUSAL = 50


class Replies:
    """Collects replies by gateway and publishes them on whichever connection is open."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._second = 0
        self._receipts: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._waiting = asyncio.Event()
        self._told: dict[tuple[str, str], int] = {}
        self._held = 0

    def stored(self, park: str, gateway: str, message_id: str) -> None:
        """Note that the database has what a message held. Beyond a bound the gateways have to ask by sending again."""
        if self._held < IDS_HELD:
            self._receipts[park, gateway].append(message_id)
            self._held += 1
            self._waiting.set()

    def refused(
        self, connection: Connection, gateway: tuple[str, str], message_id: str | None, refusals: list[Refusal]
    ) -> None:
        """Tell a gateway at once what was refused of a message, unless it was told enough this second."""
        second = int(self._time())
        if second != self._second:
            self._second = second
            self._told.clear()
        told = self._told.get(gateway, 0)
        if told < REFUSALS_PER_S and all(gateway) and connection.is_open:
            self._told[gateway] = told + 1
            refused = [refusal.told() for refusal in refusals[:READINGS_PER_REFUSAL]]
            reply = Refusals(id=message_id, refused=refused)
            connection.publish(topic(*gateway, Channel.REFUSALS), reply.model_dump_json().encode())

    def flush(self, connection: Connection) -> None:
        """Publish the receipts that are waiting."""
        for gateway, ids in self._receipts.items():
            for start in range(0, len(ids), IDS_PER_RECEIPT):
                receipt = Receipt(stored=ids[start : start + IDS_PER_RECEIPT])
                connection.publish(topic(*gateway, Channel.RECEIPTS), receipt.model_dump_json().encode())
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

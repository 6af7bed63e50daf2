"""Which ingesters are there: each holds a retained message with its life, and its last will removes it.

Two promises rest on it. Of several that share the subscription, whoever stops leaves the share to those who stay, and
the last one keeps it; and of two with the same name, one gives up.
"""

import asyncio
import uuid
from typing import Final

from ingest.connection import Connection, Delivery
from wire.topics import ingester

LEAVING: Final = b"leaving"
"""What an ingester announces in the place of its life when it is stopped."""

HEAR_S: Final = 0.3
"""How long it then listens whether others come, or leave, too."""

_PREFIX: Final = ingester("")


class Presence:
    """One ingester among its peers; `instance` is its name."""

    EVERYBODY: Final = ingester("+")

    def __init__(self, instance: str) -> None:
        self.topic = ingester(instance)
        self.life = uuid.uuid4().hex.encode()
        self._instance = instance
        self._holder = b""
        self._peers: set[str] = set()
        self._leaving: set[str] = set()

    def forget(self) -> None:
        """Begin anew on a new connection, which hears everything again."""
        self._holder = b""
        self._peers.clear()
        self._leaving.clear()

    def hears(self, delivery: Delivery) -> bool:
        """Take note of a message, if it says that an ingester is there or leaves."""
        if not delivery.topic.startswith(_PREFIX):
            return False
        name = delivery.topic.removeprefix(_PREFIX)
        if "/" in name:
            return False
        if name == self._instance:
            self._holder = delivery.payload
        elif delivery.payload == LEAVING:
            self._peers.discard(name)
            self._leaving.add(name)
        elif delivery.payload:
            self._peers.add(name)
        else:
            self._peers.discard(name)
            self._leaving.discard(name)
        return True

    @property
    def lost_to_another(self) -> bool:
        """Whether another life holds our name."""
        return self._holder not in {b"", self.life}

    @property
    def alone(self) -> bool:
        """Whether no other ingester is there, so that every message comes here."""
        return not self._peers

    async def somebody_stays(self, connection: Connection) -> bool:
        """Say that we leave, and hear whether anybody stays.

        Where all leave at once, the one whose name comes first counts as the last one. Also who knows of nobody
        listens: an ingester that has just come may be about to be heard.
        """
        connection.announce(LEAVING)
        await asyncio.sleep(HEAR_S)
        return bool(self._peers) or any(name < self._instance for name in self._leaving)

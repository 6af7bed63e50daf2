"""Which ingesters are running: each holds a retained message with the id of its process, which its last will removes.

Two guarantees rest on it. Of several that share the subscription, one that stops leaves its share to the others, and
the last one keeps it. Of two with the same name, one gives up.
"""

import asyncio
import uuid
from typing import Final

from ingest.connection import Connection, Delivery
from wire.topics import ingester

LEAVING: Final = b"leaving"
"""What an ingester announces when it is stopped."""

HEAR_S: Final = 0.3
"""How long it then listens for others that come or leave."""

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
        """Start over on a new connection, which receives everything again."""
        self._holder = b""
        self._peers.clear()
        self._leaving.clear()

    def hears(self, delivery: Delivery) -> bool:
        """Note a message that says that an ingester is there or leaves."""
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
        """Whether another process holds our name."""
        return self._holder not in {b"", self.life}

    @property
    def alone(self) -> bool:
        """Whether no other ingester is running, so that every message comes here."""
        return not self._peers

    async def somebody_stays(self, connection: Connection) -> bool:
        """Announce that we leave, and listen whether anybody stays.

        Where all leave at once, the one whose name sorts first counts as the last. One that knows of nobody listens,
        too: an ingester may have just started.
        """
        connection.announce(LEAVING)
        await asyncio.sleep(HEAR_S)
        return bool(self._peers) or any(name < self._instance for name in self._leaving)

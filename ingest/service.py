"""The ingester: keeps a connection, a writer, replies, health and the park files going until it is told to stop.

It needs no disk. What it has not acknowledged the broker holds; what it has acknowledged the database has.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress

import mqtt5

from ingest.connection import Connection, Delivery, SessionTakenOverError
from ingest.health import Health
from ingest.intake import Intake
from ingest.parks import Parks
from ingest.replies import Replies
from ingest.writer import Writer
from metering.errors import OperatorError, UnavailableError
from running.patience import Patience
from store.client import RejectedError, Store
from store.schema import OPERATOR_DATABASE
from wire.address import BrokerAddress
from wire.topics import Channel, ingester, topic

SHARE = f"$share/ingest/{topic('+', '+', Channel.READINGS)}"
FINISH_S = 3.5
"""How long a stop may take to finish what is in flight."""

_PRESENCE = ingester("")
LEAVING = b"leaving"
"""What an ingester announces in the place of its life when it is told to stop."""

HEAR_S = 0.3
"""How long it then listens whether the others leave, too."""

GOODBYE_S = 0.5
"""How long the goodbye may take: a broker that is not there does not take it."""

log = logging.getLogger(__name__)


class Ingester:
    """One ingester among any number that share the subscription. `instance` is its stable name."""

    def __init__(
        self, parks: Parks, address: BrokerAddress, store: Store, instance: str, clock_ms: Callable[[], int]
    ) -> None:
        self._parks = parks
        self._address = address
        self._store = store
        self._instance = instance
        self._intake = Intake(clock_ms)
        self._intake.know(parks.directory)
        self._replies = Replies(asyncio.get_running_loop().time)
        self._writer = Writer(store, self._intake, self._replies, parks.gateway_of, clock_ms, instance)
        self._health = Health(instance, self._intake, self._writer, clock_ms)
        self._connection: Connection | None = None
        self._patience = Patience("MQTT", log, asyncio.get_running_loop().time)
        self._connections = 0
        self._peers: set[str] = set()
        self._leaving: set[str] = set()
        self._life = uuid.uuid4().hex.encode()
        self._holder = b""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in flight.

        Raises `OperatorError` where the database or the broker turns us away before anything has worked, or where
        another ingester takes the name.
        """
        await self._database_answers(stop)
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._replies.run(lambda: self._connection)),
                tasks.create_task(self._parks.watch(self._intake.know)),
                tasks.create_task(
                    self._health.run(self._store, lambda: self._connection, lambda: max(self._connections - 1, 0))
                ),
            ]
            writing = tasks.create_task(self._writer.run())
            connecting = tasks.create_task(self._stay_connected())
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait([connecting, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not connecting.done():
                await self._finish(connecting)
            for task in (writing, *others):
                task.cancel()

    async def _database_answers(self, stop: asyncio.Event) -> None:
        patience = Patience("database", log, asyncio.get_running_loop().time)
        while not stop.is_set():
            try:
                await self._store.write([], OPERATOR_DATABASE)
            except UnavailableError as error:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), patience.failed(error, error.retry_after))
            except RejectedError:  # 2.x has nothing against the database and something against an empty body
                break
            else:
                break
        patience.succeeded()

    async def _stay_connected(self) -> None:
        while True:
            client_id = f"ecopark-ingest-{self._instance}"
            connection = Connection(client_id, self._address, self._receive, presence=ingester(self._instance))
            try:
                self._peers.clear()
                self._leaving.clear()
                self._holder = b""
                await connection.open()
                await connection.subscribe([(ingester("+"), mqtt5.QoS.AT_MOST_ONCE)])
                # Also where the session is present: it may have been left after the share was given up, or be the
                # trace of a life that ended before it subscribed. Subscribing again changes nothing.
                await connection.subscribe([(SHARE, mqtt5.QoS.AT_LEAST_ONCE)])
                # The second answer comes after the retained words of the first. Not every broker says that a session
                # was taken over, so whoever comes back and finds another life under its name leaves it to that one.
                if self._connections and self._holder not in {b"", self._life}:
                    raise SessionTakenOverError(client_id)
                connection.announce(self._life)
                self._connection = connection
                self._connections += 1
                self._patience.succeeded()
                log.info("connected; session %s", "resumed" if connection.session_present else "new, subscribed")
                error = await connection.lost()
            except (UnavailableError, OperatorError) as refused:
                error = refused
            if isinstance(error, SessionTakenOverError):
                raise error
            if isinstance(error, OperatorError) and self._connections == 0:
                raise error
            await asyncio.sleep(self._patience.failed(error, getattr(error, "retry_after", None)))

    def _receive(self, delivery: Delivery) -> None:
        if not delivery.topic.startswith(_PRESENCE):
            self._intake.receive(delivery)
        else:
            self._hear(delivery)

    def _hear(self, delivery: Delivery) -> None:
        """Take note of what an ingester announces."""
        name = delivery.topic.removeprefix(_PRESENCE)
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

    async def _finish(self, connecting: asyncio.Task[None]) -> None:
        """Leave the share to those who stay; without any, the session keeps what comes until we are back.

        Where all leave at once, the one whose name comes first counts as the last one.
        """
        connection = self._connection
        connecting.cancel()
        if connection is None or not connection.is_open:
            return
        with suppress(TimeoutError, UnavailableError):
            async with asyncio.timeout(FINISH_S):
                if self._peers:
                    connection.announce(LEAVING)
                    await asyncio.sleep(HEAR_S)
                if self._peers or any(name < self._instance for name in self._leaving):
                    connection.announce(b"")  # those who leave after us shall not count on us
                    await connection.unsubscribe([SHARE])
                else:
                    connection.pause()
                await connection.drained()
        self._replies.flush(connection)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await connection.close()

"""The ingester: runs connection, writer, replies, health and park files until it is stopped.

Stateless: what it has not acknowledged, the broker holds; what it has acknowledged, the database has.

The path of a message: `Connection.data_received`, `Ingester._receive`, `Intake.receive`, `check`, `Batch.add`; of a
batch: `Intake.next_batch`, `Writer.write`, `Store.write_each`, `Connection.acknowledge`.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import mqtt5

from ingest.arrivals import Trace
from ingest.connection import Connection, Delivery, SessionTakenOverError
from ingest.directory import Directory, Parks
from ingest.health import Health
from ingest.intake import Intake
from ingest.pace import Pace
from ingest.presence import Presence
from ingest.refusal import Ledger
from ingest.replies import Replies
from ingest.writer import Writer
from metering.errors import OperatorError, UnavailableError
from metering.instants import DAY_MS
from running.monitor import MetricValues
from running.patience import Patience
from store.answers import RejectedError
from store.client import Store, dropping
from store.schema import OPERATOR_DATABASE, REFUSED, REFUSED_DAYS
from store.select import where
from wire.address import BrokerAddress
from wire.topics import Channel, is_shared, shared, topic

FINISH_S = 3.5
"""How long a stop may take to finish what is in flight."""

GOODBYE_S = 0.5
"""How long the DISCONNECT may take: a broker that is gone does not receive it."""

SUBSCRIBE_AGAIN_S = 30.0
"""How often to subscribe to the shares again, for brokers that would leave messages waiting in one."""

FORGET_S = 3_600.0

log = logging.getLogger(__name__)


class Ingester:
    """One ingester among any number that share the subscription. `instance` is its stable name.

    `report` gets the values of each line in `pipeline`.
    """

    def __init__(
        self,
        parks: Parks,
        address: BrokerAddress,
        store: Store,
        instance: str,
        clock_ms: Callable[[], int],
        *,
        report: Callable[[MetricValues], None] = lambda _: None,
    ) -> None:
        self._parks = parks
        self._address = address
        self._share = shared(address.secret, topic("+", "+", Channel.READINGS))
        self._store = store
        self._instance = instance
        self._clock_ms = clock_ms
        self._time = asyncio.get_running_loop().time
        ledger = Ledger(instance)
        self._pace = Pace()
        self._intake = Intake(clock_ms, ledger)
        self._intake.know(parks.directory)
        self._replies = Replies(self._time)
        self._writer = Writer(
            store, self._intake, self._replies, ledger=ledger, trace=Trace(instance), clock_ms=clock_ms
        )
        self._health = Health(instance, self._intake, self._writer, clock_ms, report)
        self._presence = Presence(instance)
        self._connection: Connection | None = None
        self._patience = Patience("MQTT", log, self._time)
        self._connections = 0
        self._subscribed: frozenset[str] = frozenset()
        parks.births.ask = self._publish
        parks.births.ordered = lambda: self._presence.alone

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in flight.

        Raises `OperatorError` where the database or the broker turns us away before anything has worked, or where
        another ingester takes the name.
        """
        await self._database_answers(stop)
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._replies.run(lambda: self._connection)),
                tasks.create_task(self._parks.watch(self._know)),
                tasks.create_task(self._forget_old_refusals()),
                tasks.create_task(self._intake.clocks.run(self._store, self._instance, self._clock_ms)),
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
        patience = Patience("database", log, self._time)
        while not stop.is_set():
            try:
                await self._store.write([], OPERATOR_DATABASE)
            except UnavailableError as error:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), patience.failed(error, error.retry_after))
            except RejectedError:  # 2.x accepts a write of an empty database, but not an empty body
                break
            else:
                break
        patience.succeeded()

    async def _stay_connected(self) -> None:
        while True:
            try:
                error = await self._connected()
            except (UnavailableError, OperatorError) as refused:
                error = refused
            if isinstance(error, SessionTakenOverError):
                raise error
            if isinstance(error, OperatorError) and self._connections == 0:
                raise error
            await asyncio.sleep(self._patience.failed(error, getattr(error, "retry_after", None)))

    async def _connected(self) -> Exception:
        """Connect, subscribe and receive for as long as the connection lasts; returns why it ended."""
        client_id = f"ecopark-ingest/{self._instance}"  # no account contains a slash, so no gateway is called so
        connection = Connection(client_id, self._address, self._receive, presence=self._presence.topic, pace=self._pace)
        self._presence.forget()
        await connection.open()
        await connection.subscribe([Presence.EVERYBODY], mqtt5.QoS.AT_MOST_ONCE)
        # Also where the session is present: it may have been left after the share was given up, or be the trace of a
        # life that ended before it subscribed. Subscribing again changes nothing.
        self._subscribed = frozenset({self._share})
        await connection.subscribe([self._share], mqtt5.QoS.AT_LEAST_ONCE)
        await self._subscribe_to_sources(connection)
        # The second answer comes after the retained messages of the first. That the session was taken over proves
        # nothing: where client ids are free anybody may be called as we are, and not every broker says so. But only
        # an ingester announces its life, so whoever comes back and finds another one leaves it the name.
        if self._connections and self._presence.lost_to_another:
            raise SessionTakenOverError(client_id)
        connection.announce(self._presence.life)
        self._connection = connection
        self._connections += 1
        self._patience.succeeded()
        log.info("connected; session %s", "resumed" if connection.session_present else "new, subscribed")
        return await self._lost(connection)

    async def _lost(self, connection: Connection) -> Exception:
        """Wait until the connection has ended; meanwhile subscribe to the shares again and again.

        HiveMQ CE hands out what waits in a share when a message comes into an empty one, when one is acknowledged, or
        when somebody subscribes. After it was killed, messages may wait to which none of this happens.
        """
        while True:
            try:
                async with asyncio.timeout(SUBSCRIBE_AGAIN_S):
                    return await connection.lost()
            except TimeoutError:
                in_share = sorted(pattern for pattern in self._subscribed if is_shared(pattern))
                await connection.subscribe(in_share, mqtt5.QoS.AT_LEAST_ONCE)

    async def _subscribe_to_sources(self, connection: Connection) -> None:
        """Subscribe to what the park files' sources name, and no more to what they named before."""
        foreign = self._parks.directory.foreign
        in_share = {shared(self._address.secret, pattern) for pattern in foreign.shared}
        wanted = frozenset({self._share, *foreign.everybody, *in_share})
        gone, self._subscribed, new = self._subscribed - wanted, wanted, wanted - self._subscribed
        # Births first: they define the data that follow.
        if new:
            await connection.subscribe(sorted(new, key=in_share.__contains__), mqtt5.QoS.AT_LEAST_ONCE)
        if gone:
            await connection.unsubscribe(sorted(gone))

    def _know(self, known: Directory) -> None:
        self._intake.know(known)
        if self._connection is not None and self._connection.is_open:
            self._subscribing = asyncio.create_task(self._subscribe_to_sources(self._connection))

    def _publish(self, to: str, payload: bytes) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.publish(to, payload)

    async def _forget_old_refusals(self) -> None:
        """Delete old refusals; every ingester does, with the same result."""
        while True:
            before_ms = self._clock_ms() - REFUSED_DAYS * DAY_MS
            with dropping("deleting old refusals"):
                await self._store.delete(REFUSED, where({}, before=before_ms), [OPERATOR_DATABASE])
            await asyncio.sleep(FORGET_S)

    def _receive(self, came: list[Delivery]) -> None:
        if messages := [each for each in came if not self._presence.hears(each)]:
            self._intake.receive(messages)

    async def _finish(self, connecting: asyncio.Task[None]) -> None:
        """Leave the share to the others; without any, the session keeps what comes until we are back."""
        connection = self._connection
        connecting.cancel()
        if connection is None or not connection.is_open:
            return
        with suppress(TimeoutError, UnavailableError):
            async with asyncio.timeout(FINISH_S):
                if await self._presence.somebody_stays(connection):
                    log.info("stopping; the messages that come go to the other ingesters")
                    connection.announce(b"")  # those that leave after us must not count on us
                    await connection.unsubscribe(sorted(self._subscribed))
                else:
                    log.info("stopping; no other ingester is running, so the broker keeps what comes")
                    connection.pause()
                await connection.drained()
        self._replies.flush(connection)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await connection.close()

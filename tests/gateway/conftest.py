"""A gateway under test, and the ingester's side as far as a gateway sees it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import pytest

from gateway.outbox import Resend
from gateway.publisher import Link
from gateway.service import GatewayCounts, GatewaySettings, run_gateway
from proving.servers import Mosquitto
from wire.address import BrokerAddress
from wire.messages import Message, Reading, Receipt, Status
from wire.topics import Channel, topic

PARK, GATEWAY = "park", "gw-1"
DEADLINE_S = 90.0


def make_readings(first: int, count: int = 1, values: int = 1) -> list[Reading]:
    """Readings of the meter m-1 whose instants are consecutive numbers."""
    named = {f"v{place}": 0.5 + place for place in range(values)}
    return [Reading(meter="m-1", ts=number, values=named) for number in range(first, first + count)]


async def until(condition: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
    """Wait for a condition, or fail at the deadline."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the conditions are about other processes too
            await asyncio.sleep(0.01)


@dataclass
class Receiver:
    """In place of the ingester: takes messages, and answers as the test wants."""

    port: int
    answer: Callable[[str, int], list[str]] = field(default=lambda name, _: [name])
    """Ids for the receipt to a message, given its id and how often it has come; none: no receipt."""
    came: list[str] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    stored: set[int] = field(default_factory=set)
    statuses: list[Status] = field(default_factory=list)
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    client: aiomqtt.Client | None = None

    async def run(self) -> None:
        """Listen, and listen again after the broker was away."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._listen()
            self.listening.clear()
            await asyncio.sleep(0.05)

    async def _listen(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            client.pending_calls_threshold = 10_000
            for channel in (Channel.READINGS, Channel.STATUS):
                await client.subscribe(topic(PARK, GATEWAY, channel), qos=1)
            self.client = client
            self.listening.set()
            async for message in client.messages:
                await self._take(client, message)

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        assert isinstance(message.payload, bytes)
        if message.topic.value == topic(PARK, GATEWAY, Channel.STATUS):
            self.statuses.append(Status.model_validate_json(message.payload))
            return
        taken = Message.model_validate_json(message.payload)
        assert taken.id is not None
        self.came.append(taken.id)
        self.stored.update(reading.ms for reading in taken.readings)
        self.times[taken.id] += 1
        stored = self.answer(taken.id, self.times[taken.id])
        if stored:
            await self.receipt(stored, client)

    async def receipt(self, ids: Sequence[str], client: aiomqtt.Client | None = None) -> None:
        sender = client or self.client
        assert sender is not None
        payload = Receipt(stored=list(ids)).model_dump_json()
        await sender.publish(topic(PARK, GATEWAY, Channel.RECEIPTS), payload, qos=0)


class Feed:
    """A source that yields what the test puts in, until it is stopped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[list[Reading] | None] = asyncio.Queue()

    def put(self, readings: list[Reading]) -> None:
        self._queue.put_nowait(readings)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[list[Reading]]:
        while (readings := await self._queue.get()) is not None:
            yield readings


@dataclass
class Rig:
    """One gateway on one broker; what it starts is ended, and its errors shown, at the end of the test."""

    broker: Mosquitto
    spool: Path
    counts: GatewayCounts = field(default_factory=GatewayCounts)
    receiver: Receiver = field(init=False)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.broker.port)

    def settings(self, **changes: object) -> GatewaySettings:
        link = Link(
            BrokerAddress.parse(f"mqtt://127.0.0.1:{changes.pop('port', self.broker.port)}"),
            PARK,
            GATEWAY,
            keepalive_s=2,
            status_every_s=0.2,
        )
        known: dict[str, object] = {"link": link, "spool": self.spool, "resend": Resend(first=0.5, longest=2.0)}
        return GatewaySettings(**(known | changes))  # type: ignore[arg-type]  # the test's own keywords

    async def listen(self) -> Receiver:
        self.tasks.append(asyncio.create_task(self.receiver.run()))
        await self.receiver.listening.wait()
        return self.receiver

    def start(self, feed: Feed, **changes: object) -> "Running":
        running = Running(asyncio.Event(), feed)
        settings = self.settings(**changes)
        running.task = asyncio.create_task(self._run(settings, running))
        self.tasks.append(running.task)
        return running

    async def _run(self, settings: GatewaySettings, running: "Running") -> None:
        running.counts = await run_gateway(
            settings, running.feed, stop=running.stop, observe=lambda counts: setattr(running, "counts", counts)
        )


@dataclass
class Running:
    """A gateway that was started; `counts` are the last it reported."""

    stop: asyncio.Event
    feed: Feed
    counts: GatewayCounts = field(default_factory=GatewayCounts)
    task: "asyncio.Task[None]" = field(init=False)

    async def end(self) -> GatewayCounts:
        self.feed.end()
        self.stop.set()
        await self.task
        return self.counts


@pytest.fixture
async def rig(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(broker, tmp_path / "spool" / "gw.db")
    yield made
    pending = set(made.tasks)
    while pending:  # asyncio.wait_for of Python 3.11 may swallow a cancellation
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)
    ends = await asyncio.gather(*made.tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, asyncio.CancelledError):
            raise end


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture(name="until")
def _until() -> Callable[..., object]:
    return until


@pytest.fixture(name="readings")
def _readings() -> Callable[..., list[Reading]]:
    return make_readings

"""A whole gateway on a real broker: outages, backlog, full disk, clean stops."""

import asyncio
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.outbox import Resend
from gateway.service import GatewayCounts
from gateway.spool import Spool, SpoolLimits
from wire.messages import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.gateway.conftest import Feed, Rig
    from wire.messages import Reading

    Until = Callable[..., Awaitable[None]]
    Make = Callable[..., list[Reading]]

PROCESS = Path(__file__).parent / "gateway_process.py"


def in_spool(path: Path) -> set[int]:
    spool = Spool(path, clock=time.time)
    rows = spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)
    spool.close()
    return {one.ms for row in rows for one in Message.model_validate_json(row.payload).readings}


async def test_receipts_lost_late_doubled_and_out_of_order_do_no_harm(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    chance = random.Random(7)
    late: list[str] = []

    def answer(name: str, times: int) -> list[str]:
        if times < 3 and chance.random() < 0.4:
            late.append(name)
            return []
        chance.shuffle(late)
        return [name, *late[:2], name, "someone-elses-7"] if chance.random() < 0.5 else [name]

    receiver = await rig.listen()
    receiver.answer = answer
    running = rig.start(feed)
    for number in range(300):
        feed.put(readings(number))
    await until(lambda: running.counts.confirmed == 300)
    assert receiver.stored == set(range(300))
    counts = await running.end()
    assert counts.published == 300
    assert counts.resent > 0
    assert in_spool(rig.spool) == set()


async def test_a_late_receipt_for_a_message_of_an_earlier_run_is_understood(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    spool = Spool(rig.spool, clock=time.time)
    ids = spool.append(readings(0), readings(1))
    spool.close()
    receiver = await rig.listen()
    receiver.answer = lambda *_: []
    running = rig.start(feed)
    await until(lambda: bool(receiver.came))
    await receiver.receipt(ids)
    await until(lambda: running.counts.confirmed == 2)
    await running.end()


async def test_confirm_broker_forgets_at_the_brokers_acknowledgement(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    running = rig.start(feed, confirm="broker")
    feed.put(readings(0, 10))
    await until(lambda: running.counts.confirmed == 10)
    await running.end()


async def test_a_broker_that_refuses_the_topic_confirms_nothing(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    rig.broker.process.stop()
    rules = rig.broker.folder / "acl"
    rules.write_text("topic read #\ntopic write ecopark/v1/park/gw-1/status\n")
    rig.broker.access += f"\nacl_file {rules}"
    await rig.broker.start()
    running = rig.start(feed, confirm="broker")
    feed.put(readings(0))
    await until(lambda: "readings stay in the spool" in caplog.text)
    counts = await running.end()
    assert (counts.published, counts.confirmed) == (0, 0)
    assert in_spool(rig.spool) == {0}


async def test_a_wrong_password_is_logged_once_and_the_gateway_recovers_when_it_is_corrected(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    rig.broker.process.stop()
    rig.broker.access = "allow_anonymous false"
    await rig.broker.start()
    running = rig.start(feed, confirm="broker")
    feed.put(readings(0))
    await until(lambda: "refuses this gateway" in caplog.text)
    rig.broker.process.stop()
    rig.broker.access = "allow_anonymous true"
    await rig.broker.start()
    await until(lambda: running.counts.confirmed == 1)
    await running.end()
    assert caplog.text.count("refuses this gateway") == 1
    assert "recovered" in caplog.text


class Proxy:
    """A proxy before the broker; stalled, it takes bytes and passes none on, without closing anything."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.open = asyncio.Event()
        self.open.set()
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._pipe(reader, far_writer), self._pipe(far_reader, writer))
        finally:
            writer.close()
            far_writer.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self.open.wait()
                writer.write(data)
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def proxied(target: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    proxy.open.set()
    server.close()


async def test_a_half_open_connection_is_noticed_within_the_keep_alive(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    receiver = await rig.listen()
    async with proxied(rig.broker.port) as proxy:
        running = rig.start(feed, port=proxy.port)
        feed.put(readings(0))
        await until(lambda: 0 in receiver.stored)
        proxy.open.clear()
        feed.put(readings(1))
        await until(lambda: "silent for" in caplog.text)
        proxy.open.set()
        await until(lambda: running.counts.confirmed == 2)
        assert proxy.connections >= 2
        await running.end()


async def test_live_readings_keep_their_pace_while_a_backlog_is_delivered(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    """However slowly the backlog is confirmed: here it stands still, and live readings go on all the same."""
    spool = Spool(rig.spool, clock=time.time)
    behind = set(spool.append(*[readings(number * 50, 50, values=8) for number in range(1_440)]))  # of 50 meters
    spool.close()
    receiver = await rig.listen()
    receiver.answer = lambda name, _: [] if name in behind else [name]
    running = rig.start(feed, resend=Resend())
    await until(lambda: len(receiver.stored) > 1_000)
    for number in range(10):
        feed.put(readings(1_000_000 + number, 1, values=8))
        await until(lambda: running.counts.confirmed == number + 1)  # noqa: B023 - awaited within the turn
    assert not behind <= set(receiver.came)
    receiver.answer = lambda name, _: [name]
    await receiver.receipt(sorted(behind & set(receiver.came)))
    await until(lambda: running.counts.confirmed == 72_010)
    assert (await running.end()).resent == 0


async def test_a_finite_source_is_drained_and_many_messages_share_a_commit(
    rig: "Rig", feed: "Feed", readings: "Make"
) -> None:
    receiver = await rig.listen()
    running = rig.start(feed, drain=True)
    for number in range(4):
        feed.put(readings(number * 20_000, 20_000))
    feed.end()
    await running.task
    counts = running.counts.model_copy(update={"resent": 0})  # where receipts come late, some are sent again
    assert counts == GatewayCounts(read=80_000, appended=80_000, published=80_000, confirmed=80_000)
    assert len(receiver.stored) == 80_000
    assert len(set(receiver.came)) == 160


@contextmanager
def files_cannot_grow() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_in_the_status_and_the_gateway_goes_on(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    receiver = await rig.listen()
    running = rig.start(feed)
    feed.put(readings(0))
    await until(lambda: running.counts.confirmed == 1)
    with files_cannot_grow():
        feed.put(readings(1, 3))
        await until(lambda: "disk of the spool" in (receiver.statuses[-1].fault or ""))
        assert receiver.statuses[-1].discarded == 3
    feed.put(readings(4))
    await until(lambda: receiver.statuses[-1].fault is None and 4 in receiver.stored)
    assert (await running.end()).discarded == 3


async def test_a_full_spool_discards_what_the_broker_has_and_reports_it(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    receiver = await rig.listen()
    receiver.answer = lambda *_: []
    running = rig.start(feed, limits=SpoolLimits(max_bytes=2_000))
    for number in range(100):
        feed.put(readings(number))
    await until(lambda: running.counts.appended == 100)
    await until(lambda: "full" in (receiver.statuses[-1].fault or ""))
    counts = await running.end()
    assert counts.discarded > 50
    assert 99 in in_spool(rig.spool)
    assert caplog.text.count("the spool is full") == 1


async def test_the_last_will_and_the_last_status_say_that_it_is_offline(
    rig: "Rig", feed: "Feed", until: "Until"
) -> None:
    receiver = await rig.listen()
    running = rig.start(feed)
    await until(lambda: bool(receiver.statuses) and receiver.statuses[-1].online)
    await running.end()
    await until(lambda: not receiver.statuses[-1].online)
    assert receiver.statuses[-1].spooled == 0


@pytest.mark.parametrize("broker_is_up", [True, False])
async def test_sigterm_ends_a_gateway_cleanly(broker_is_up: bool, rig: "Rig", until: "Until") -> None:
    receiver = await rig.listen()
    receiver.answer = lambda name, times: []  # noqa: ARG005 - no receipt for anything
    if not broker_is_up:
        rig.broker.process.stop()
    command = [sys.executable, str(PROCESS), str(rig.broker.port), str(rig.spool)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(20):
        await process.stdout.readline()
    if broker_is_up:
        await until(lambda: len(receiver.came) > 5)
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    counts = GatewayCounts.model_validate_json(out.splitlines()[-1])
    assert counts.appended == counts.read == len(in_spool(rig.spool))
    if broker_is_up:
        assert counts.published == counts.read
        await until(lambda: not receiver.statuses[-1].online)


async def test_gateways_killed_again_and_again_lose_nothing_that_was_spooled(rig: "Rig", until: "Until") -> None:
    receiver = await rig.listen()
    chance = random.Random(7)
    told: set[int] = set()
    command = [sys.executable, str(PROCESS), str(rig.broker.port), str(rig.spool)]
    for turn in range(4):
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        told |= {int((await process.stdout.readline())[1:]) for _ in range(chance.randint(6, 15))}
        if turn == 2:
            rig.broker.process.kill()
            rig.broker.forget()
            await rig.broker.start()
        process.kill()
        rest = await process.stdout.read()
        await process.wait()
        told |= {int(line[1:]) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")}
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await until(lambda: told <= receiver.stored, 60)
    process.terminate()
    await process.communicate()
    assert len(told) > 20

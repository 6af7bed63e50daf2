"""What one gateway has piled up while it was offline does not hold up what another reads now."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.publisher import Link
from gateway.service import Settings, run_gateway
from tests.ingest.conftest import Station
from wire.messages import Message, Reading, Receipt
from wire.topics import Channel
from wire.topics import parse as parse_topic

OTHER = Path(__file__).parent / "backlog_process.py"
DAY = 400_000
SHARE = 0.4
"""A live reading that had to wait for the whole backlog would wait as long as that takes."""


async def live(stop: asyncio.Event) -> AsyncIterator[list[Reading]]:
    """Yield ten readings a second until the end."""
    while not stop.is_set():
        yield [Reading(meter="wm-2", ts=time.time_ns() // 1_000_000, values={"volume_m3": 1.0})]
        await asyncio.sleep(0.1)


async def test_live_readings_do_not_wait_for_the_backlog_of_another(station: Station, tmp_path: Path) -> None:
    await station.started()
    address = station.broker.address
    over = asyncio.Event()
    read_at: dict[str, int] = {}
    waited: list[float] = []

    async def watch() -> None:
        async with station.gateway("gw-2") as watcher:
            for channel in (Channel.READINGS, Channel.RECEIPTS):
                await watcher.listen(channel.value)
            watching.set()
            async for message in watcher.client.messages:
                topic = parse_topic(message.topic.value)
                assert topic is not None
                assert isinstance(message.payload, bytes)
                if topic.channel is Channel.READINGS:
                    sent = Message.model_validate_json(message.payload)
                    read_at[sent.id or ""] = sent.readings[0].ms
                else:
                    stored = Receipt.model_validate_json(message.payload).stored
                    waited.extend(time.time() - read_at[name] / 1_000 for name in stored)

    async with asyncio.TaskGroup() as tasks:
        watching = asyncio.Event()
        watcher = tasks.create_task(watch())
        await watching.wait()
        spools = tmp_path / "spools"
        now = Settings(Link(address, "demo", "gw-2"), spools / "2.sqlite")
        living = tasks.create_task(run_gateway(now, live(over), stop=over))
        began = time.monotonic()
        command = [sys.executable, str(OTHER), str(station.broker.port), str(spools / "1.sqlite"), str(DAY)]
        other = await asyncio.create_subprocess_exec(*command)
        async with asyncio.timeout(120):
            assert await other.wait() == 0
        took = time.monotonic() - began
        over.set()
        await living
        watcher.cancel()
    assert await station.count() == DAY
    assert len(waited) > 10
    assert max(waited) < SHARE * took

"""The backlog of one gateway does not delay the live readings of another."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from tests.ingest.conftest import Station
from wire.messages import Reading, Receipt
from wire.topics import Channel

OTHER = Path(__file__).parent / "backlog_process.py"
DAY = 200_000


async def live(stop: asyncio.Event) -> AsyncIterator[list[Reading]]:
    """Yield ten readings a second until the end."""
    while not stop.is_set():
        yield [Reading(meter="wm-2", ts=time.time_ns() // 1_000_000, values={"volume_m3": 1.0})]
        await asyncio.sleep(0.1)


async def test_live_readings_do_not_wait_for_the_backlog_of_another(station: Station, tmp_path: Path) -> None:
    await station.started()
    address = station.broker.address
    over = asyncio.Event()
    live_stored = 0

    async def watch() -> None:
        nonlocal live_stored
        async with station.gateway("gw-2") as watcher:
            await watcher.listen(Channel.RECEIPTS.value)
            watching.set()
            async for message in watcher.client.messages:
                assert isinstance(message.payload, bytes)
                live_stored += len(Receipt.model_validate_json(message.payload).stored)

    async with asyncio.TaskGroup() as tasks:
        watching = asyncio.Event()
        watcher = tasks.create_task(watch())
        await watching.wait()
        spools = tmp_path / "spools"
        now = GatewaySettings(Link(address, "demo", "gw-2"), spools / "2.sqlite")
        living = tasks.create_task(run_gateway(now, live(over), stop=over))
        command = [sys.executable, str(OTHER), str(station.broker.port), str(spools / "1.sqlite"), str(DAY)]
        other = await asyncio.create_subprocess_exec(*command)
        async with asyncio.timeout(600):
            assert await other.wait() == 0
        meanwhile = live_stored
        over.set()
        await living
        watcher.cancel()
    assert await station.count() == DAY
    assert meanwhile >= 3, "live readings were stored while the backlog was delivered"

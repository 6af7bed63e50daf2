"""A gateway with a long past to deliver, as a process of its own: `backlog_process.py PORT SPOOL COUNT`."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from wire.address import BrokerAddress
from wire.messages import Reading


async def past(count: int) -> AsyncIterator[list[Reading]]:
    """Yield one reading for each of the last `count` seconds, as fast as they are consumed."""
    first = time.time_ns() // 1_000_000 - count * 1_000
    for start in range(0, count, 500):
        values = ({"energy_kwh": float(n), "power_kw": 1.5} for n in range(start, start + 500))
        yield [Reading(meter="em-1", ts=first + (start + n) * 1_000, values=v) for n, v in enumerate(values)]


async def main(port: str, spool: str, count: str) -> None:
    link = Link(BrokerAddress.parse(f"mqtt://127.0.0.1:{port}"), "demo", "gw-1")
    done = await run_gateway(GatewaySettings(link, Path(spool), drain=True), past(int(count)), stop=asyncio.Event())
    assert done.confirmed == int(count)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""A gateway in a process of its own: `python gateway_process.py PORT SPOOL`; a reading each 20 ms, until SIGTERM.

Prints `+TS` when the reading of that instant has been spooled, and `counts` as JSON at its end.
"""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from wire.address import BrokerAddress
from wire.messages import Reading


async def ticks(stop: asyncio.Event) -> AsyncIterator[list[Reading]]:
    while not stop.is_set():
        instant = time.time_ns() // 1_000_000
        yield [Reading(meter="m-1", ts=instant, values={"x": 1.0})]
        sys.stdout.write(f"+{instant}\n")
        sys.stdout.flush()
        await asyncio.sleep(0.02)


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    link = Link(BrokerAddress.parse(f"mqtt://127.0.0.1:{sys.argv[1]}"), "park", "gw-1", keepalive_s=2)
    counts = await run_gateway(GatewaySettings(link, Path(sys.argv[2])), ticks(stop), stop=stop)
    sys.stdout.write(counts.model_dump_json() + "\n")


asyncio.run(main())

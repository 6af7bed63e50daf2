"""How a service of Ecopark runs: until it is stopped."""

import asyncio
import signal
from collections.abc import Awaitable, Callable


def run_until_told(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run a service until SIGTERM or Ctrl-C, which let it finish what is in flight."""

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await work(stop)

    asyncio.run(run())

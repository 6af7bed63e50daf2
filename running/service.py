"""How a service of Ecopark runs: until it is stopped."""

import asyncio
import signal
from collections.abc import Awaitable, Callable


def run_until_told(
    work: Callable[[asyncio.Event], Awaitable[None]],
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> None:
    """Run a service until SIGTERM or Ctrl-C, which let it finish what is in flight."""

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await work(stop)

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(run())

"""A gateway of the demo as a process of its own: it was offline since the plant began, then it polls like any other.

The past takes the same way as the present: through the spool, over MQTT, against receipts. At SIGTERM it stops
reading and leaves when its spool is empty, or after a few seconds.
"""

import argparse
import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from ecopark.settings import read_settings
from gateway.drivers import lines_of
from gateway.polling import Polling
from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from metering.parkfile import load_park
from proving.demo.plan import plant_past
from proving.plant.history import history
from proving.plant.plant import Plant
from running.monitor import Monitor, served
from wire.messages import Reading

DRAIN_S = 8.0
CAUGHT_UP_MS = 1000


async def past_then_live(
    plant: Plant, gateway: str, since_ms: int, live: AsyncIterator[Sequence[Reading]], stop: asyncio.Event
) -> AsyncIterator[Sequence[Reading]]:
    """Yield what the gateway would have read from `since_ms` until it has caught up, then what it reads."""
    zone = plant.park.zone
    first = since_ms
    while (last := time.time_ns() // 1_000_000) - first >= CAUGHT_UP_MS:
        begin, end = (datetime.fromtimestamp(ms / 1000, zone) for ms in (first, last))
        for batch in history(plant, gateway, begin, end):
            if stop.is_set():
                return
            yield [Reading.model_construct(**reading) for reading in batch]
        first = last
    async for readings in live:
        yield readings
        if stop.is_set():
            return


async def _work(options: argparse.Namespace) -> None:
    settings = read_settings()
    park = load_park(settings.park)
    plant = Plant(park, seed=options.seed, start=options.start)
    ending, stop = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        ending.set()
        loop.call_later(DRAIN_S, stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    link = Link(settings.broker(), park.id, options.gateway, status_every_s=1.0)
    gateway = next(one for one in park.gateways if one.id == options.gateway)
    monitor = Monitor("gateway", lambda _: (), loop.time)
    lines = lines_of(park, gateway, settings.lines(), time.time)
    async with Polling(lines, clock=time.time, stop=ending) as live, served(monitor, settings.metrics):
        source = past_then_live(plant, options.gateway, options.since, aiter(live), ending)
        how = GatewaySettings(link, settings.spool, drain=True)
        await run_gateway(how, source, stop=stop, observe=lambda counts: monitor.report(counts.model_dump()))


if __name__ == "__main__":
    asyncio.run(_work(plant_past("proving.demo.gateway", "A gateway of the demo.")))

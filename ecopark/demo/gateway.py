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
from pathlib import Path

from ecopark.plant.history import history
from ecopark.plant.plant import Plant
from ecopark.settings import read_settings
from metering.parkfile import load_park
from metering.wire import Reading

DRAIN_S = 8.0


async def past_then_live(
    plant: Plant, gateway: str, since_ms: int, live: AsyncIterator[Sequence[Reading]], stop: asyncio.Event
) -> AsyncIterator[Sequence[Reading]]:
    """Yield what the gateway would have read from `since_ms` until it has caught up, then what it reads."""
    zone = plant.park.zone
    first = since_ms
    while (last := time.time_ns() // 1_000_000) - first >= 1000:
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

"""Eight days of the demo park as the services write them.

The plant's deliveries, checked as the ingester does, stored, and computed by the usage service.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

from ecopark.demo.plan import EXAMPLE, SEED
from ecopark.plant.demopark import demo_park_text
from ecopark.plant.history import history
from ecopark.plant.plant import Plant
from efficiency.meterstatus import MeterStatus
from efficiency.parkusage import ParkUsage
from ingest.accept import accept
from ingest.directory import directory
from ingest.taken import lines_of
from metering.park import Park
from metering.parkfile import load_park
from metering.topics import Channel, topic
from metering.wire import milliseconds
from store.client import Store
from store.schema import OPERATOR_DATABASE

DAYS = 8
SECONDS = 300
"""Between two readings of a meter: the plant's minutes would take a minute to write."""
AT_ONCE = 2000


async def write_past(store: Store, folder: Path, now: datetime) -> Park:
    """Write everything that ends at `now`, and return the park that it is of."""
    start = datetime.combine((now - timedelta(days=DAYS)).date(), datetime.min.time(), load_park(EXAMPLE).zone)
    text = EXAMPLE.read_text(encoding="utf-8").replace("interval_s: 60", f"interval_s: {SECONDS}")
    file = folder / "park.yaml"
    file.write_text(text, encoding="utf-8")
    plant = Plant(load_park(file), seed=SEED, start=start)
    file.write_text(demo_park_text(text, plant), encoding="utf-8")
    park = load_park(file)
    await _deliver(store, Plant(park, seed=SEED, start=start), start, now)
    usage = ParkUsage(store, park)
    await usage.begin(milliseconds(now))
    await usage.cycle(milliseconds(now))
    await MeterStatus(store).write(park, milliseconds(now))
    return park


async def _deliver(store: Store, plant: Plant, start: datetime, now: datetime) -> None:
    known, lines, ms = directory(plant.park), [], milliseconds(now)
    for gateway in plant.park.gateways:
        for batch in history(plant, gateway.id, start, now):
            payload = json.dumps({"readings": batch}).encode()
            came = accept(topic(plant.park.id, gateway.id, Channel.READINGS), payload, ms, known)
            assert not came.refusals
            lines += lines_of(came.taken)
            if len(lines) >= AT_ONCE:
                await store.write(lines, OPERATOR_DATABASE)
                lines = []
    await store.write(lines, OPERATOR_DATABASE)

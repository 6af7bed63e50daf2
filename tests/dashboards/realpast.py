"""Eight days of the demo park as the services write them.

The plant's deliveries, checked as the ingester does, stored, and computed by the usage service. Every tenant has a
baseline that expects much, but one expects little.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

from efficiency.baseline.model import Baseline, BaselineDriver, Fit, Subject
from efficiency.indicators.tenant import fence_meters
from efficiency.service.meterstatus import MeterStatus
from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import EVER
from ingest.accept import accept
from ingest.directory import directory
from ingest.taken import lines_of
from metering.instants import milliseconds
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility
from proving.demo.plan import EXAMPLE, SEED
from proving.plant.demopark import demo_park_text
from proving.plant.history import history
from proving.plant.plant import Plant
from store.client import Store
from store.schema import OPERATOR_DATABASE
from wire.topics import Channel, topic

DAYS = 8
SECONDS = 300
"""Between two readings of a meter: the plant's minutes would take a minute to write."""
AT_ONCE = 2000
ABOVE = "steel"
"""The tenant that uses more than its baseline expects."""


async def write_past(store: Store, folder: Path, now: datetime, days: int = DAYS) -> Park:
    """Write everything that ends at `now`, and return the park that it is of."""
    start = datetime.combine((now - timedelta(days=days)).date(), datetime.min.time(), load_park(EXAMPLE).zone)
    text = EXAMPLE.read_text(encoding="utf-8").replace("interval_s: 60", f"interval_s: {SECONDS}")
    file = folder / "park.yaml"
    file.write_text(text, encoding="utf-8")
    plant = Plant(load_park(file), seed=SEED, start=start)
    file.write_text(demo_park_text(text, plant), encoding="utf-8")
    park = load_park(file)
    await _deliver(store, Plant(park, seed=SEED, start=start), start, now)
    usage = ParkUsage(store, park)
    usage.baselines = [_baseline(park, tenant.id, start) for tenant in park.tenants]
    await usage.begin(milliseconds(now))
    await usage.cycle(milliseconds(now))
    await MeterStatus(store).write(park, milliseconds(now))
    return park


def _baseline(park: Park, tenant: str, start: datetime) -> Baseline:
    """Eight days are too short for a fit: this one came from elsewhere."""
    (line,) = fence_meters(park, tenant, Utility.PRODUCTION, EVER)
    found = Fit(
        n=300,
        left_out=0,
        intercept=1000.0 if tenant == ABOVE else 60_000.0,
        drivers=(BaselineDriver(name="output", unit=line.unit, slope=0.5, low=0.0, high=1e6),),
        r2=0.9,
        cv_rmse=0.05,
        rmse=2000.0,
        refusals=(),
    )
    return Baseline(
        id=f"{tenant}-electricity",
        version=1,
        subject=Subject(tenant=tenant, utility=Utility.ELECTRICITY),
        unit="kWh",
        period_from=start.date(),
        period_to=start.date(),
        holds_from=start.date(),
        frozen_on=start.date(),
        reason="a year of another plant",
        fit=found,
    )


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

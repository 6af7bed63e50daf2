"""How long the use of a large park takes to compute, and what it takes to keep it current: on a private database.

    ecopark bench usage --days 1 --interval 60

The registers of a window are written first. Then `ecopark usage recompute`, as operators run it, computes the window;
then a service's cycles take in one poll of all meters each. docs/notes/bench.md explains the keys of the result.
"""

import asyncio
import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import DAY_MS, Span
from metering.errors import OperatorError
from metering.instants import milliseconds
from metering.park import Park
from metering.parkfile import load_park
from proving.bench.manyfold import METERS, PARK, lines, write_park
from proving.bench.processtime import cpu_s, resident_mb
from proving.servers import Influxd
from store.client import Store
from store.lines import point, series
from store.schema import METER_STATUS, NS_PER_MS, OPERATOR_DATABASE, tenant_database

COPIES = 22
_LINES_AT_ONCE = 10_000
_CYCLES = 5
_WRITE_AT_ONCE_MS = 7 * DAY_MS


async def measure(folder: Path, copies: int, days: int, interval_s: int) -> dict[str, Any]:
    """Measure; the park file and the database are in `folder`, with all that was written, when it is done.

    Raises `OperatorError` where a server is missing or computing fails.
    """
    file = folder / "park.yaml"
    write_park(file, copies, interval_s)
    park = load_park(file)
    today = datetime.now(park.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    window = Span(milliseconds(today - timedelta(days=days)), milliseconds(today))
    database = Influxd(folder / "influx")
    try:
        await database.start()
        async with Store(database.url) as store:
            await _make_tenants_databases(store, park, window)
            await _write_registers(store, park, window)
            computed = await recompute(database, file, park, window)
            cycle = await _cycles(database, store, park, window)
    finally:
        database.process.stop()
    return {
        "park": PARK,
        "meters": copies * METERS,
        "days": days,
        "interval_s": interval_s,
        "cores": os.cpu_count(),
        "load_average_before": round(os.getloadavg()[0], 2),
        "recompute": computed,
        "cycle": cycle,
    }


async def _make_tenants_databases(store: Store, park: Park, window: Span) -> None:
    """As they are where the service has run before: made by `ecopark tenants sync`, and in use."""
    for tenant in park.tenants:
        database = tenant_database(park.id, tenant.id)
        await store.create_database(database)
        tags = {"park": park.id, "tenant": tenant.id, "meter": park.points_of_tenant(tenant.id)[0].meter.id}
        await store.write([point(series(METER_STATUS, tags), {"heard": True}, window.start * NS_PER_MS)], database)


async def _write_registers(store: Store, park: Park, window: Span) -> None:
    for start in range(window.start, window.end, _WRITE_AT_ONCE_MS):
        week = Span(start, min(start + _WRITE_AT_ONCE_MS, window.end))
        for some in _batches(lines(park, week, window.start)):
            await store.write(some, OPERATOR_DATABASE)


def _batches(parts: Iterator[list[str]]) -> Iterator[list[str]]:
    waiting: list[str] = []
    for part in parts:
        waiting += part
        while len(waiting) >= _LINES_AT_ONCE:
            yield waiting[:_LINES_AT_ONCE]
            waiting = waiting[_LINES_AT_ONCE:]
    yield waiting


async def recompute(database: Influxd, file: Path, park: Park, window: Span) -> dict[str, float]:
    """Compute a window from nothing by the command as operators call it.

    Raises `OperatorError` where it fails.
    """
    first, last = (datetime.fromtimestamp(ms / 1000, park.zone).date() for ms in (window.start, window.end - 1))
    known = {"ECOPARK_PARK": str(file), "ECOPARK_INFLUX_URL": database.url}
    env = {name: value for name, value in os.environ.items() if not name.startswith("ECOPARK_")} | known
    before, theirs, began = resource.getrusage(resource.RUSAGE_CHILDREN), cpu_s(database.process.pid), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ecopark", "usage", "recompute", "--from", str(first), "--to", str(last)),
        stdout=asyncio.subprocess.PIPE,
        env=env,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise OperatorError(f"ecopark usage recompute ended with status {process.returncode}; see above")
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    _, count, *_ = said.decode().split()  # behind the name of the park
    return {
        "quarter_hours": int(count.replace(",", "")),
        "seconds": round(took, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "database_cpu_s": round(cpu_s(database.process.pid) - theirs, 1),
        "peak_mb": round(after.ru_maxrss / 1024),
        "database_mb": round(resident_mb(database.process.pid)),
    }


async def _cycles(database: Influxd, store: Store, park: Park, window: Span) -> dict[str, float]:
    """The least of several cycles, after one that has caught up."""
    usage, origin = ParkUsage(store, park), window.start
    step = park.meters[0].interval_s * 1000
    now = window.end
    await usage.begin(now)
    await usage.cycle(now)
    ours, theirs = [], []
    for _ in range(_CYCLES):
        poll = Span(now, now + step)
        await store.write(list(chain.from_iterable(lines(park, poll, origin))), OPERATOR_DATABASE)
        now += step
        before, began = cpu_s(database.process.pid), time.process_time()
        await usage.cycle(now)
        ours.append(time.process_time() - began)
        theirs.append(cpu_s(database.process.pid) - before)
    return {"cpu_s": round(min(ours), 2), "database_cpu_s": round(min(theirs), 2)}

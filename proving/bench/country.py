"""The cost of many parks: `ecopark bench country` runs a share of a country on this machine and extrapolates.

Registers of some hours before are written at once. Then gateways of a hundred meters send a message a minute through
the broker, spread over the minute; ingesters and the usage service run as operators run them, and the panels of a park
are asked at the same time. Then days of one small park are written at once, computed, and weighed on the disk.
`proving.bench.scaledoc` makes docs/scale.md of the result.
"""

import asyncio
import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from efficiency.service.fewatonce import few_at_once
from efficiency.service.running import BEHIND_MS
from efficiency.usage.intervals import DAY_MS, Span
from metering.errors import OperatorError
from metering.instants import milliseconds
from metering.park import Park
from metering.parkfile import load_park
from proving.bench.countrygateway import LINES_AT_ONCE, CountryGateway, values_of
from proving.bench.panels import time_panels
from proving.bench.parks import PER_GATEWAY, TENANTS, country_park, write_country
from proving.bench.processtime import cpu_s, open_files, peak_mb, resident_mb
from proving.bench.station import Station
from proving.bench.usage import recompute
from proving.processes import Child
from proving.servers import Influxd, Mosquitto
from store.client import Store
from store.lines import point
from store.schema import NS_PER_MS, OPERATOR_DATABASE, PIPELINE, USAGE, USAGE_CURSOR, reading_series
from store.select import Of, select, where
from wire.client import client_of

MINUTE_MS = 60_000
SETTLES_S = 600.0
STARTS_S = 1800.0
"""The first time the usage service makes the databases of all tenants."""
CATCHES_UP_S = 600.0
"""After that, where the machine is slow, figures are measured of a service that does not keep up."""
KEEPS_UP_S = 120.0
"""A usage service that is no further behind keeps up with readings of each minute."""
FILES_OF_TENANT = 12
"""What the database has open for a tenant's database at most, while shards are new."""
_AS_DELIVERED = "10m"
"""When the database packs a shard that nobody writes to; what is packed after each pause keeps more files open."""
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class CountryScale:
    """The country has `parks` parks of `meters` meters; `share` of them is simulated for `minutes`.

    These minutes begin when each park was computed once, and the usage service keeps up. Before that, registers of
    `past_minutes` are written at once: as many as the usage service keeps in memory, and looks back at to see whether
    there is anything to judge.
    """

    parks: int = 400
    meters: int = 2_000
    share: float = 0.1
    minutes: int = 5
    past_minutes: int = BEHIND_MS // MINUTE_MS + 30
    ingesters: int = 2
    index: str = "inmem"
    """The database's `index-version`: in memory, as it is delivered, or on disk (`tsi1`), which opens more files."""
    weighed_meters: int = 200
    weighed_days: int = 3
    minute_s: float = 60.0
    packed_s: float = 75.0
    """The private database compacts after half a minute without writes; this is how long it gets."""

    @property
    def simulated(self) -> int:
        """Parks that are simulated."""
        return max(1, round(self.parks * self.share))

    @property
    def per_minute(self) -> int:
        """Readings of all simulated parks in a minute."""
        return self.simulated * self.meters


async def measure(folder: Path, scale: CountryScale) -> dict[str, Any]:
    """Measure; the figures by the keys that docs/notes/bench.md explains.

    Raises `OperatorError` where a server is missing, a reading is lost, or too few files may be open.
    """
    _allow_files(scale.simulated * TENANTS * FILES_OF_TENANT)
    parks = folder / "parks"
    write_country(parks, scale.simulated, scale.meters)
    loaded = round(os.getloadavg()[0], 2)
    broker = Mosquitto(folder / "broker")
    database = Influxd(folder / "influx", index=scale.index, packs_after=_AS_DELIVERED)
    try:
        await asyncio.gather(broker.start(), database.start())
        async with Store(database.url) as store:
            found = await _Country(scale, Station(folder, parks, store, broker, database)).run()
    finally:
        broker.process.stop()
        database.process.stop()
    return {
        "parks": scale.parks,
        "meters": scale.meters,
        "tenants": TENANTS,
        "simulated": scale.simulated,
        "index": scale.index,
        "cores": os.cpu_count(),
        "load_average_before": loaded,
        **found,
        "disk": await weigh(folder / "weighed", scale),
    }


def _allow_files(count: int) -> None:
    """Let the database, which inherits the limit, open as many files as this shell may allow; these must suffice.

    With all that it may open in use, InfluxDB 1.6.7 refused writes ("file already closed"), and soon answered nothing.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if count > most != resource.RLIM_INFINITY:
        raise OperatorError(
            f"the database will have up to {count:,} files open, and this shell allows {most:,}: raise it by "
            f"`ulimit -Hn {count}` (as root), or simulate fewer parks (--share)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Country:
    """Run the simulated parks; measuring begins once each was computed."""

    def __init__(self, scale: CountryScale, station: Station) -> None:
        self._scale = scale
        self._station = station
        self._sent = 0
        self._stop = asyncio.Event()
        firsts = range(0, scale.meters, PER_GATEWAY)
        self._gateways = [
            CountryGateway(park, first, min(first + PER_GATEWAY, scale.meters))
            for first in firsts
            for park in range(scale.simulated)
        ]

    async def run(self) -> dict[str, Any]:
        scale, station = self._scale, self._station
        usage = station.child("usage", ["-m", "ecopark", "usage", "run"], ECOPARK_INSTANCE="usage-1")
        try:
            await station.have_ingesters(scale.ingesters)
            # Before anything is sent: this takes half a minute, and a reading that comes so late makes a gap.
            series = [self._series(park) for park in range(scale.simulated)]
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send())
                await self._write_past(series, time.time_ns() // NS_PER_MS)
                usage.start()
                began = time.monotonic()
                await self._computed_once()
                await self._keeps_up()
                started, before = time.monotonic(), self._used(usage)
                panels = await self._panels()
                await asyncio.sleep(started + scale.minutes * scale.minute_s - time.monotonic())
                after, passed_s = self._used(usage), time.monotonic() - started
                lag_s, cycle_s = await self._lag(), await self._cycle()
                self._stop.set()
            await self._arrived()
            return {
                "past_minutes": scale.past_minutes,
                "minutes": scale.minutes,
                "start_s": round(started - began, 1),
                "readings_per_s": round(scale.per_minute / scale.minute_s, 1),
                "cpu_share": {part: round((after[part] - before[part]) / passed_s, 4) for part in after},
                "memory_mb": self._memory(usage),
                "usage_lag_s": lag_s,
                "usage_cycle_s": cycle_s,
                "open_files": self._open_files(),
                "panels": panels,
            }
        finally:
            usage.stop()
            await station.keep_ingesters(0)

    def _used(self, usage: Child) -> dict[str, float]:
        station = self._station
        return {
            "ingest": sum(cpu_s(child.pid) for child in station.ingesters),
            "broker": cpu_s(station.broker.process.pid),
            "database": cpu_s(station.database.process.pid),
            "usage": cpu_s(usage.pid),
        }

    def _memory(self, usage: Child) -> dict[str, float]:
        station = self._station
        return {
            "ingest": round(max(resident_mb(child.pid) for child in station.ingesters), 1),
            "broker": round(resident_mb(station.broker.process.pid), 1),
            "database": round(resident_mb(station.database.process.pid), 1),
            "usage": round(resident_mb(usage.pid), 1),
            "usage_peak": round(peak_mb(usage.pid), 1),
        }

    def _open_files(self) -> dict[str, int]:
        """Of the database, by what they belong to."""
        station = self._station
        data = station.folder.absolute() / "influx"
        files = open_files(station.database.process.pid, data)
        operators = [file for file in files if OPERATOR_DATABASE in file.relative_to(data).parts]
        shards = {file.parts[-2] for file in operators if file.suffix in {".tsm", ".wal"}}
        return {"all": len(files), "operators": len(operators), "operators_shards": max(1, len(shards))}

    async def _send(self) -> None:
        """Each gateway's message of each minute at its place in the minute."""
        scale, gateways = self._scale, self._gateways
        begun = time.monotonic()
        async with client_of(self._station.broker.address) as client:
            for minute in count(scale.past_minutes):
                for place, gateway in enumerate(gateways):
                    if self._stop.is_set():
                        return
                    due = begun + (minute - scale.past_minutes + place / len(gateways)) * scale.minute_s
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    await client.publish(gateway.topic, gateway.message(minute), qos=1)
                    self._sent += gateway.end - gateway.first

    def _series(self, number: int) -> list[str]:
        park = load_park(self._station.parks / f"{country_park(number)}.yaml")
        return [reading_series(park.id, meter) for meter in park.meters]

    async def _write_past(self, series: Sequence[Sequence[str]], until_ms: int) -> None:
        """The registers of the time before, each gateway's at its place in the minute; `series` by park and meter."""
        scale = self._scale
        begins = [place / len(self._gateways) - scale.past_minutes for place in range(len(self._gateways))]
        await few_at_once(
            partial(self._write_past_of, gateway, series[gateway.park], until_ms + begin * scale.minute_s * 1_000)
            for gateway, begin in zip(self._gateways, begins, strict=True)
        )

    async def _write_past_of(self, gateway: CountryGateway, series: Sequence[str], first_ms: float) -> None:
        minute_ms = self._scale.minute_s * 1_000
        instants = [round(first_ms + minute * minute_ms) * NS_PER_MS for minute in range(self._scale.past_minutes)]
        for lines in gateway.past(series, instants):
            await self._station.store.write(lines, OPERATOR_DATABASE)
            self._sent += len(lines)

    async def _panels(self) -> dict[str, float]:
        """What the panels of the operator of one park take meanwhile, in milliseconds."""
        park = load_park(self._station.parks / f"{country_park(0)}.yaml")
        pid = self._station.database.process.pid
        timed = await time_panels(self._station.store, park, datetime.now(UTC), pid, {"24 h": timedelta(days=1)})
        ordered = sorted(one.ms for one in timed)
        return {
            "queries": len(ordered),
            "p50_ms": round(ordered[len(ordered) // 2], 1),
            "p95_ms": round(ordered[int(len(ordered) * 0.95)], 1),
        }

    async def _arrived(self) -> None:
        counted = select("electricity", [Of("count", "energy_kwh", "n")])
        deadline, there = time.monotonic() + SETTLES_S, 0
        while there != self._sent and time.monotonic() < deadline:
            await asyncio.sleep(1)
            rows = await self._station.store.query(counted, OPERATOR_DATABASE)
            there = int(rows[0]["n"]) if rows else 0
        if there != self._sent:
            raise OperatorError(f"{self._sent} readings were published, and the database has {there} of them")

    async def _computed(self) -> list[int]:
        """Until when each park is computed, ms; parks that were not computed yet are left out."""
        newest = select(USAGE_CURSOR, ["computed"], "", ["park"], newest=1)
        return [int(row["computed"]) for row in await self._station.store.query(newest, OPERATOR_DATABASE)]

    async def _computed_once(self) -> None:
        deadline = time.monotonic() + STARTS_S
        while (found := len(await self._computed())) < self._scale.simulated:
            if time.monotonic() > deadline:
                raise OperatorError(f"{found} of {self._scale.simulated} parks were computed at all")
            await asyncio.sleep(1)

    async def _keeps_up(self) -> None:
        deadline = time.monotonic() + CATCHES_UP_S
        while await self._lag() > KEEPS_UP_S and time.monotonic() < deadline:  # noqa: ASYNC110 (a server sets no event of ours)
            await asyncio.sleep(1)

    async def _lag(self) -> float:
        """How far the computation of the park furthest behind lags, seconds."""
        return round(time.time() - min(await self._computed()) / 1000, 1)

    async def _cycle(self) -> float:
        """How long the newest cycle through all parks took."""
        newest = select(PIPELINE, ["cycle_s"], where({"service": "usage"}), newest=1)
        rows = await self._station.store.query(newest, OPERATOR_DATABASE)
        return round(float(rows[0]["cycle_s"]), 1) if rows else 0.0


async def weigh(folder: Path, scale: CountryScale) -> dict[str, float]:
    """Bytes on the disk of a reading and of a quarter hour of use, from days of a small park.

    Those of a quarter hour are of the days after the first: what is paid once for each series is not in them.
    """
    meters, days = scale.weighed_meters, scale.weighed_days
    write_country(folder / "parks", 1, meters)
    file = folder / "parks" / f"{country_park(0)}.yaml"
    park = load_park(file)
    midnight = datetime.now(park.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = milliseconds(midnight) - days * DAY_MS
    first, others = Span(begin, begin + DAY_MS), Span(begin + DAY_MS, begin + days * DAY_MS)
    server = Influxd(folder / "influx")
    try:
        await server.start()
        async with Store(server.url) as store:
            for some in _days(park, begin, days):
                await store.write(some, OPERATOR_DATABASE)
            await asyncio.sleep(scale.packed_s)
            readings = _operators(folder / "influx")
            sizes, quarters = [], []
            for window in (first, others):
                await recompute(server, file, park, window)
                await asyncio.sleep(scale.packed_s)
                counted = select(USAGE, [Of("count", "completeness", "n")])
                quarters.append(int((await store.query(counted, OPERATOR_DATABASE))[0]["n"]))
                sizes.append(_operators(folder / "influx"))
    finally:
        server.process.stop()
    further = quarters[1] - quarters[0]
    return {
        "bytes_per_reading": round(readings / (meters * days * 24 * 60), 2),
        "bytes_per_quarter_hour": round(2 * (sizes[1] - sizes[0]) / further, 1),
        "quarter_hours": further,
    }


def _operators(folder: Path) -> int:
    """What the operator's database takes; a tenant's has a share of the use once more, and a fixed cost of its own."""
    return sum(_size(folder / part / OPERATOR_DATABASE) for part in ("data", "wal"))


def _size(folder: Path) -> int:
    """Bytes that all files below a folder take on the disk (many are sparse); one deleted meanwhile counts as 0."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += file.stat().st_blocks * _BLOCK if file.is_file() else 0
    return total


def _days(park: Park, begin: int, days: int) -> Iterator[list[str]]:
    lines: list[str] = []
    for number, meter in enumerate(park.meters):
        head = reading_series(park.id, meter)
        for minute in range(days * 24 * 60):
            lines.append(point(head, values_of(number, minute), (begin + minute * MINUTE_MS) * NS_PER_MS))
            if len(lines) == LINES_AT_ONCE:
                yield lines
                lines = []
    yield lines

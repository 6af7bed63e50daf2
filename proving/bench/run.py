"""One run of the bench: everything on the same private servers, one after the other, so that ratios hold."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proving.bench.ceiling import ceiling
from proving.bench.edge import edge
from proving.bench.latency import latency
from proving.bench.load import Shape
from proving.bench.loading import Offer
from proving.bench.memory import growth, park_load_s
from proving.bench.parks import write_parks
from proving.bench.processtime import resident_mb
from proving.bench.scale import BenchScale
from proving.bench.station import Station
from proving.bench.telegraf import binary, telegrafs
from proving.bench.throughput import Takers, flow, ingesters_of, middle
from proving.servers import Influxd, Mosquitto
from store.client import Store

SHAPES: tuple[Shape, ...] = ("single", "batch", "mix")
_SPAN_MS = {"single": 5_000, "batch": 5_000, "mix": 30_000}
"""Distance between the loads of a shape: more than the longest of them lasts by its own instants."""


class Instants:
    """Where each load begins: at present, as meters do, and so that no two write the same point."""

    def __init__(self) -> None:
        self._free = dict.fromkeys(SHAPES, 0)

    def next(self, shape: Shape) -> int:
        """The first instant of another load, in milliseconds since the epoch."""
        # The large park's shapes share its meters, so they share a line of instants, too.
        line: Shape = "mix" if shape == "mix" else "single"
        first_ms = max(time.time_ns() // 1_000_000, self._free[line])
        self._free[line] = first_ms + _SPAN_MS[shape]
        return first_ms


async def run(scale: BenchScale, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything; the figures by the keys that docs/notes/bench.md explains. `tell` hears what is begun.

    Raises `OperatorError` where a server is missing or a reading is lost.
    """
    began = time.monotonic()
    loaded = os.getloadavg()[0]
    parks = folder / "parks"
    write_parks(parks, scale.meters)
    broker, database = Mosquitto(folder / "broker"), Influxd(folder / "influx")
    try:
        await broker.start()
        await database.start()
        async with Store(database.url) as store:
            station = Station(folder, parks, store, broker, database)
            try:
                figures = await _Bench(scale, station, tell).run()
            finally:
                await station.keep_ingesters(0)
    finally:
        broker.process.stop()
        database.process.stop()
    return figures | {
        "cores": os.cpu_count(),
        "load_average_before": round(loaded, 2),
        "seconds": round(time.monotonic() - began, 1),
    }


class _Bench:
    def __init__(self, scale: BenchScale, station: Station, tell: Callable[[str], None]) -> None:
        self._scale = scale
        self._station = station
        self._tell = tell
        self._at = Instants()
        self._loads: dict[Shape, int] = {"single": scale.single, "batch": scale.batch, "mix": scale.mix}

    async def run(self) -> dict[str, Any]:
        scale, station = self._scale, self._station
        figures: dict[str, Any] = {"meters": scale.meters}
        self._tell("park file")
        figures["park_load_s"] = round(await park_load_s(station.parks / "bench.yaml", scale.repetitions), 3)
        await station.have_ingesters(1)
        self._tell("the database's ceiling")
        top = await ceiling(station, scale.ceiling, self._at.next("batch"), scale.meters)
        figures |= {"ceiling_points_per_s": max(top.values()), "ceiling": top}
        figures |= await self._flows(1)
        figures["offered"] = await self._offered(1, ingesters_of(station))
        figures["latency_ms"] = {str(rate): await self._latency(rate) for rate in scale.rates}
        self._tell("memory")
        rounds = -(-scale.growth // scale.growth_round)
        firsts = [self._at.next("single") for _ in range(rounds + 1)]
        figures |= await growth(station, scale.growth, scale.growth_round, firsts, scale.meters)
        for number in scale.ingesters[1:]:
            await station.have_ingesters(number)
            for shape, found in (await self._flows(number)).items():
                figures[shape][f"with_{number}"] = found
            for rate, found in (await self._offered(number, ingesters_of(station))).items():
                figures["offered"][rate][f"with_{number}"] = found
        await station.keep_ingesters(1)
        self._tell("gateway")
        figures["gateway"] = await edge(station, scale.gateway_s, scale.backlog)
        await station.keep_ingesters(0)
        self._tell("telegraf")
        figures["telegraf"] = await self._telegraf(figures)
        figures["batch"]["ceiling_share"] = round(
            figures["batch"]["readings_per_s"] / figures["ceiling_points_per_s"], 3
        )
        return figures

    async def _flows(self, ingesters: int) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for shape in SHAPES:
            self._tell(f"{shape}, {ingesters} of ingesters")
            repetitions = self._scale.repetitions if ingesters == 1 else 1
            found[shape] = dict(
                middle([await flow(self._station, self._offer(shape, self._loads[shape])) for _ in range(repetitions)])
            )
        return found

    async def _latency(self, rate: int) -> dict[str, float]:
        self._tell(f"latency at {rate} readings/s")
        found = await latency(self._station, rate, self._scale.latency_s, self._at.next("single"), self._scale.meters)
        return {
            "p50": found.p50,
            "p95": found.p95,
            "p99": found.p99,
            "samples": found.samples,
            "readings_per_s": found.readings_per_s,
        }

    def _offer(self, shape: Shape, readings: int, rate: float | None = None) -> Offer:
        return Offer(shape, readings, self._at.next(shape), self._scale.meters, rate)

    async def _offered(self, number: int, takers: Takers, whose: str = "ingesters") -> dict[str, dict[str, Any]]:
        """Messages of one reading at each rate, and at full speed."""
        found: dict[str, dict[str, Any]] = {}
        for rate in self._scale.offered:
            self._tell(f"{rate} messages/s, {number} {whose}")
            offer = self._offer("single", round(rate * self._scale.offered_s), rate)
            found[str(rate)] = dict(middle([await flow(self._station, offer, takers)]))
        self._tell(f"full speed, {number} {whose}")
        found["full"] = dict(middle([await flow(self._station, self._offer("single", self._scale.single), takers)]))
        return found

    async def _telegraf(self, figures: dict[str, Any]) -> dict[str, Any] | None:
        if binary() is None:
            return None
        found: dict[str, Any] = {}
        for shape in ("single", "batch"):
            async with telegrafs(self._station, shape, 1, shape) as takers:
                theirs = middle([await flow(self._station, self._offer(shape, self._loads[shape]), takers)])
                rss_mb = round(resident_mb(takers.pids[0]), 1)
            found[shape] = theirs | {"rss_mb": rss_mb} | _ratios(theirs, figures[shape])
        found["offered"] = {}
        for number in self._scale.ingesters:
            async with telegrafs(self._station, "single", number, f"offered-{number}") as takers:
                offered = await self._offered(number, takers, "of Telegraf")
            for rate, theirs in offered.items():
                ours = figures["offered"][rate]
                ours = ours if number == 1 else ours[f"with_{number}"]
                place = found["offered"].setdefault(rate, {})
                whole = theirs | _ratios(theirs, ours)
                place |= whole if number == 1 else {f"with_{number}": whole}
        return found


def _ratios(theirs: dict[str, float], ours: dict[str, Any]) -> dict[str, float]:
    """Their figures over ours."""
    return {
        "cpu_ratio": round(theirs["cpu_us_per_reading"] / max(ours["cpu_us_per_reading"], 0.01), 2),
        "readings_ratio": round(theirs["readings_per_s"] / ours["readings_per_s"], 2),
    }

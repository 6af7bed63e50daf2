"""A running gateway: the cost of polling, and the backlog after a day without a connection to the broker.

Its meters are fifty simulated ones on Modbus TCP, in a separate process; its spool is fsynced as usual.
"""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from gateway.spool import Spool
from metering.errors import OperatorError
from proving.bench.parks import EDGE_GATEWAY, EDGE_METERS, EDGE_PARK, meter_of
from proving.bench.processtime import cpu_s, resident_mb
from proving.bench.station import LOOK_S, STORE_S, Station
from proving.processes import Child
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from store.select import Of, select, where
from wire.messages import Reading

VALUES = 8
MINUTE_MS = 60_000
SETTLE_S = 2.0


async def edge(station: Station, seconds: float, backlog: int) -> dict[str, float]:
    """Poll for so many seconds, then deliver a backlog of so many polls while polling continues."""
    file = station.parks / "edge.yaml"
    start = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    plant = station.child(
        "plant",
        ["-m", "proving.plant.server", "--park", str(file), "--start", start, "--ports", f"{EDGE_GATEWAY}=0"],
    )
    plant.start()
    try:
        await station.until_said(plant, '{"ports"')
        said = next(line for line in plant.log.read_text(encoding="utf-8").splitlines() if line.startswith("{"))
        port = json.loads(said)["ports"][EDGE_GATEWAY]
        polling = await _polling(station, _gateway(station, port, "polling"), seconds)
        return polling | await _backlog(station, _gateway(station, port, "backlog"), backlog)
    finally:
        await asyncio.to_thread(plant.stop)


def _gateway(station: Station, port: int, name: str) -> Child:
    return station.child(
        f"gateway-{name}",
        ["-m", "ecopark", "gateway", "run", EDGE_GATEWAY],
        ECOPARK_PARK=str(station.parks / "edge.yaml"),
        ECOPARK_MODBUS_URL=f"modbus://127.0.0.1:{port}",
        ECOPARK_SPOOL=str(_spool(station, name)),
    )


def _spool(station: Station, name: str) -> Path:
    return station.folder / f"{name}.sqlite"


async def _polling(station: Station, gateway: Child, seconds: float) -> dict[str, float]:
    """Share of one core, from some seconds after the first reading on."""
    gateway.start()
    try:
        await _newest(station, gateway, 0)
        await asyncio.sleep(SETTLE_S)
        before, began = cpu_s(gateway.pid), time.monotonic()
        counted = await _live(station)
        await asyncio.sleep(seconds)
        used, passed = cpu_s(gateway.pid) - before, time.monotonic() - began
        polled = await _live(station) - counted
        return {
            "cpu_share": round(used / passed, 4),
            "readings_per_s": round(polled / passed, 1),
            "rss_mb": round(resident_mb(gateway.pid), 1),
        }
    finally:
        await asyncio.to_thread(gateway.stop)


async def _backlog(station: Station, gateway: Child, polls: int) -> dict[str, float]:
    """From the start of the gateway's process until the database has the backlog, with live readings meanwhile."""
    first_ms = await asyncio.to_thread(_fill, _spool(station, "backlog"), polls)
    span = where({"park": EDGE_PARK}, since=first_ms, before=first_ms + polls * MINUTE_MS)
    expected = polls * EDGE_METERS
    began = time.monotonic()
    since_ms = time.time_ns() // 1_000_000
    gateway.start()
    late: list[float] = []
    try:
        while (stored := await _count(station, span)) < expected:
            if time.monotonic() - began > STORE_S:
                raise OperatorError(f"the backlog was not delivered: {stored} of {expected} readings; {gateway.log}")
            # Between two counts live readings are watched, so a count is at most a second late.
            since_ms = await _newest(station, gateway, since_ms)
            late.append(time.time() - since_ms / 1000)
        seconds = time.monotonic() - began
    finally:
        await asyncio.to_thread(gateway.stop)
    return {
        "backlog_s": round(seconds, 2),
        "backlog_values": expected * VALUES,
        "backlog_messages": polls,
        "live_p50_ms": round(median(late) * 1000, 1),
        "live_max_ms": round(max(late) * 1000, 1),
        "live_samples": len(late),
    }


def _fill(path: Path, polls: int) -> int:
    """Put so many polls, a minute apart, on disk as the gateway itself does; the first instant in milliseconds."""
    first_ms = (time.time_ns() // 1_000_000 // MINUTE_MS - polls - 60) * MINUTE_MS
    spool = Spool(path, clock=time.time)
    try:
        spool.append(*(_poll(first_ms, number) for number in range(polls)))
    finally:
        spool.close()
    return first_ms


def _poll(first_ms: int, number: int) -> list[Reading]:
    return [
        Reading(
            meter=meter_of(meter),
            ts=first_ms + number * MINUTE_MS,
            values={
                "energy_kwh": 48_211.25 + meter * 7 + number * 0.125,
                "energy_export_kwh": 0.25 * number,
                "reactive_kvarh": 9_120.5 + number * 0.5,
                "power_kw": 180 + number % 40 / 8,
                "power_factor": 0.9 + number % 10 / 128,
                "voltage_v": 400 + number % 16 / 8,
                "current_a": 260 + number % 80 / 8,
                "frequency_hz": 50 + number % 4 / 64,
            },
        )
        for meter in range(EDGE_METERS)
    ]


async def _newest(station: Station, gateway: Child, since_ms: int) -> int:
    """Wait for a live reading of the last meter after an instant; returns its instant (ms)."""
    deadline = time.monotonic() + STORE_S
    while time.monotonic() < deadline and gateway.running:
        last = where({"park": EDGE_PARK, "meter": meter_of(EDGE_METERS - 1)}, since=_live_from(since_ms) + 1)
        rows = await station.store.query(select("electricity", ["energy_kwh"], last, newest=1), OPERATOR_DATABASE)
        if rows:
            return int(rows[0]["time"]) // NS_PER_MS
        await asyncio.sleep(LOOK_S)
    raise OperatorError(f"no live reading came from the gateway:\n{gateway.last_words()}")


def _live_from(since_ms: int) -> int:
    """The backlog ends an hour ago; later readings are live."""
    return max(since_ms, round((time.time() - 1800) * 1000))


async def _live(station: Station) -> int:
    return await _count(station, where({"park": EDGE_PARK}, since=_live_from(0) + 1))


async def _count(station: Station, condition: str) -> int:
    statement = select("electricity", [Of("count", "energy_kwh", "n")], condition)
    rows = await station.store.query(statement, OPERATOR_DATABASE)
    return sum(int(row["n"]) for row in rows)

"""`ecopark usage run` as operators run it: with the real broker and ingester, through failures, and on a database that
does not delete.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiohttp import web

from efficiency.baseline.file import freeze
from efficiency.service.park import ParkUsage
from efficiency.service.service import rest_s
from efficiency.usage.intervals import HOUR_MS
from metering.parkfile import load_park
from proving.processes import Child
from proving.servers import Influxd, Mosquitto
from store.answers import Row
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series
from tests.conftest import FaultyProxy
from tests.efficiency.baseline.test_baseline import draft, fitted

ECOPARK = Path(sys.executable).parent / "ecopark"
PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: textile, name: {en: Textile, vi: Dệt}, sector: {en: textile, vi: dệt may}}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
meters:
  - id: wm-1
    name: {en: Water, vi: Nước}
    tenant: textile
    gateway: gw-1
    utility: water
    interval_s: 60
    rated: 50
    registers: {volume_m3: {}}
  - id: wm-silent
    name: {en: Silent, vi: Im lặng}
    gateway: gw-1
    utility: water
    interval_s: 60
    rated: 50
    registers: {volume_m3: {}}
tariffs:
  prices:
    water: [{from: 2025-01-01, value: 10000.0, source: invented}]
"""


@pytest.fixture
def park_path(tmp_path: Path) -> Path:
    file = tmp_path / "park.yaml"
    file.write_text(PARK, encoding="utf-8")
    return file


@pytest.fixture
async def start(park_path: Path, broker: Mosquitto, tmp_path: Path) -> AsyncIterator[Callable[..., Child]]:
    children: list[Child] = []

    def started(url: str, *command: str) -> Child:
        env = {"ECOPARK_PARK": str(park_path), "ECOPARK_MQTT_URL": broker.url, "ECOPARK_INFLUX_URL": url}
        env |= {"ECOPARK_INSTANCE": "one", "ECOPARK_INFLUX_USER": "", "ECOPARK_INFLUX_TOKEN": ""}
        child = Child(" ".join(command), [str(ECOPARK), "--verbose", *command], tmp_path / f"{command[0]}.log", env)
        child.start()
        children.append(child)
        return child

    yield started
    for child in children:
        child.kill()


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 120) -> Any:
    seen: Any = None
    try:
        async with asyncio.timeout(within_s):
            while not (seen := await condition()):  # noqa: ASYNC110 (other processes set no event of ours)
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"the condition did not come within {within_s} s; last seen: {seen!r}")
    return seen


def entered(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def message(first: int, last: int, per_minute: float = 0.1) -> str:
    times = range(-(-first // 60_000) * 60_000, last, 60_000)
    readings = [{"meter": "wm-1", "ts": ms, "values": {"volume_m3": ms / 60_000 % 10**6 * per_minute}} for ms in times]
    return json.dumps({"readings": readings})


async def test_through_the_real_path_late_readings_become_use_and_silence_is_reported(
    start: Callable[..., Child], broker: Mosquitto, influx: Influxd, store: Store, park_path: Path
) -> None:
    ingester = start(influx.url, "ingest")
    await until(lambda: asyncio.to_thread(lambda: "connected; session" in ingester.log.read_text()))
    now = time.time_ns() // NS_PER_MS
    service = start(influx.url, "usage", "run")
    hour = (now - 5 * HOUR_MS) // HOUR_MS * HOUR_MS

    async def usage() -> list[Row]:
        return await store.query(
            f'SELECT * FROM "usage" WHERE time >= {hour * NS_PER_MS} AND time < {(hour + 4 * HOUR_MS) * NS_PER_MS}',
            OPERATOR_DATABASE,
        )

    async def gone() -> bool:
        rows = await usage()
        return len(rows) == 16 and all(row["completeness"] == 1 and row["estimated"] == 0 for row in rows)

    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        topic = "ecopark/v1/demo/gw-1/readings"
        await client.publish(topic, message(now - 30 * 60_000, now), qos=1)
        await until(lambda: store.query('SELECT * FROM "usage"', OPERATOR_DATABASE))
        await client.publish(topic, message(now - 6 * HOUR_MS, now - 30 * 60_000), qos=1)
        await until(gone)
    for row in await usage():
        assert row["amount"] == pytest.approx(1.5)
        assert row["cost_vnd"] == pytest.approx(15_000)
    entered(park_path, PARK.replace("value: 10000.0", "value: 20000.0"))

    async def dearer() -> bool:
        return all(row["cost_vnd"] == pytest.approx(30_000) and row["revised"] for row in await usage())

    await until(dearer)
    status = await store.query('SELECT * FROM "meter_status" ORDER BY time DESC', OPERATOR_DATABASE)
    assert {row["meter"] for row in status} == {"wm-1", "wm-silent"}
    assert not any(row["heard"] for row in status if row["meter"] == "wm-silent")
    health = 'SELECT * FROM "pipeline" WHERE "service" = \'usage\' AND "cycles" > 0'
    await until(lambda: store.query(health, OPERATOR_DATABASE))
    assert service.stop() == 0


async def _write_water(store: Store, park_path: Path, first: int, last: int) -> None:
    series = reading_series("demo", load_park(park_path).meter["wm-1"])
    lines = [f"{series} volume_m3={ms / 600_000 % 10**6!r} {ms}000000" for ms in range(first, last, 60_000)]
    await store.write(lines, OPERATOR_DATABASE)


async def test_the_service_outlives_a_database_that_fails(
    start: Callable[..., Child], proxy: FaultyProxy, store: Store, park_path: Path
) -> None:
    service = start(proxy.url, "usage", "run")
    cursor = 'SELECT last("computed") AS computed FROM "usage_cursor"'
    await until(lambda: store.query(cursor, OPERATOR_DATABASE))
    proxy.always = 503
    now = time.time_ns() // NS_PER_MS
    await _write_water(store, park_path, (now - 20 * 60_000) // 60_000 * 60_000, now)
    await until(lambda: asyncio.to_thread(lambda: "answers 503" in service.log.read_text()))
    proxy.always = None
    rows = await until(lambda: store.query('SELECT * FROM "usage" WHERE "amount" > 0', OPERATOR_DATABASE))
    assert {row["meter"] for row in rows} == {"wm-1"}
    assert service.running


async def test_a_faulty_file_of_baselines_is_reported_and_stops_nothing(
    start: Callable[..., Child], influx: Influxd, store: Store, park_path: Path
) -> None:
    file = park_path.with_name("park.baselines.json")
    entered(file, '{"baselines": [')
    service = start(influx.url, "usage", "run")

    async def said(text: str) -> bool:
        return text in await asyncio.to_thread(service.log.read_text)

    await until(lambda: said(f"baselines: {file}: "))
    cursor = 'SELECT last("computed") AS computed FROM "usage_cursor"'
    await until(lambda: store.query(cursor, OPERATOR_DATABASE))
    await until(lambda: store.query('SELECT * FROM "pipeline" WHERE "faulty_baselines" = 1', OPERATOR_DATABASE))
    file.unlink()
    freeze(file, draft("gone", fitted(), date(2026, 1, 1), "weaver"))
    await until(lambda: said(f"{file}: gone: version 1: demo has no tenant weaver; it has textile"))
    file.unlink()
    await until(lambda: said("baselines: recovered"))
    assert service.running


class NoDeletes(FaultyProxy):
    """The database as InfluxDB 3 is: it answers that it does not delete."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if b"DELETE" in await request.read():
            return web.json_response({"error": "DELETE is not supported"}, status=400)
        return await super().handle(request)


async def test_where_nothing_can_be_deleted_outdated_points_become_zero(
    influx: Influxd, store: Store, park_path: Path
) -> None:
    hour = 1_790_000_000_000 // HOUR_MS * HOUR_MS
    now = hour + 6 * HOUR_MS
    await _write_water(store, park_path, hour, now)
    async with NoDeletes(influx.url) as proxy, Store(proxy.url) as behind:
        usage = ParkUsage(behind, load_park(park_path))
        await usage.begin(now)
        await usage.cycle(now)
        used = await store.query('SELECT sum("amount") AS used FROM "usage"', OPERATOR_DATABASE)
        entered(park_path, PARK.replace("    tenant: textile\n", "", 1))
        usage.park = load_park(park_path)
        await usage.cycle(now + 1)
    by_role = 'SELECT sum("amount") AS used FROM "usage" GROUP BY "role","tenant"'
    rows = await store.query(by_role, OPERATOR_DATABASE)
    found = {(row["role"], row["tenant"]): row["used"] for row in rows}
    assert found == {("billing", "textile"): 0, ("own", ""): used[0]["used"]}


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.4, 5.0), (12.0, 12.0), (600.0, 30.0)])
def test_the_pause_after_a_cycle_is_bounded(took_s: float, pause_s: float) -> None:
    assert rest_s(took_s) == pause_s

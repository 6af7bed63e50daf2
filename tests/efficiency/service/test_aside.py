"""One meter, figure or park that cannot be computed never stops another, and is named."""

import asyncio
import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from efficiency.service import compute, figures
from efficiency.service import park as park_usage
from efficiency.service.park import ParkUsage
from efficiency.service.service import UsageService
from efficiency.stored.meteruse import MeterUse, plain_uses
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS
from ingest.arrivals import ArrivalSource, Extent, Trace
from metering.meters import Meter
from metering.park import Park
from metering.parkfile import load_park
from running.parkwatch import ParkWatch
from store.answers import Row
from store.client import Store
from store.schema import NOT_COMPUTED, NS_PER_MS, OPERATOR_DATABASE, reading_series
from tests.conftest import FaultyProxy
from tests.efficiency.conftest import usage_rows
from tests.efficiency.service.test_usage_service import until

NOW = 1_790_000_000_000 // HOUR_MS * HOUR_MS
HEAD = """\
park: {id: PARK, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants: [{id: textile, name: {en: Textile, vi: Dệt}, sector: {en: textile, vi: dệt may}}]
gateways: [{id: gw-1, name: {en: One, vi: Một}}]
meters:
"""
METER = """\
  - {id: ID, name: {en: Power, vi: Điện}, tenant: textile, gateway: gw-1, utility: electricity, interval_s: 900,
     rated: 900, registers: {energy_kwh: {}}}
"""


def park_of(folder: Path, meters: list[str], name: str = "demo") -> Park:
    file = folder / f"{name}.yaml"
    file.write_text(HEAD.replace("PARK", name) + "".join(METER.replace("ID", meter) for meter in meters))
    return load_park(file)


def lines(park: Park, meter: str, first: int, last: int, step: int = QUARTER_MS) -> list[str]:
    """A register that rises by 1 kWh each quarter hour."""
    head = reading_series(park.id, park.meter[meter])
    return [f"{head} energy_kwh={(ms - NOW) / QUARTER_MS + 1e7!r} {ms}000000" for ms in range(first, last + 1, step)]


async def begun(store: Store, park: Park, now_ms: int) -> ParkUsage:
    usage = ParkUsage(store, park)
    await usage.begin(now_ms)
    await usage.cycle(now_ms)
    return usage


def told(rows: list[Row]) -> dict[str, Any]:
    return {row["part"]: row.get("end") for row in rows}


async def events(store: Store) -> list[Row]:
    return await store.query(f'SELECT * FROM "events" WHERE "kind" = \'{NOT_COMPUTED}\'', OPERATOR_DATABASE)


async def sums(store: Store, park: str = "demo") -> dict[str, float]:
    rows = await store.query(
        f'SELECT sum("amount") AS used FROM "usage" WHERE "park" = \'{park}\' GROUP BY "meter"', OPERATOR_DATABASE
    )
    return {row["meter"]: row["used"] for row in rows}


class Rejects(FaultyProxy):
    """A database that rejects every query for readings of one meter."""

    culprit = "nobody"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if re.search(rf'FROM "electricity".*\b{self.culprit}\b', str((await request.post()).get("q"))):
            return web.json_response({"error": "error parsing query: so it is"}, status=400)
        return await super().handle(request)


METERS = ["m-1", "m-2", "bad", "m-3", "m-4"]


@pytest.fixture
async def three_days(store: Store, tmp_path: Path) -> Park:
    park = park_of(tmp_path, METERS)
    for meter in METERS:
        await store.write(lines(park, meter, NOW - 3 * DAY_MS, NOW), OPERATOR_DATABASE)
    return park


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, culprit: str) -> Iterator[None]:
    """Computing one meter fails with an unexpected error, alone and together with others."""
    steps, together = MeterUse.steps, plain_uses

    async def broken(self: MeterUse, register: Any, *others: Any) -> Any:
        if register.meter.id == culprit:
            raise ZeroDivisionError("a fault of ours")
        return await steps(self, register, *others)

    def broken_together(meter_use: MeterUse, meters: Sequence[Meter], *others: Any) -> Any:
        if any(meter.id == culprit for meter in meters):
            raise ZeroDivisionError("a fault of ours")
        return together(meter_use, meters, *others)

    with monkeypatch.context() as patched:
        patched.setattr(MeterUse, "steps", broken)
        patched.setattr(compute, "plain_uses", broken_together)
        yield


async def scratch(store: Store, park: Park, now_ms: int) -> list[Row]:
    for measurement in ("usage", "usage_cursor", "usage_basis"):
        await store.query(f'DROP MEASUREMENT "{measurement}"', OPERATOR_DATABASE)
    await begun(store, park, now_ms)
    return await usage_rows(store)


async def others(store: Store) -> dict[str, float]:
    """Use of all meters except the bad one; its running hour is plain, so its fault does not affect that."""
    return {meter: used for meter, used in (await sums(store)).items() if meter != "bad"}


async def test_a_meter_that_cannot_be_computed_is_named_and_the_others_go_on(
    three_days: Park, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    park, now = three_days, NOW
    with failing(monkeypatch, "bad"):
        usage = await begun(store, park, now)
        assert usage.aside.things == {"bad": "ZeroDivisionError: a fault of ours"}
        assert await others(store) == pytest.approx({meter: 3 * 96 for meter in METERS if meter != "bad"})
        assert told(await events(store)) == {"bad": None}
        assert "demo: bad is set aside, everything else continues: ZeroDivisionError: a fault of ours" in caplog.text
        caplog.clear()
        for _ in range(4):  # it is neither tried nor logged each time
            now += QUARTER_MS // 90
            await usage.cycle(now)
        assert caplog.text == ""
        for meter in METERS:
            await store.write(lines(park, meter, NOW + QUARTER_MS, NOW + QUARTER_MS), OPERATOR_DATABASE)
        now = NOW + QUARTER_MS
        await usage.cycle(now)
        assert await others(store) == pytest.approx({meter: 3 * 96 + 1 for meter in METERS if meter != "bad"})
        assert len(await events(store)) == 1
    now += HOUR_MS
    with caplog.at_level(logging.WARNING):
        await usage.cycle(now)
    assert not usage.aside.things
    assert "demo: bad is computed again, after 4500 s" in caplog.text
    assert told(await events(store)) == {"bad": now}
    along = await usage_rows(store)
    assert (await sums(store))["bad"] == pytest.approx(3 * 96 + 1)
    assert await scratch(store, park, now) == along


async def test_a_meter_that_is_set_aside_misses_nothing_through_a_restart(
    three_days: Park, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    park = three_days
    usage = await begun(store, park, NOW)
    with failing(monkeypatch, "bad"):
        old = NOW - 2 * DAY_MS
        (line,) = lines(park, "bad", old, old)
        await store.write([line.replace("energy_kwh=1", "energy_kwh=2")], OPERATOR_DATABASE)
        await store.write(
            Trace("ingest-1").lines({ArrivalSource("demo", "bad"): Extent(old, old)}, NOW), OPERATOR_DATABASE
        )
        await usage.cycle(NOW + 1000)
        assert usage.aside.things
        await usage.cycle(NOW + 2000)
    again = await begun(store, park, NOW + 10_000)
    assert not again.aside.things
    assert told(await events(store)) == {"bad": NOW + 10_000}
    along = await usage_rows(store)
    assert await scratch(store, park, NOW + 10_000) == along


async def test_a_query_that_the_database_rejects_is_reported_and_not_repeated_for_ever(
    three_days: Park, store: Store, tmp_path: Path, influx: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with Rejects(influx.url) as proxy, Store(proxy.url) as through:
        usage = await begun(through, three_days, NOW)
        assert await sums(store) == pytest.approx(dict.fromkeys(METERS, 3 * 96))
        proxy.culprit = "bad"
        for meter in METERS:
            await store.write(lines(three_days, meter, NOW, NOW + QUARTER_MS), OPERATOR_DATABASE)
        await usage.cycle(NOW + QUARTER_MS)
        assert await sums(store) == pytest.approx({meter: 3 * 96 + (meter != "bad") for meter in METERS})
        assert usage.aside.things == {"bad": "RejectedError: error parsing query: so it is"}
        assert "Traceback" not in caplog.text
        proxy.culprit = "nobody"
        usage.park = park_of(tmp_path, METERS)  # nothing of it has changed, so it waits
        await usage.cycle(NOW + QUARTER_MS + 1000)
        assert usage.aside.things
        file = tmp_path / "demo.yaml"
        file.write_text(file.read_text().replace("id: bad, name: {en: Power", "id: bad, name: {en: New"))
        usage.park = load_park(file)
        await usage.cycle(NOW + QUARTER_MS + 2000)
        assert usage.aside.things, "a name is nothing that is computed with"
        file.write_text(file.read_text().replace("rated: 900", "rated: 901"))
        usage.park = load_park(file)
        await usage.cycle(NOW + QUARTER_MS + 3000)
        assert not usage.aside.things
        assert await sums(store) == pytest.approx(dict.fromkeys(METERS, 3 * 96 + 1))


async def test_figures_that_cannot_be_computed_do_not_stop_use_or_other_tenants(
    three_days: Park, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def broken(*_: Any) -> Any:
            raise KeyError("a fault of ours {{\n" + "and more " * 60)

        patched.setattr(figures, "tenant_figures", broken)
        usage = await begun(store, three_days, NOW)
        await usage.cycle(NOW + 1000)
        assert [*usage.aside.things] == [".tenant textile"]
        assert len(await sums(store)) == len(METERS)
    again = await begun(store, three_days, NOW + 2000)
    assert not again.aside.things
    rows = await store.query('SELECT * FROM "efficiency" WHERE "period" = \'day\'', OPERATOR_DATABASE)
    assert sum(row["electricity_kwh"] for row in rows) == pytest.approx(len(METERS) * 3 * 96)
    assert told(await events(store)) == {".tenant textile": NOW + 2000}


async def test_a_park_that_cannot_be_computed_stops_no_other(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parks"
    folder.mkdir()
    parks = {name: park_of(folder, ["m-1"], name) for name in ("alpha", "beta", "gamma")}
    for park in parks.values():
        await store.write(lines(park, "m-1", NOW - DAY_MS, NOW), OPERATOR_DATABASE)
    cycle = ParkUsage.cycle

    async def broken(self: ParkUsage, now_ms: int) -> None:
        if self.park.id == "beta":
            raise KeyError("a fault of ours")
        await cycle(self, now_ms)

    monkeypatch.setattr(ParkUsage, "cycle", broken)
    now = [NOW]
    stop = asyncio.Event()
    service = UsageService(ParkWatch(folder, lambda park: park), store, "one", lambda: now[0])
    running = asyncio.create_task(service.run(stop))
    statement = 'SELECT * FROM "pipeline" WHERE "park" = \'beta\' AND "part" = \'.park\''

    async def others_are_computed() -> bool:
        return {*await sums(store, "alpha")} == {*await sums(store, "gamma")} == {"m-1"}

    await until(others_are_computed)
    await until(lambda: store.query(statement, OPERATOR_DATABASE))
    (event,) = await events(store)
    assert (event["park"], event["part"], event.get("end")) == ("beta", ".park", None)
    assert await sums(store, "beta") == {}
    monkeypatch.setattr(ParkUsage, "cycle", cycle)
    now[0] += 700_000

    async def all_are_computed() -> bool:
        return bool(await sums(store, "beta")) and told(await events(store))[".park"] is not None

    await until(all_are_computed)
    stop.set()
    await running


@pytest.mark.parametrize("keeps", [7, 60])
async def test_a_retention_of_either_database_stops_nothing(keeps: int, influx: Any, tmp_path: Path) -> None:
    """The clock is the machine's: a database drops what it thinks is too old."""
    park = park_of(tmp_path, ["m-1", "m-2"])
    async with Store(influx.url) as store:
        now, hours = time.time_ns() // NS_PER_MS // HOUR_MS * HOUR_MS, 100 * 24
        for meter in park.meter:
            head = reading_series(park.id, park.meter[meter])
            readings = [
                f"{head} energy_kwh={n}.0 {(now - (hours - n) * HOUR_MS) * NS_PER_MS}" for n in range(hours + 1)
            ]
            await store.write(readings, OPERATOR_DATABASE)
        for database in (OPERATOR_DATABASE, "ecopark_demo_textile"):
            await store.create_database(database)
            await store.query(
                f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION {keeps}d SHARD DURATION 1d', ""
            )
        usage = await begun(store, park, now)
        assert not usage.aside.things
        for database in (OPERATOR_DATABASE, "ecopark_demo_textile"):
            rows = await store.query('SELECT sum("amount") AS used FROM "usage"', database)
            assert rows[0]["used"] == pytest.approx(2 * keeps * 24, abs=4)


async def test_recomputing_a_long_past_does_not_delay_the_figures_of_the_day(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, days, quarters = 600, 5, len(METERS) * 5 * 96
    monkeypatch.setattr(park_usage, "MOST_IN_A_CYCLE", most)
    park, now = park_of(tmp_path, METERS), NOW
    for meter in METERS:
        await store.write(lines(park, meter, NOW - days * DAY_MS, NOW), OPERATOR_DATABASE)
    usage = await begun(store, park, now)
    counts = [sum((await sums(store)).values())]
    while counts[-1] < quarters + (now - NOW) // QUARTER_MS * len(METERS):
        now += QUARTER_MS
        for meter in METERS:
            await store.write(lines(park, meter, now, now), OPERATOR_DATABASE)
        if len(counts) == 2:  # what is left is planned again after a restart
            await usage.close()
            usage = ParkUsage(store, park)
            await usage.begin(now)
        await usage.cycle(now)
        newest = await store.query('SELECT last("amount") FROM "usage" GROUP BY "meter"', OPERATOR_DATABASE)
        assert {row["time"] // NS_PER_MS for row in newest} == {now - QUARTER_MS}
        counts.append(sum((await sums(store)).values()))
        assert len(counts) < 20
    assert counts[0] <= most, "the bound holds for few meters with a long past, too"
    assert len(counts) > 3
    along = await usage_rows(store)
    assert len(await scratch(store, park, now)) < len(along), "one cycle cannot do all"
    monkeypatch.undo()
    assert await scratch(store, park, now) == along

"""Whatever is killed, the ingester too, every reading is in the database once."""

import asyncio
import json
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from ecopark.refused import Filter, find
from ingest import service
from ingest.directory import Parks
from ingest.refusal import Ledger, refusal
from ingest.service import Ingester
from metering.instants import DAY_MS
from metering.parkfile import load_park
from proving.demo.tally import refused
from proving.processes import Child
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.conftest import FaultyProxy
from tests.ingest.conftest import PATIENCE_S, Gateway, Station, Until
from wire.messages import Reason

HOUR_MS = 3_600_000
START = time.time_ns() // 1_000_000 - 3_600_000


async def publish(gateway: Gateway, first: int, count: int) -> None:
    """Messages of one reading each, at successive milliseconds, numbered by their value."""
    for number in range(first, first + count):
        reading = {
            "id": f"b-{number}",
            "meter": "em-1",
            "ts": START + number,
            "values": {"energy_kwh": float(number)},
        }
        await gateway.publish(json.dumps(reading))


async def all_stored(station: Station, until: Until, count: int) -> None:
    async def complete() -> bool:
        return await station.count() >= count

    await until(complete, f"{count} readings")
    rows = await station.stored()
    assert [(row["time"] // 1_000_000 - START, row["energy_kwh"]) for row in rows] == [(i, i) for i in range(count)]


async def test_nothing_is_acknowledged_before_it_is_written(station: Station, until: Until, proxy: FaultyProxy) -> None:
    """The broker forgets what is acknowledged, a gateway what has a receipt: neither is sent while a write fails."""
    child = await station.started(ECOPARK_INFLUX_URL=proxy.url)
    async with station.gateway() as gateway:
        await gateway.listen("receipts")
        proxy.always = 503
        await publish(gateway, 0, 50)

        async def tried() -> bool:  # four times, so that receipts, which wait for 50 ms, would be out
            return proxy.failed >= 4

        await until(tried, "attempts to write")
        await gateway.client.publish(f"{gateway.topic}/receipts", b"no other")
        assert await gateway.heard() == b"no other"
        child.kill()
        proxy.always = None
        child.start()
        await all_stored(station, until, 50)


async def test_a_broker_that_lost_its_memory_is_subscribed_to_again(station: Station, until: Until) -> None:
    child = await station.started()
    station.broker.process.kill()
    station.broker.forget()
    await station.broker.start()
    await station.connected(child, times=2)
    assert child.log.read_text().count("session new") == 2
    async with station.gateway() as gateway:
        await publish(gateway, 0, 10)
        await all_stored(station, until, 10)


async def test_a_broker_that_was_stopped_remembers(station: Station, until: Until) -> None:
    child = await station.started()
    child.kill()
    async with station.gateway() as gateway:
        await publish(gateway, 0, 10)
    station.broker.process.stop()
    await station.broker.start()
    child.start()
    await station.connected(child, times=2)
    assert "session resumed" in child.log.read_text()
    await all_stored(station, until, 10)


async def test_two_ingesters_share_the_work(station: Station, until: Until) -> None:
    await station.started("one")
    other = await station.started("two")
    async with station.gateway() as gateway:
        other.pause()
        await publish(gateway, 0, 40)

        async def half() -> bool:
            return await station.count() == 20

        await until(half, "one half")
        other.resume()
        await all_stored(station, until, 40)


async def test_one_of_two_is_killed_and_comes_back(station: Station, until: Until) -> None:
    await station.started("one")
    other = await station.started("two")
    async with station.gateway() as gateway:
        other.pause()
        await publish(gateway, 0, 40)
        other.kill()
        await publish(gateway, 40, 40)
        other.start()
        await all_stored(station, until, 80)


def stopped(child: Child) -> None:
    """Send SIGTERM; it ends by itself, with status 0."""
    assert child.stop(PATIENCE_S) == 0, child.last_words()


async def test_a_rolling_restart_leaves_no_gap(station: Station, until: Until) -> None:
    one, two = await station.started("one"), await station.started("two")
    async with station.gateway() as gateway:
        publishing = asyncio.create_task(publish(gateway, 0, 3_000))
        await asyncio.to_thread(stopped, one)
        one.start()
        await station.connected(one, times=2)
        await asyncio.to_thread(stopped, two)
        await publishing
        await all_stored(station, until, 3_000)


async def test_messages_after_all_ingesters_left_at_once_are_kept(station: Station, until: Until) -> None:
    both = [await station.started("one"), await station.started("two")]
    await asyncio.gather(*(asyncio.to_thread(stopped, child) for child in both))
    async with station.gateway() as gateway:
        await publish(gateway, 0, 10)
        for child in both:
            child.start()
        await all_stored(station, until, 10)


async def test_messages_while_no_ingester_runs_are_kept(station: Station, until: Until) -> None:
    child = await station.started()
    await asyncio.to_thread(stopped, child)
    async with station.gateway() as gateway:
        await publish(gateway, 0, 10)
        child.start()
        await all_stored(station, until, 10)


@pytest.mark.parametrize("missing", ["database", "broker"])
async def test_stopping_does_not_wait_for_a_server_that_does_not_answer(
    missing: str, station: Station, until: Until
) -> None:
    child = await station.started()
    async with station.gateway() as gateway:
        process = (station.influx if missing == "database" else station.broker).process
        process.pause()
        if missing == "database":
            await publish(gateway, 0, 10)
        await asyncio.to_thread(stopped, child)
        process.resume()
        if missing == "database":
            child.start()
            await all_stored(station, until, 10)


async def test_a_second_of_the_same_name_ends_the_first(station: Station, until: Until) -> None:
    first = await station.started("twin")
    second = await station.started("twin")

    async def ended() -> bool:
        return not first.running

    await until(ended)
    assert first.status == 2
    assert "another ingester is called ecopark-ingest/twin too" in first.last_words().splitlines()[-1]
    assert "Traceback" not in first.log.read_text()
    async with station.gateway() as gateway:
        await publish(gateway, 0, 5)
        await all_stored(station, until, 5)
    assert second.running


def resident_mb(child: Child) -> float:
    lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


async def test_memory_is_bounded_while_the_database_is_down(station: Station, until: Until) -> None:
    child = await station.started()
    station.influx.process.kill()
    before = resident_mb(child)
    async with station.gateway() as gateway:
        junk = b"\xff" * 250_000
        for number in range(800):
            await gateway.publish(b"%d" % number + junk)
        await publish(gateway, 0, 100)
        assert resident_mb(child) - before < 110
        assert child.running
        await station.influx.start()
        await all_stored(station, until, 100)

    async def refused() -> bool:
        rows = await station.store.query('SELECT sum("count") AS n FROM "refused_count"', OPERATOR_DATABASE)
        return bool(rows) and rows[0]["n"] == 800

    await until(refused)
    assert 0 < await station.count("refused", "digest") < 800, "what is kept has a ration"


async def test_nothing_is_dropped_whatever_the_database_answers(
    station: Station, until: Until, proxy: FaultyProxy
) -> None:
    child = await station.started(ECOPARK_INFLUX_URL=proxy.url)
    faults: list[int | str] = [401, 403, 404, 408, 429, 500, 502, 503, 504, 200, 307, "close", "break"]
    async with station.gateway() as gateway:
        for number, fault in enumerate(faults):
            proxy.faults = [fault]
            await publish(gateway, number, 1)

            async def one_more(count: int = number + 1) -> bool:
                return await station.count() == count

            await until(one_more, f"the reading after {fault}")
        assert child.running
    assert proxy.failed == len(faults)


async def test_a_refusal_that_comes_again_is_found_once(station: Station) -> None:
    await station.started()
    bad = {"meter": "em-9", "ts": START, "values": {"energy_kwh": 1.0}}
    async with station.gateway() as gateway:
        await gateway.listen("receipts")
        for _ in range(3):
            await gateway.publish(json.dumps(bad))
        await gateway.publish(json.dumps({**bad, "meter": "em-1", "id": "last"}))
        assert json.loads(await gateway.heard()) == {"stored": ["last"]}, "so all that came before is written, too"
    assert [each.meter async for each in find(station.store, Filter())] == ["em-9"]


async def test_refusals_of_long_ago_are_deleted(station: Station, until: Until) -> None:
    ledger, now_ms = Ledger("one"), time.time_ns() // 1_000_000
    lines = [
        ledger.line(kept)
        for days in (31, 29)
        for kept in ledger.note("", "", "t", [refusal(Reason.MALFORMED, f"{days} days", b"x")], now_ms - days * DAY_MS)
    ]
    await station.store.write(lines, OPERATOR_DATABASE)
    await station.started()

    async def left() -> bool:
        return [row["detail"] for row in await station.stored("refused")] == ["29 days"]

    await until(left)


async def test_a_refusal_that_is_redelivered_after_a_crash_is_found_once(
    station: Station, until: Until, proxy: FaultyProxy
) -> None:
    """It is written, the ingester is killed before the acknowledgement, and the next one gets it again."""
    session = await station.started()
    session.kill()
    async with station.gateway() as gateway:
        await gateway.publish("no JSON")
    edge = time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS
    park = load_park(station.park)

    async with Store(proxy.url) as store:

        async def ingest(now_ms: int) -> None:
            ingester = Ingester(Parks(station.park), station.broker.address, store, "one", lambda: now_ms)
            await ingester.run(asyncio.Event())

        async def received(now_ms: int) -> bool:
            rows = await station.store.query('SELECT "received" FROM "refused"', OPERATOR_DATABASE)
            return now_ms in [row["received"] for row in rows]

        proxy.faults, proxy.always = [None], "swallow"  # it may look whether the database is there
        for now_ms in (edge - 1, edge + 1):
            life = asyncio.create_task(ingest(now_ms))
            await until(partial(received, now_ms), f"the refusal at {now_ms}")
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life
            proxy.always = None
    assert await refused(station.store, park) == 1
    assert [found.received async for found in find(station.store, Filter(hours=2))] == [edge + 1]


async def test_a_share_is_subscribed_to_again_and_again(
    station: Station, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some brokers leave messages waiting in a share until somebody subscribes; what all hear is subscribed to once."""
    station.broker.process.stop()
    station.broker.access += "\nlog_type subscribe"
    await station.broker.start()
    monkeypatch.setattr(service, "SUBSCRIBE_AGAIN_S", 0.1)
    ingester = Ingester(Parks(station.park), station.broker.address, station.store, "one", lambda: 0)

    def subscriptions() -> list[str]:
        lines = (station.broker.folder / "mosquitto.log").read_text().splitlines()
        return [line.split()[-1] for line in lines if ": ecopark-ingest/one " in line]

    async def often() -> bool:
        return subscriptions().count("$share/ingest/ecopark/v1/+/+/readings") >= 4

    stop = asyncio.Event()
    life = asyncio.create_task(ingester.run(stop))
    await until(often, "the fourth subscription to the share")
    stop.set()
    await life
    assert subscriptions().count("ecopark/v1/ingesters/+") == 1

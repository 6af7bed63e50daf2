"""What a compromised gateway can send: it costs the database little, and stops nobody."""

import json
import time

import pytest

from ecopark.refused import PAGE, Filter, Replayed, find, replay
from ingest.refusal import Kept, Ledger, refusal
from store.schema import OPERATOR_DATABASE
from tests.ingest.conftest import Station, Until
from wire.messages import Reason

WEEK_MS = 7 * 86_400_000
SUMS = 'SELECT sum("count") AS n, sum("kept") AS kept FROM "refused_count"'
YEAR_2000_MS = 946_684_800_000


def now() -> int:
    return time.time_ns() // 1_000_000


def good(ts: int) -> str:
    return json.dumps({"meter": "em-1", "ts": ts, "values": {"energy_kwh": 1.0}})


async def test_old_times_make_no_shards(station: Station, until: Until) -> None:
    """1,400 readings, one a week since 2000: each used to be a shard of its own, for good."""
    await station.started()
    began = now()
    async with station.gateway() as gateway:
        for meter in ("em-1", "em-9"):
            old = [
                {"meter": meter, "ts": YEAR_2000_MS + n * WEEK_MS, "values": {"energy_kwh": 1}}
                for n in range(1_300)
                if YEAR_2000_MS + n * WEEK_MS < began - 400 * 86_400_000
            ]
            await gateway.publish(json.dumps({"readings": old}))
        await gateway.publish(good(began))
        await until(station.stored, "the good reading")

    async def refused() -> bool:
        return await station.count("refused", "digest") == 2 * len(old)

    await until(refused, "every refusal")
    assert [row["time"] // 1_000_000 for row in await station.stored()] == [began]
    assert min(row["time"] // 1_000_000 for row in await station.stored("refused")) >= began
    async for each in find(station.store, Filter()):
        assert (each.reason, each.meter) in {("bad_time", "em-1"), ("unknown_meter", "em-9")}


@pytest.mark.parametrize(("field", "kept"), [("payload", 1), ("size", 0)])
async def test_a_refusal_that_the_database_does_not_take_stops_nothing(
    field: str, kept: int, station: Station, until: Until
) -> None:
    """A refusal whose content has another type in the database is stored without it; if that fails, it is counted."""
    spoil = f"refused,gateway=gw-1,instance=one,park=demo,reason=malformed {field}=true {now()}000000"
    await station.store.write([spoil], OPERATOR_DATABASE)
    child = await station.started()
    async with station.gateway() as gateway:
        await gateway.publish("no JSON")
        await gateway.publish(good(now()))
        await until(station.stored, "the reading after the refusal")
        assert child.running

    async def counted() -> bool:
        rows = await station.store.query('SELECT sum("count") AS n FROM "refused_count"', OPERATOR_DATABASE)
        return bool(rows) and rows[0]["n"] == 1

    await until(counted, "the refusal, counted")
    assert await station.count("refused", "digest") == kept


async def test_topics_that_look_like_an_ingesters_are_refused_and_acknowledged(station: Station, until: Until) -> None:
    """They look like the presence of an ingester; 20,000 of them once stopped ingestion."""
    await station.started()
    async with station.gateway() as gateway:
        for number in range(50):
            await gateway.client.publish(f"ecopark/v1/ingesters/x{number}/readings", good(now()), qos=1)
        await gateway.publish(good(now()))
        await until(station.stored, "the good reading")

    async def refused() -> bool:
        return await station.count("refused", "digest") == 50

    await until(refused, "the refusal of all others")


async def test_what_a_broker_kept_is_not_stored_again(station: Station, until: Until) -> None:
    """A device publishes retained, the value is corrected, the ingester subscribes anew: the correction stays."""
    ts = now() - 7_200_000
    async with station.gateway() as gateway:
        await gateway.client.publish(f"{gateway.topic}/readings", good(ts), qos=1, retain=True)
        await station.started("one")
        corrected = {"meter": "em-1", "ts": ts, "values": {"energy_kwh": 2.0}}
        await gateway.publish(json.dumps(corrected))

        async def stored() -> bool:
            return [row["energy_kwh"] for row in await station.stored()] == [2.0]

        await until(stored, "the correction")
        await station.started("two")
        await gateway.publish(json.dumps({**corrected, "ts": ts + 1}))

        async def later() -> bool:
            return await station.count() == 2

        await until(later, "a later reading")
    assert [row["energy_kwh"] for row in await station.stored()] == [2.0, 2.0]


async def test_thousands_of_refusals_are_sent_again_and_what_is_refused_again_stays(station: Station) -> None:
    """More than are read in one go, some of them hours apart; the meter of one is still unknown."""
    began = now()
    ledger = Ledger("one")
    instants = [began - 40 * 3_600_000 + n * 60_000 + (n // 500) * 3_600_000 for n in range(PAGE + 7)]
    payloads = [
        f'{{"meter":"{meter}","ts":{ts},"values":{{"energy_kwh":{n}.0,"power_kw":1.5}}}}'.encode()
        for n, ts in enumerate(instants)
        for meter in (["em-77"] if n == 5 else ["em-1"])
    ]
    topic = "ecopark/v1/demo/gw-1/readings"
    kept = [
        Kept("demo", "gw-1", topic, refusal(Reason.UNKNOWN_METER, "no such meter", each), each, began)
        for each in payloads
    ]
    await station.store.write([ledger.line(each) for each in kept], OPERATOR_DATABASE)
    await station.started()
    done = await replay(station.store, station.broker.address, Filter())
    assert done == Replayed(sent=len(payloads), stored=len(payloads) - 1)
    assert await station.count() == len(payloads) - 1
    (left,) = [each async for each in find(station.store, Filter())]
    assert json.loads(left.payload)["meter"] == "em-77"


async def test_good_readings_come_through_a_flood_while_the_database_is_away(station: Station, until: Until) -> None:
    """Its own too, one within each hundredth message; all other readings of the flood are counted."""
    await station.started()
    first = now()
    async with station.gateway("gw-1") as flooder, station.gateway("gw-2") as other:
        bad = [{"meter": "em-9", "ts": first - n, "values": {"energy_kwh": 1.0}} for n in range(2_500)]
        flood = json.dumps({"readings": bad})
        for _ in range(15):  # more than a gateway may have kept
            await flooder.publish(flood)

        async def used_up() -> bool:
            rows = await station.store.query(
                'SELECT sum("count") - sum("kept") AS n FROM "refused_count"', OPERATOR_DATABASE
            )
            return bool(rows) and rows[0]["n"] > 0

        await until(used_up, "the end of the ration")
        station.influx.process.stop()
        for number in range(300):
            own = [{"meter": "em-1", "ts": first + number, "values": {"energy_kwh": 1.0}}] if number % 100 == 50 else []
            await flooder.publish(json.dumps({"readings": bad[:1_250] + own + bad[1_250:]}) if own else flood)
        await other.publish(json.dumps({"meter": "wm-2", "ts": first, "values": {"volume_m3": 1.0}}))
        await station.influx.start()

        async def good() -> bool:
            return await station.count() == 3 and await station.count("water", "volume_m3") == 1

        await until(good, "the good readings of both")

        async def counted() -> bool:
            (row,) = await station.store.query(SUMS, OPERATOR_DATABASE)
            return bool(row["n"] == 315 * 2_500)

        await until(counted, "every refusal, counted")

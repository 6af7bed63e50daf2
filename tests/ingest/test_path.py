"""The ingester as operators run it, on a real broker and a real database: what is published is in InfluxDB."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

from store.answers import Row
from store.schema import OPERATOR_DATABASE
from tests.ingest.conftest import PARK, Station, Until, park_file


def now() -> int:
    return time.time_ns() // 1_000_000


def message(count: int = 1, start: int | None = None, **more: Any) -> str:
    first = start if start is not None else now() - count
    readings = [{"meter": "em-1", "ts": first + i, "values": {"energy_kwh": float(i)}} for i in range(count)]
    return json.dumps({"readings": readings, **more})


async def test_what_a_client_publishes_is_in_the_database(station: Station, until: Until) -> None:
    await station.started()
    ts = now()
    reading = {"meter": "em-1", "ts": ts, "values": {"energy_kwh": 48211.25, "power_kw": 212}, "state": "fault"}
    command = ["mosquitto_pub", "-p", str(station.broker.port), "-q", "1", "-t", "ecopark/v1/demo/gw-1/readings"]
    await asyncio.to_thread(subprocess.run, [*command, "-m", json.dumps(reading)], check=True)

    async def whole() -> list[Row]:  # InfluxDB shows a point's fields as it takes them, not all at once
        return [row for row in await station.stored() if row.get("state") is not None]

    assert await until(whole) == [
        {
            "time": ts * 1_000_000,
            "meter": "em-1",
            "park": "demo",
            "energy_kwh": 48211.25,
            "power_kw": 212,
            "state": "fault",
        }
    ]


NUMBERS = [0.0, -0.0, 7, 0.1 + 0.2, -212.4, 1e-7, -1e-300, 5e-324, 1 / 3, 2.0**53 / 1e10, 9999999.999999998, 1e7]


async def test_numbers_come_through_exactly_in_both_lanes_and_in_order(station: Station, until: Until) -> None:
    await station.started()
    first = now() - len(NUMBERS)
    polls = [{"meter": "em-1", "ts": first + at, "values": {"power_kw": number}} for at, number in enumerate(NUMBERS)]
    water = [{"meter": "wm-2", "ts": first - at, "values": {"volume_m3": at}} for at in range(3_000)]
    again = [{"meter": "em-1", "ts": first + at, "values": {"power_kw": -1.5}} for at in range(3)]
    async with station.gateway() as one, station.gateway("gw-2") as two:
        await two.publish(json.dumps({"readings": water}))
        await one.publish(json.dumps({"readings": polls}))
        await one.publish(json.dumps({"readings": again, "id": "last"}))
        await one.listen("receipts")

        async def count() -> bool:
            return await station.count("water", "volume_m3") == len(water) and len(await station.stored()) == len(polls)

        await until(count, "everything")

        async def settled() -> bool:
            stored = [row["power_kw"] for row in await station.stored()]
            return bool(stored == [-1.5, -1.5, -1.5, *NUMBERS[3:]])

        await until(settled, "the values that were sent last")


async def test_refusals_are_stored_and_published_and_receipts_name_what_is_stored(station: Station) -> None:
    await station.started()
    async with station.gateway() as gateway:
        await gateway.listen("refusals")
        bad = {"meter": "em-9", "ts": now(), "values": {"energy_kwh": 1.0}}
        content = json.loads(message(2, id="b-1"))
        content["readings"].append(bad)
        await gateway.publish(json.dumps(content))
        told = json.loads(await gateway.heard())
        assert told == {
            "id": "b-1",
            "refused": [
                {
                    "meter": "em-9",
                    "ts": bad["ts"],
                    "quantity": None,
                    "reason": "unknown_meter",
                    "detail": "the park file has no such meter",
                }
            ],
        }
        rows = await station.stored("refused")
        assert [(row["reason"], row["meter"], json.loads(row["payload"])) for row in rows] == [
            ("unknown_meter", "em-9", bad)
        ]
        assert (rows[0]["park"], rows[0]["gateway"], rows[0]["topic"]) == ("demo", "gw-1", f"{gateway.topic}/readings")
        await gateway.listen("receipts")
        assert await station.count() == 2
        for number in range(30):
            await gateway.publish(message(id=f"c-{number}", start=now() - 1000 * number))
        receipts: list[str] = []
        while len(receipts) < 30:
            receipts += json.loads(await gateway.heard())["stored"]
        assert [name for name in receipts if name != "b-1"] == [f"c-{number}" for number in range(30)]
        assert await station.count() == 32


BAD: list[bytes] = [
    b"",
    bytes(range(256)),
    b"[" * 100_000,
    b"x" * 300_000,
    b"\xff" * 300_000,
    b'{"readings": [1, null, "x", [], {}]}',
    b'{"meter": "a\\"b\\\\\\n\\u0000", "ts": 1, "values": {"energy_kwh": 1}}',
    b'{"meter": "em-1", "ts": -5, "values": {"energy_kwh": NaN}}',
    b'{"meter": "em-1", "ts": 99999999999999999999999999, "values": {"energy_kwh": 1e400}}',
    b'{"readings": [' + b",".join([b"0"] * 5_000) + b"]}",
]
BAD_TOPICS = [
    "demo/gw-1",
    "demo/gw-2",
    "demo/gw 1,x=y\\",
    "no\\/such\\",
    "/",
    "\"/'",
    "Dệt/may",
    "x" * 1000 + "/" + "y" * 60_000,
]


async def test_anything_malformed_is_refused_and_stored_and_stops_nothing(station: Station, until: Until) -> None:
    child = await station.started()
    async with station.gateway() as gateway:
        for topic in BAD_TOPICS:
            for payload in BAD if len(topic) < 100 else BAD[:1]:
                await gateway.client.publish(f"ecopark/v1/{topic}/readings", payload, qos=1)
        await gateway.publish(message())
        await until(station.stored, "the good reading behind all the bad")
        assert child.running

    async def refused() -> bool:
        rows = await station.store.query('SELECT count("payload") FROM "refused"', OPERATOR_DATABASE)
        return bool(rows) and rows[0]["count"] >= 7 * 9 + 1

    await until(refused)


async def test_a_park_file_is_reloaded_and_a_faulty_one_is_not(station: Station, until: Until, park: Path) -> None:
    child = await station.started()
    added = PARK + PARK[PARK.index("  - id: em-1") : PARK.index("  - id: wm-2")].replace("em-1", "em-9")
    new = {"meter": "em-9", "ts": now(), "values": {"energy_kwh": 1.0}}
    async with station.gateway() as gateway:
        park_file(park.parent, text=added.replace("utility: water", "utility: waters"))

        async def complained() -> bool:
            return "the old one stays" in child.log.read_text()

        await until(complained)
        assert "waters" in child.log.read_text()
        await gateway.publish(message())
        await until(station.stored, "a reading while the park file is faulty")
        park_file(park.parent, text=added)

        async def known() -> bool:
            await gateway.publish(json.dumps(new))
            return await station.count() == 2

        await until(known, "a reading of the new meter")
        assert child.running


async def test_one_ingester_serves_two_parks(station: Station, until: Until, park: Path) -> None:
    park_file(park.parent, "second")
    station.park = park.parent
    await station.started()
    async with station.gateway(park="demo") as one, station.gateway(park="second") as two:
        start = now()
        await one.publish(message(start=start))
        await two.publish(message(start=start))

        async def both() -> bool:
            return {row["park"] for row in await station.stored()} == {"demo", "second"}

        await until(both)


async def test_culprits_of_a_type_conflict_are_refused_and_the_rest_is_stored(station: Station, until: Until) -> None:
    spoil = f'electricity,meter=em-1,park=demo power_kw="text" {now() - 1000}000000'
    await station.store.write([spoil], OPERATOR_DATABASE)
    await station.started()
    start = now() - 100
    content = json.loads(message(20, start))
    for index in (3, 11):
        content["readings"][index] |= {"values": {"energy_kwh": 1.5, "power_kw": 2.5}, "state": "fault"}
    async with station.gateway() as gateway:
        await gateway.listen("refusals")
        for _ in range(2):  # the second time as after a lost acknowledgement
            await gateway.publish(json.dumps(content))
            for _ in range(2):
                answer = json.loads(await gateway.heard())
                assert {each["reason"] for each in answer["refused"]} == {"store_rejected"}

        async def stored() -> bool:
            return await station.count() == 18

        await until(stored)
    rows = await station.stored("refused")
    assert [json.loads(row["payload"]) for row in rows] == 2 * [content["readings"][3], content["readings"][11]]
    assert len({row["digest"] for row in rows}) == 2, "what is refused twice is known by its digest"
    assert {(row["reason"], row["gateway"], row["park"]) for row in rows} == {("store_rejected", "gw-1", "demo")}
    assert "field type conflict" in rows[0]["detail"]


async def test_what_is_older_than_the_retention_is_refused_and_stops_nobody(station: Station, until: Until) -> None:
    await station.store.query('ALTER RETENTION POLICY "autogen" ON "ecopark" DURATION 2d SHARD DURATION 1d DEFAULT', "")
    await station.started()
    async with station.gateway() as gateway:
        await gateway.publish(message(start=now() - 30 * 86_400_000))
        await gateway.publish(message())
        await until(station.stored, "the young reading")

        async def refused() -> bool:
            return [row["reason"] for row in await station.stored("refused")] == ["store_rejected"]

        await until(refused)

"""The list of refused readings: all that the database lacks, even where a replay was refused again."""

import asyncio
import json
import time
from typing import Any

import pytest

from ecopark.refused import PAGE, Filter, find
from ingest.refusal import Ledger, refusal
from proving.servers import Influxd, Mosquitto
from store.client import Store
from store.lines import point, series
from store.schema import OPERATOR_DATABASE, REFUSED
from tests.store.lineparser import parse
from wire.messages import Reason


async def test_what_is_refused_again_after_it_was_replayed_is_listed_again(store: Store) -> None:
    now_ms = time.time_ns() // 1_000_000
    refused = refusal(Reason.UNKNOWN_METER, "the park file has no such meter", b"{}", meter="em-9")
    ledger = Ledger("one")

    async def listed() -> list[int]:
        return [found.received async for found in find(store, Filter())]

    first, later = (
        ledger.line(kept)
        for after in (0, 2_000)
        for kept in ledger.note("demo", "gw-1", "t", [refused], now_ms + after)
    )
    await store.write([first], OPERATOR_DATABASE)
    assert await listed() == [now_ms]
    written = parse(first)
    await store.write(
        [point(series(REFUSED, written.tags), {"replayed": now_ms + 1_000}, written.ns)], OPERATOR_DATABASE
    )
    assert await listed() == []
    await store.write([later], OPERATOR_DATABASE)
    assert await listed() == [now_ms + 2_000]


HOSTILE = "[/red] \x1b]52;c;aGk=\x07\x1b[2J 'a'\nb\\ \u202e"


async def test_all_refusals_of_an_instant_are_found_page_by_page(store: Store) -> None:
    now_ms = time.time_ns() // 1_000_000
    ledger = Ledger("one")
    count = 2 * PAGE + 5
    refusals = [refusal(Reason.UNKNOWN_METER, "no such meter", b"%d" % number) for number in range(count)]
    kept = ledger.note("demo", "gw-1", "t", refusals, now_ms)
    await store.write([ledger.line(each) for each in kept], OPERATOR_DATABASE)
    found = [each async for each in find(store, Filter())]
    assert len({each.payload for each in found}) == len(found) == count
    assert [each.time for each in found] == sorted((each.time for each in found), reverse=True)


async def test_anything_that_a_stranger_sent_is_listed_shown_and_replayed(
    broker: Mosquitto, influx: Influxd, store: Store, run: Any
) -> None:
    now_ms = time.time_ns() // 1_000_000
    ledger = Ledger("one")
    payload = json.dumps({"meter": HOSTILE, "ts": now_ms, "values": {"energy_kwh": 1}}, ensure_ascii=False).encode()
    refused = refusal(Reason.UNKNOWN_METER, HOSTILE, payload, meter=HOSTILE)
    kept = ledger.note("demo", "gw-1", "ecopark/v1/demo/gw-1/readings", [refused], now_ms)
    await store.write([ledger.line(each) for each in kept], OPERATOR_DATABASE)
    where = {"ECOPARK_INFLUX_URL": influx.url, "ECOPARK_MQTT_URL": broker.url}
    listed = await asyncio.to_thread(run, "refused", "list", **where)
    shown = await asyncio.to_thread(run, "refused", "show", kept[0].digest, **where)
    for done in (listed, shown):
        assert done.returncode == 0, done.stderr
        assert all(each.isprintable() for each in done.stdout.replace("\n", "")), done.stdout
    assert "[/red]" in shown.stdout
    as_json = await asyncio.to_thread(run, "refused", "list", "--json", **where)
    assert json.loads(as_json.stdout)["refused"][0]["meter"] == HOSTILE
    replayed = await asyncio.to_thread(run, "refused", "replay", kept[0].digest, "--json", **where)
    assert json.loads(replayed.stdout) == {"sent": 1, "stored": 0}, replayed.stderr
    assert replayed.returncode == 1


@pytest.mark.parametrize("hours", ["nan", "inf", "1e300", "-1"])
def test_invalid_hours_are_refused_in_one_line(hours: str, run: Any) -> None:
    done = run("refused", "list", "--hours", hours)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr

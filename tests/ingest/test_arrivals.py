"""Late readings are noted by meter when they are stored, before the acknowledgement."""

import json
import time

from ingest.accept import accept
from ingest.arrivals import ArrivalSource, Extent, Trace
from ingest.batch import Batch
from ingest.directory import Directory
from tests.ingest.conftest import Station
from tests.store.lineparser import parse

MINUTE = 60_000
NOW = 1_795_000_000_000
TOPIC = "ecopark/v1/demo/gw-1/readings"


def message(*ages: int, now: int, **more: str) -> str:
    readings = [{"meter": "em-1", "ts": now - age, "values": {"energy_kwh": 5.0}} for age in ages]
    return json.dumps({"readings": readings, **more})


async def test_late_readings_leave_a_trace_before_their_receipt_and_fresh_ones_none(station: Station) -> None:
    await station.started("ingest-7")
    began = time.time_ns()
    now = began // 1_000_000
    async with station.gateway() as gateway:
        await gateway.listen("receipts")
        await gateway.publish(message(0, 9 * MINUTE, now=now, id="fresh"))
        await gateway.heard()
        assert await station.stored("arrivals") == []
        await gateway.publish(message(0, 11 * MINUTE, 600 * MINUTE, now=now, id="late"))
        await gateway.heard()
        (trace,) = await station.stored("arrivals")
        written = trace.pop("time")
        assert began < written <= time.time_ns()
        first, last = now - 600 * MINUTE, now - 11 * MINUTE
        assert trace == {"park": "demo", "meter": "em-1", "instance": "ingest-7", "first": first, "last": last}
        await gateway.publish(message(600 * MINUTE, now=now, id="replayed"))
        await gateway.heard()
        assert len(await station.stored("arrivals")) == 2


def test_no_two_traces_of_an_ingester_have_the_same_time() -> None:
    trace = Trace("one")
    lines = [trace.lines({ArrivalSource("demo", "em-1"): Extent(1, 2)}, now)[0] for now in (5, 5, 4, 6)]
    assert len({parse(line).ns for line in lines}) == 4


def test_a_batch_that_waited_is_noted_whole(known: Directory) -> None:
    batch, began = Batch(since_ms=NOW), NOW
    readings = [{"meter": "em-1", "ts": NOW - age, "values": {"energy_kwh": 1.0}} for age in (7, 3, 5)]
    accepted = accept(TOPIC, json.dumps({"readings": readings}).encode(), NOW, known)
    batch.add(accepted, (), NOW)
    batch.requests(NOW)
    assert batch.arrived_late(began + 299_000) == {}
    assert batch.arrived_late(began + 301_000) == {ArrivalSource("demo", "em-1"): Extent(NOW - 7, NOW - 3)}

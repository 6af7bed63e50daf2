"""How far a gateway's clock is off is measured at receipt: by the newest reading of a minute, whatever else comes."""

import json
import time

import pytest

from ingest import clocks
from ingest.accept import accept
from ingest.clocks import Clocks
from ingest.directory import Directory
from store.client import Store
from store.schema import GATEWAY_CLOCK, OPERATOR_DATABASE
from tests.ingest.conftest import Station, Until

NOW = 1_795_150_800_000
MINUTE_MS = 60_000


def noted(found: Clocks, known: Directory, *instants: int, now: int = NOW) -> None:
    readings = [{"meter": "em-1", "ts": ms, "values": {"energy_kwh": 5.0}} for ms in instants]
    accepted = accept("ecopark/v1/demo/gw-1/readings", json.dumps({"readings": readings}).encode(), now, known)
    assert len(accepted.taken) == len(instants)
    found.note("demo/gw-1", max(taken.ms for taken in accepted.taken), now)


@pytest.mark.parametrize(("off_ms", "wanted"), [(0, 2.0), (3 * MINUTE_MS, 182.0), (-3 * MINUTE_MS, -178.0)])
def test_a_clock_that_is_off_shows_though_a_backlog_comes_between(off_ms: int, wanted: float, known: Directory) -> None:
    found = Clocks()
    for second in range(0, 60, 20):
        now = NOW + second * 1000
        noted(found, known, now - 2000 - off_ms, now=now)
        noted(found, known, *(now - hours * 3_600_000 for hours in (5, 4, 3)), now=now)
    (line,) = found.lines("one", NOW + MINUTE_MS)
    assert line == f"gateway_clock,gateway=gw-1,instance=one,park=demo behind_s={wanted} {NOW + MINUTE_MS}000000"
    assert found.lines("one", NOW + 2 * MINUTE_MS) == [], "nothing came since"


def test_newest_first_or_last_the_newest_of_a_message_counts(known: Directory) -> None:
    for instants in ((NOW - 1000, NOW - 60_000), (NOW - 60_000, NOW - 1000)):
        found = Clocks()
        noted(found, known, *instants)
        assert "behind_s=1.0 " in found.lines("one", NOW)[0]


async def test_an_ingester_measures_a_gateway_that_is_three_minutes_behind(
    station: Station, store: Store, until: Until
) -> None:
    await station.started()
    async with station.gateway() as gateway:
        began = time.monotonic()

        async def written() -> list[dict[str, object]]:
            ts = time.time_ns() // 1_000_000 - 3 * MINUTE_MS
            reading = {"meter": "em-1", "ts": ts, "values": {"energy_kwh": 5.0}}
            await gateway.publish(json.dumps({"readings": [reading]}))
            return await store.query(f'SELECT * FROM "{GATEWAY_CLOCK}"', OPERATOR_DATABASE)

        (row, *_) = await until(written, "the clock of the gateway", within_s=10 * clocks.EVERY_S)
        took = time.monotonic() - began
    assert (row["park"], row["gateway"], row["instance"]) == ("demo", "gw-1", "one")
    assert 180 <= float(str(row["behind_s"])) < 180 + took

"""The suite for other servers, on Debian's: it finds nothing there, and finds what is wrong where something is."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from proving.servers import Influxd
from store.answers import Row
from store.client import Store
from tests.conftest import FaultyProxy
from tests.ecopark.tenants.test_guard import QUESTIONS
from tests.peers.apart import tenants
from tests.peers.backups import restored
from tests.peers.cell import Judgement
from tests.peers.found import brokers, databases
from tests.peers.influx2 import Influx2d
from tests.peers.stored import against, copied, differences, refusals
from tests.peers.sums import sums

LOOKS = 20
ROWS: list[Row] = [
    {"time": 1, "tenant": "a", "total": 0.1 + 0.2, "note": None},
    {"time": 2, "tenant": "b", "total": 7, "note": "x"},
]


def test_the_same_rows_in_another_order_are_the_same() -> None:
    assert differences([ROWS[1], {"time": 1, "tenant": "a", "total": 0.3}], ROWS) == []


@pytest.mark.parametrize(
    "theirs",
    [
        [],
        ROWS[:1],
        [*ROWS, ROWS[1]],
        [ROWS[0], ROWS[1] | {"total": 7.001}],
        [ROWS[0], ROWS[1] | {"note": None}],
        [ROWS[0], ROWS[1] | {"tenant": "c"}],
        [ROWS[0], ROWS[1] | {"total": "7"}],
    ],
    ids=["none", "one less", "twice", "another number", "one field less", "another tag", "a text"],
)
def test_what_differs_is_seen(theirs: list[Row]) -> None:
    assert differences(theirs, ROWS)


async def test_debians_database_passes(store: Store) -> None:
    for check in (refusals(store), sums(store, LOOKS)):
        found = await check
        assert found.judgement is Judgement.SAME, found.details


class CountsTwice(FaultyProxy):
    """A database that adds up every tenth time as if its newest points were there twice."""

    asked = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        question = str((await request.post()).get("q", "")) if request.path == "/query" else ""
        answer = await super().handle(request)
        if "sum(" in question:
            self.asked += 1
            if self.asked % 10 == 0:
                assert isinstance(answer, web.Response)
                told = json.loads(answer.body)  # type: ignore[arg-type]  # of this file's own making: bytes
                told["results"][0]["series"][0]["values"][0][1] += 40
                return web.json_response(told)
        return answer


async def test_a_server_that_counts_twice_is_seen(influx: Influxd) -> None:
    async with CountsTwice(influx.url) as proxy, Store(proxy.url) as through:
        found = await sums(through, LOOKS)
    assert found.judgement is Judgement.DIFFERENT
    assert 0 < len(found.details) < proxy.asked


async def test_a_copy_that_lacks_a_row_is_seen(influx: Influxd, store: Store, tmp_path: Path) -> None:
    await store.write([f"electricity,meter=m1 value={n} {n}000000000" for n in range(1, 9)], "ecopark")
    target = Influxd(tmp_path / "target")
    await target.start()
    try:
        assert (await copied(influx, target, tmp_path / "copy.json")).judgement is Judgement.SAME
        async with target.store() as other:
            await other.write(["electricity,meter=m1 value=77 3000000000"], "ecopark")
        (tmp_path / "copy.json").write_text(json.dumps({"ecopark/electricity": 2**62}))
        assert (await copied(influx, target, tmp_path / "copy.json")).judgement is Judgement.DIFFERENT
    finally:
        target.process.kill()


async def test_a_backup_of_debians_database_has_everything(influx: Influxd, store: Store, tmp_path: Path) -> None:
    for database in ("ecopark", "ecopark_demo_textile"):
        await store.create_database(database)
        await store.write([f"usage,meter=m1 amount={n},code=7i {n}000000000" for n in range(1, 9)], database)
    found = await restored(influx, Influxd, tmp_path)
    assert found.judgement is Judgement.SAME, found.details
    assert found.said == "16 points"


def test_what_was_not_restored_is_seen() -> None:
    due = {"ecopark.usage": ROWS, "ecopark.arrivals": ROWS[:1]}
    assert against(due, due) == []
    assert against({"ecopark.usage": ROWS}, due) == ["ecopark.arrivals: 0 rows, not 1"]
    assert against({**due, "ecopark.usage": ROWS[1:]}, due) == ["ecopark.usage: 1 rows, not 2"]


async def test_tenants_are_apart_behind_the_guard(tmp_path: Path) -> None:
    found = await tenants(Influxd, tmp_path, QUESTIONS[::7])
    assert found.judgement is Judgement.SAME, found.details
    assert "alone 0 of" not in found.said, "the questions must tell something where there is no guard"


def test_servers_are_found_by_what_is_in_their_folders(tmp_path: Path) -> None:
    for name, programs in {
        "mosquitto-2.1.2": ["mosquitto"],
        "hivemq": ["lib/hivemq-community-edition-embedded-2025.5.jar"],
        "gemini": ["ts-server", "ts-meta", "ts-store", "ts-sql"],
        "notes": ["README"],
    }.items():
        for program in programs:
            file = tmp_path / name / program
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    for version in ("1.12.4", "2.9.1"):
        influxd = tmp_path / f"influxdb-{version}" / "influxd"
        influxd.parent.mkdir()
        influxd.write_text(f'#!/bin/sh\necho "InfluxDB v{version} (git: none)"\n')
        influxd.chmod(0o755)
    assert [peer.name for peer in brokers(tmp_path)] == ["Debian's mosquitto", "hivemq", "mosquitto-2.1.2"]
    assert [peer.name for peer in databases(tmp_path)] == [
        "Debian's InfluxDB",
        "gemini",
        "gemini, three nodes",
        "influxdb-1.12.4",
        "influxdb-2.9.1",
    ]
    made = {peer.name: peer.make(tmp_path / "made" / peer.name) for peer in databases(tmp_path)}
    assert isinstance(made["influxdb-2.9.1"], Influx2d)
    assert isinstance(made["influxdb-1.12.4"], Influxd)
    assert [peer.name for peer in brokers(None)] == ["Debian's mosquitto"]

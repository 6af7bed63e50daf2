"""Each failure of the database is the data's, the other side's or the operator's, and nothing else is raised."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from metering.errors import OperatorError, UnavailableError
from proving.processes import free_port
from proving.servers import Influxd
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.conftest import FaultyProxy

LINE = "m v=1 1"


async def test_wrong_password_and_missing_rights(tmp_path: Path) -> None:
    server = Influxd(tmp_path / "influxd")
    await server.start()
    async with Store(server.url) as store:
        await store.query("CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES", "")
        await store.query("CREATE USER guest WITH PASSWORD 'guest'", "")
    server.process.stop()
    guarded = Influxd(tmp_path / "influxd", authenticate=True)
    guarded.process.start()
    try:
        async with asyncio.timeout(20), Store(guarded.url, "admin", "right") as store:
            while True:
                try:
                    await store.write([LINE], OPERATOR_DATABASE)
                except UnavailableError:
                    await asyncio.sleep(0.02)
                else:
                    break
        for user, password in (("admin", "wr0ng"), ("guest", "guest"), (None, None), ("nobody", "wr0ng")):
            async with Store(guarded.url, user, password) as store:
                for attempt in (
                    store.write([LINE], OPERATOR_DATABASE),
                    store.query("SELECT v FROM m", OPERATOR_DATABASE),
                ):
                    with pytest.raises(OperatorError, match="ECOPARK_INFLUX_TOKEN") as caught:
                        await attempt
                    assert "wr0ng" not in str(caught.value)
    finally:
        guarded.process.kill()


async def test_missing_database(store: Store) -> None:
    with pytest.raises(OperatorError, match=r"no database 'nowhere'.*create it"):
        await store.write([LINE], "nowhere")
    with pytest.raises(OperatorError, match="database not found: nowhere; create it"):
        await store.query("SELECT v FROM m", "nowhere")


async def test_a_statement_at_fault_is_rejected(store: Store) -> None:
    for asking in (store.query, store.series, store.tables):
        with pytest.raises(RejectedError, match="error parsing query") as caught:
            await asking("SELECT FROM", OPERATOR_DATABASE)
        assert re.fullmatch(r"http://127.0.0.1:\d+ \(version 1\.\d+\.\d+\S*\)", caught.value.server)


async def test_faulty_points_are_rejected_alone_and_the_rest_is_written(store: Store) -> None:
    await store.write(['conflict,k=a v="text" 1'], OPERATOR_DATABASE)
    lines = [f"conflict,k=b v{'' if i % 30 == 7 else 'f'}={i} {i}" for i in range(300)]
    lines[200] = "no line protocol at all"
    rejected = await store.write_each(lines, OPERATOR_DATABASE)
    assert sorted(rejected) == sorted([*range(7, 300, 30), 200])
    assert "field type conflict" in rejected[7]
    assert "unable to parse" in rejected[200]
    rows = await store.query("SELECT vf FROM conflict WHERE k = 'b'", OPERATOR_DATABASE)
    assert [row["vf"] for row in rows] == [i for i in range(300) if i not in rejected]


async def test_points_beyond_the_retention_are_rejected(store: Store) -> None:
    await store.query('CREATE DATABASE "short" WITH DURATION 1d', "")
    assert list(await store.write_each(["m v=1 1", "m v=1"], "short")) == [0]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_the_operators_mistakes(status: int, proxy: FaultyProxy) -> None:
    proxy.always = status
    async with Store(proxy.url) as store:
        with pytest.raises(OperatorError, match="ECOPARK_INFLUX"):
            await store.write([LINE], OPERATOR_DATABASE)


@pytest.mark.parametrize("status", [301, 307])
async def test_a_redirection_is_not_followed(status: int, proxy: FaultyProxy) -> None:
    """A POST that becomes a GET would be answered with success, and nothing would be written."""
    proxy.always, proxy.headers = status, {"Location": f"{proxy.target}/ping"}
    async with Store(proxy.url) as store:
        with pytest.raises(OperatorError, match="ECOPARK_INFLUX_URL"):
            await store.write([LINE], OPERATOR_DATABASE)


@pytest.mark.parametrize("fault", [200, 202, 408, 429, 500, 502, 503, 504, 599, "close", "break"])
async def test_the_other_sides_failures(fault: int | str, proxy: FaultyProxy) -> None:
    proxy.always = fault
    async with Store(proxy.url) as store:
        with pytest.raises(UnavailableError, match=proxy.url) as caught:
            await store.write([LINE], OPERATOR_DATABASE)
        assert caught.value.retry_after is None
        with pytest.raises(UnavailableError):
            await store.query("SHOW DATABASES", "")


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
async def test_retry_after_is_passed_on(header: str, seconds: float | None, proxy: FaultyProxy) -> None:
    proxy.always, proxy.headers = 503, {"Retry-After": header}
    async with Store(proxy.url) as store:
        with pytest.raises(UnavailableError) as caught:
            await store.write([LINE], OPERATOR_DATABASE)
        assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "body", ["null", "[]", "[1]", '{"results": 1}', '{"results": [1]}', '{"results": [{"series": [{}]}]}', "<html>", ""]
)
async def test_an_answer_that_is_not_from_influxdb(body: str, proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = body, 200
    async with Store(proxy.url) as store:
        with pytest.raises(UnavailableError, match="not as InfluxDB") as caught:
            await store.query("SHOW DATABASES", "")
    for told in (repr(body), "names no version", proxy.url, "ECOPARK_INFLUX_URL"):
        assert told in str(caught.value)


async def test_half_an_answer_names_the_version(proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = '{"results":[{"series":[{"name":"usage","columns":["ti', 200
    proxy.headers = {"X-Influxdb-Version": "1.12.4"}
    async with Store(proxy.url) as store:
        for asking in (store.query, store.series, store.tables):
            with pytest.raises(UnavailableError, match=r"version 1\.12\.4.*begin '\{\"results"):
                await asking("SHOW DATABASES", "")


async def test_an_error_inside_of_success_is_the_statements(proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = '{"results":[{"statement_id":0,"error":"engine: no such thing"}]}', 200
    async with Store(proxy.url) as store:
        for asking in (store.query, store.series, store.tables):
            with pytest.raises(RejectedError, match="no such thing"):
                await asking('SELECT * FROM "usage"', OPERATOR_DATABASE)


async def test_a_measurement_that_opengemini_does_not_know_is_empty(proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = '{"results":[{"statement_id":0,"error":"measurement not found"}]}', 200
    async with Store(proxy.url) as store:
        for asking in (store.query, store.series, store.tables):
            assert await asking('SELECT * FROM "usage"', OPERATOR_DATABASE) == []
        assert await store.delete("usage", "time < 1", [OPERATOR_DATABASE]), "it does delete"


@pytest.mark.parametrize(
    "error",
    [
        "query interrupted",
        "max-concurrent-queries limit exceeded(10, 10)",
        "shard is disabled",
        "engine is closed",
        "no connections available, node: 2, 127.0.0.1:8401",
    ],
)
async def test_an_error_of_a_server_that_ends_or_begins_passes(error: str, proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = json.dumps({"results": [{"statement_id": 0, "error": error}]}), 200
    async with Store(proxy.url) as store:
        for asking in (store.query, store.series, store.tables):
            with pytest.raises(UnavailableError, match=re.escape(error)):
                await asking('SELECT * FROM "usage"', OPERATOR_DATABASE)


async def test_influxdb_2_says_nothing_at_all_of_what_it_has_deleted(proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = "{}", 200
    async with Store(proxy.url) as store:
        assert await store.delete("usage", "time < 1", [OPERATOR_DATABASE]), "it does delete"
        with pytest.raises(UnavailableError, match="not as InfluxDB does"):
            await store.query('SELECT * FROM "usage"', OPERATOR_DATABASE)


async def test_what_opengemini_is_deleting_is_waited_for(proxy: FaultyProxy) -> None:
    proxy.body, proxy.always = '{"results":[{"statement_id":0,"error":"measurement is being deleted"}]}', 200
    async with Store(proxy.url) as store:
        with pytest.raises(UnavailableError, match="being deleted"):
            await store.delete("usage", "time < 1", [OPERATOR_DATABASE])
        proxy.always = None
        assert await store.delete("usage", "time < 1", [OPERATOR_DATABASE]), "it does delete"


async def test_a_hanging_database_is_given_up(proxy: FaultyProxy) -> None:
    proxy.always = "hang"
    async with Store(proxy.url) as store:
        with pytest.raises(UnavailableError):
            await store.write([LINE], OPERATOR_DATABASE, timeout_s=0.1)


async def test_too_large_is_halved(proxy: FaultyProxy) -> None:
    proxy.faults = [413, 413]
    async with Store(proxy.url) as store:
        assert await store.write_each([f"m v=1 {i}" for i in range(8)], OPERATOR_DATABASE) == {}
        rows = await store.query("SELECT count(v) FROM m", OPERATOR_DATABASE)
    assert rows[0]["count"] == 8


async def test_no_server() -> None:
    async with Store(f"http://127.0.0.1:{free_port()}") as store:
        with pytest.raises(UnavailableError, match="InfluxDB at"):
            await store.ping()


@pytest.mark.parametrize(
    "url", ["localhost:8086", "127.0.0.1", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999", ""]
)
async def test_an_invalid_address(url: str) -> None:
    async with Store(url) as store:
        with pytest.raises(OperatorError, match="ECOPARK_INFLUX_URL"):
            await store.ping()


async def test_ping_tells_the_version(store: Store) -> None:
    assert (await store.ping()).startswith("1.")


def test_a_user_name_that_http_cannot_carry() -> None:
    with pytest.raises(OperatorError, match="ECOPARK_INFLUX_USER"):
        Store("http://127.0.0.1", "a:b", "secret")

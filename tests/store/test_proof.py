"""An answer that lacks what was confirmed before is rejected."""

from contextlib import suppress

import pytest
from aiohttp import web

from metering.errors import UnavailableError
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.conftest import FaultyProxy


async def test_answers_are_as_before_where_they_are_fresh(store: Store) -> None:
    await store.write(["m,k=a v=1 1", "m,k=b v=2,w=1 2"], OPERATOR_DATABASE)
    asked = ('SELECT * FROM "m"', OPERATOR_DATABASE)
    before, tables = await store.query(*asked), await store.tables(*asked)
    await store.prove("one", OPERATOR_DATABASE)
    await store.prove("one", OPERATOR_DATABASE)
    assert await store.query(*asked) == before
    assert [(table.tags, table.times.tolist()) for table in await store.tables(*asked)] == [
        (table.tags, table.times.tolist()) for table in tables
    ]
    assert await store.query('SELECT * FROM "nothing"', OPERATOR_DATABASE) == []
    assert await store.tables('SELECT * FROM "nothing"', OPERATOR_DATABASE) == []
    assert await store.delete("m", "k = 'a'", [OPERATOR_DATABASE])
    for ask in (store.query, store.tables):
        with pytest.raises(RejectedError, match="parsing"):
            await ask("SELECT FROM", OPERATOR_DATABASE)


@pytest.mark.parametrize("kind", ["empty", "older", "cut"])
async def test_an_answer_that_lacks_the_proof_is_no_answer(
    kind: str, proxy: FaultyProxy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.client._SHOWS_AFTER_S", (0.0,))
    await store.write(["m v=1 1"], OPERATOR_DATABASE)
    async with Store(proxy.url) as through:
        await through.prove("one", OPERATOR_DATABASE)
        older = '{"results":[{},{"series":[{"name":"p","columns":["time","number"],"values":[[0,7]]}]}]}'
        proxy.body = {"empty": '{"results":[{},{}]}', "older": older, "cut": '{"results":[]}'}[kind]
        proxy.always = 200
        for ask in (through.query, through.tables):
            with pytest.raises(UnavailableError, match="does not show what it has confirmed"):
                await ask('SELECT * FROM "m"', OPERATOR_DATABASE)
        with pytest.raises(UnavailableError):
            await through.prove("one", OPERATOR_DATABASE)
        proxy.always = None
        assert len(await through.query('SELECT * FROM "m"', OPERATOR_DATABASE)) == 1


async def test_a_database_that_shows_late_what_it_confirmed_is_waited_for(proxy: FaultyProxy) -> None:
    class Late(FaultyProxy):
        left = 3

        async def handle(self, request: web.Request) -> web.StreamResponse:
            if request.path == "/query" and self.left:
                self.left -= 1
                return web.json_response({"results": [{}, {}]})
            return await super().handle(request)

    async with Late(proxy.target) as late, Store(late.url) as through:
        await through.prove("one", OPERATOR_DATABASE)
        assert late.left == 0


async def test_on_opengemini_a_warning_names_the_setting_it_needs(
    proxy: FaultyProxy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.client._SHOWS_AFTER_S", ())
    async with Store(proxy.url) as through:
        await through.prove("one", OPERATOR_DATABASE)
    assert "pre-agg-enabled" not in caplog.text
    proxy.always, proxy.headers = 204, {"X-Geminidb-Version": "v1.5.2"}
    async with Store(proxy.url) as through:
        assert await through.ping() == "openGemini v1.5.2"
        with suppress(UnavailableError):
            await through.prove("one", OPERATOR_DATABASE)
    assert "openGemini v1.5.2: see to it that its configuration has pre-agg-enabled = false" in caplog.text


async def test_opengemini_has_time_to_show_new_series(proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("store.client.asyncio.sleep", sleep)
    monkeypatch.setattr("store.client._SHOWS_AFTER_S", ())
    proxy.always, proxy.headers = 204, {"X-Geminidb-Version": "v1.5.2"}

    async def proven(through: Store) -> list[float]:
        slept.clear()
        with suppress(UnavailableError):
            await through.prove("one", OPERATOR_DATABASE)
        return list(slept)

    async with Store(proxy.url) as through:
        await proven(through)
        await through.write(["usage,meter=a amount=1 1"], OPERATOR_DATABASE)
        assert await proven(through) == [5.0]
        await through.write(["usage,meter=a amount=2 1"], OPERATOR_DATABASE)
        assert await proven(through) == []
        await through.write(["usage,meter=a amount=2 1", "usage,meter=b amount=2 1"], OPERATOR_DATABASE)
        assert await proven(through) == [5.0]
    proxy.headers = {"X-Influxdb-Version": "1.6.7"}
    async with Store(proxy.url) as through:
        await proven(through)
        await through.write(["usage,meter=c amount=1 1"], OPERATOR_DATABASE)
        assert await proven(through) == []

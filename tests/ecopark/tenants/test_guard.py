"""A tenant asks the guard everything that InfluxQL can ask, in every way: no answer depends on what others have.

InfluxDB 1.x itself answers some of these questions with the others' series; the first test shows that, so that the
second cannot pass by asking nothing.
"""

import asyncio
import base64
import itertools
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from ecopark.tenants.guard import Guard
from ecopark.tenants.keys import Keys
from ecopark.tenants.wanted import PREFIX
from proving.processes import Child, free_port
from proving.servers import Influxd
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.conftest import ECOPARK
from tests.ecopark.tenants.conftest import BREWERY, TEXTILE

Sync = Callable[..., subprocess.CompletedProcess[str]]
MARKS = ("hops", "malt", "kettle")
"""Of the other tenant: a tag value, a field and a measurement that no question names."""

HAVE = ["", f'ON "{BREWERY}"', f'ON "{OPERATOR_DATABASE}"', f'ON "{TEXTILE}"', 'ON "_internal"']
FROM = ["", 'FROM "usage"', f'FROM "{BREWERY}".."usage"', f'FROM "{BREWERY}"."autogen"./.*/', "FROM /.*/"]
WHERE = ["", "WHERE amount > 0", "WHERE tenant =~ /.*/"]
KINDS = [
    "DATABASES",
    "SERIES",
    "MEASUREMENTS",
    "TAG KEYS",
    'TAG VALUES {where_key} WITH KEY = "mark"',
    "FIELD KEYS",
    "RETENTION POLICIES",
    "CONTINUOUS QUERIES",
    "QUERIES",
    "USERS",
    "SHARDS",
    "SHARD GROUPS",
    "STATS",
    "DIAGNOSTICS",
    "SUBSCRIPTIONS",
    f'GRANTS FOR "{BREWERY}"',
    *(
        f"{kind} {exact}CARDINALITY"
        for kind in ("SERIES", "MEASUREMENT", "TAG KEY", "FIELD KEY", "TAG VALUES")
        for exact in ("", "EXACT ")
    ),
]
SOURCES = ['"usage"', f'"{BREWERY}".."usage"', f'"{BREWERY}"."autogen"."usage"', f"{BREWERY}..usage", "_series", "/.*/"]
SELECTS = [
    "SELECT * FROM {source}",
    "SELECT count(amount) FROM {source}",
    "SELECT sum(amount) FROM (SELECT amount FROM {source})",
    "SELECT sum(amount) FROM (SELECT amount FROM (SELECT * FROM {source}) WHERE amount > 1)",
    'SELECT * FROM "usage", {source}',
    'SELECT * INTO "copy" FROM {source}',
    "EXPLAIN SELECT * FROM {source}",
    "EXPLAIN ANALYZE SELECT * FROM {source}",
    'SELECT * FROM "usage"; SELECT * FROM {source}',
    'SELECT * FROM "usage" -- \n FROM {source}',
    'SELECT * FROM "usage" WHERE a =~ /x/ ; SELECT * FROM {source}',
]


def shows() -> Iterator[str]:
    for kind, on, source, where in itertools.product(KINDS, HAVE, FROM, WHERE):
        if "{where_key}" in kind:
            yield "SHOW " + kind.format(where_key=f"{on} {source}") + f" {where}"
        else:
            yield f"SHOW {kind} {on} {source} {where}"


def selects() -> Iterator[str]:
    for form, source in itertools.product(SELECTS, SOURCES):
        yield form.format(source=source)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def own(password: str) -> dict[str, str]:
    return basic(TEXTILE, password)


QUESTIONS = [*shows(), *selects()]


@dataclass
class Asking:
    """A tenant with its account and the URL it asks."""

    session: aiohttp.ClientSession
    url: str
    secret: str

    async def ask(self, question: str, way: str) -> str:
        """Status and body of the answer."""
        parameters = {"q": question, "db": BREWERY if way == "another database" else TEXTILE}
        headers = {"Accept": "application/csv"} if way == "csv" else {}
        if way == "chunked":
            parameters["chunked"] = "true"
        where = f"{self.url}/query"
        auth = own(self.secret)
        if way == "in the URL":
            request = self.session.get(where, params=parameters, headers=auth)
        elif way == "multipart":
            form = aiohttp.FormData({"db": TEXTILE})
            form.add_field("q", question, content_type="text/plain", filename="q")
            request = self.session.post(where, data=form, headers=auth)
        elif way == "as user and password":
            request = self.session.post(where, data=parameters | {"u": TEXTILE, "p": self.secret})
        else:
            request = self.session.post(where, data=parameters, headers=headers | auth)
        async with request as answer:
            return f"{answer.status} {(await answer.read()).decode()}"


WAYS = ("in the URL", "in the body", "another database", "csv", "chunked", "multipart", "as user and password")


@pytest.fixture
async def filled(sync: Sync, guarded: Influxd, administrator: Store) -> Influxd:
    assert sync().returncode == 0
    await administrator.write(["usage,park=demo,tenant=textile amount=1 60000000000"], TEXTILE)
    for database in (BREWERY, OPERATOR_DATABASE):
        await administrator.write(
            ["usage,park=demo,tenant=brewery,mark=hops amount=2,malt=3 60000000000", "kettle,mark=hops amount=4"],
            database,
        )
    return guarded


@pytest.fixture
async def asking(filled: Influxd, tmp_path: Path) -> AsyncIterator[Asking]:
    runner = web.AppRunner(Guard(filled.url, PREFIX).application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    secret = Keys.influx(tmp_path / "keys").get(TEXTILE) or ""
    async with aiohttp.ClientSession() as session:
        yield Asking(session, f"http://127.0.0.1:{runner.addresses[0][1]}", secret)
    await runner.cleanup()


async def test_the_database_itself_does_not_keep_tenants_apart(asking: Asking, filled: Influxd) -> None:
    asking.url = filled.url
    for question in QUESTIONS:
        answer = await asking.ask(question, "in the body")
        if any(mark in answer for mark in MARKS):
            return
    pytest.fail("no question made the database tell anything: the questions below prove nothing")


async def test_no_answer_of_the_guard_depends_on_what_others_have(asking: Asking, administrator: Store) -> None:
    asked = [(question, way) for at, question in enumerate(QUESTIONS) for way in (WAYS[at % len(WAYS)],)]
    asked += [(question, way) for question in selects() for way in WAYS]
    before = [await asking.ask(question, way) for question, way in asked]
    for (question, way), answer in zip(asked, before, strict=True):
        assert not any(mark in answer for mark in MARKS), (question, way, answer)
        if not question.startswith("SELECT"):
            assert answer.startswith(("403", "415", "401")), (question, way, answer)
    assert any(answer.startswith("200") and "textile" in answer for answer in before)
    for database in (BREWERY, OPERATOR_DATABASE):
        more = [f"usage,park=demo,tenant=brewery,mark=hops{at} amount={at},malt=3 {at}000000000" for at in range(60)]
        await administrator.write([*more, "vat,mark=hops malt=1"], database)
    for (question, way), answer in zip(asked, before, strict=True):
        if question.startswith("SELECT"):  # the others were refused without asking the database
            assert await asking.ask(question, way) == answer


async def test_a_tenant_gets_its_own_whatever_database_it_names(asking: Asking) -> None:
    for way in ("in the URL", "in the body", "another database", "csv", "chunked"):
        status, _, body = (await asking.ask('SELECT sum("amount") FROM "usage"', way)).partition(" ")
        assert status == "200"
        assert json.loads(body)["results"][0]["series"][0]["values"][0][1] == 1


async def test_nothing_but_queries_is_answered(asking: Asking) -> None:
    paths = ("/write?db=x", "/api/v1/prom/read", "/debug/vars", "/debug/pprof/heap", "/api/v2/query")
    for method, path in itertools.product(("GET", "POST", "DELETE"), paths):
        async with asking.session.request(method, f"{asking.url}{path}", headers=own(asking.secret)) as answer:
            assert answer.status == 404, path


async def test_a_parameter_that_means_something_else_is_refused(asking: Asking) -> None:
    auth = own(asking.secret)
    for more in ("&q=SHOW+SERIES", "&rp=other", "&params={}", "&u=admin&p=x", "&epoch=y"):
        async with asking.session.get(f'{asking.url}/query?q=SELECT+*+FROM+"usage"{more}', headers=auth) as answer:
            assert answer.status == 400, more


async def test_strangers_are_refused(asking: Asking) -> None:
    for auth in ({}, basic("admin", "right"), basic(TEXTILE, "guess"), {"Authorization": "Basic !"}):
        async with asking.session.get(
            f"{asking.url}/query", params={"q": "SELECT * FROM usage"}, headers=auth
        ) as answer:
            assert answer.status in {401, 403}


async def test_too_large_an_answer_is_refused_with_a_reason(
    asking: Asking, administrator: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecopark.tenants.guard.LONGEST_ANSWER", 10_000)
    await administrator.write([f"usage,tenant=textile amount={at} {at + 1}" for at in range(2000)], TEXTILE)
    assert (await asking.ask('SELECT * FROM "usage"', "in the body")).startswith("413")
    assert (await asking.ask('SELECT count("amount") FROM "usage"', "in the body")).startswith("200")


async def test_the_command_serves_until_it_is_stopped(filled: Influxd, tmp_path: Path) -> None:
    port = free_port()
    child = Child(
        "guard",
        [str(ECOPARK), "guard", "--port", str(port)],
        tmp_path / "guard.log",
        {"ECOPARK_INFLUX_URL": filled.url},
    )
    child.start()
    secret = Keys.influx(tmp_path / "keys").get(TEXTILE) or ""
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                try:
                    asking = Asking(session, f"http://127.0.0.1:{port}", secret)
                    assert "textile" in await asking.ask('SELECT * FROM "usage"', "in the body")
                    break
                except aiohttp.ClientConnectorError:
                    assert child.running, child.last_words()
                    await asyncio.sleep(0.05)
        assert await asyncio.to_thread(child.stop) == 0
        assert secret not in child.log.read_text()
    finally:
        child.kill()


def test_without_a_guard_an_influxdb_1_is_refused_for_tenants(sync: Sync) -> None:
    said = sync("--dry-run", guard=None)
    assert said.returncode == 2
    assert "set ECOPARK_GUARD_URL" in said.stderr

"""How databases are made: a tenant's with long shards, on openGemini with as many copies as the operator's has."""

import json

import pytest
from aiohttp import web

from metering.instants import DAY_MS
from store.client import Store
from store.policy import KeepingPolicy
from store.schema import OPERATOR_DATABASE, TENANT_SHARD_DAYS, tenant_database
from tests.conftest import FaultyProxy

TENANT = tenant_database("demo", "textile")
LONG = TENANT_SHARD_DAYS * DAY_MS


async def test_only_a_tenants_database_has_long_shards(store: Store) -> None:
    for database, shard_ms in ((TENANT, LONG), (OPERATOR_DATABASE, 7 * DAY_MS), ("telegraf", 7 * DAY_MS)):
        await store.create_database(database)
        assert await store.policy(database) == KeepingPolicy("autogen", None, shard_ms, 1)
    assert await store.policy("nowhere") is None


@pytest.mark.parametrize(
    ("database", "keeps_ms", "shard_ms", "suits"),
    [
        (TENANT, None, LONG, True),
        (TENANT, None, 7 * DAY_MS, False),
        (TENANT, 365 * DAY_MS, 7 * DAY_MS, True),
        (OPERATOR_DATABASE, None, 7 * DAY_MS, True),
    ],
    ids=["long", "short", "of a retention", "the operator's"],
)
def test_only_short_shards_of_a_tenant_whose_data_are_kept_do_not_suit(
    database: str, keeps_ms: int | None, shard_ms: int, *, suits: bool
) -> None:
    assert KeepingPolicy("autogen", keeps_ms, shard_ms, 1).suits(database) is suits


class ThreeCopies(FaultyProxy):
    """A server whose operator's database has three copies; `kind` is the header with its version."""

    def __init__(self, target: str, kind: str) -> None:
        super().__init__(target)
        self.kind = kind
        self.asked: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(str((await request.post())["q"]))
        policy = {"columns": ["name", "duration", "replicaN", "default"], "values": [["autogen", "0s", 3, True]]}
        found = {"series": [policy]} if "POLICIES" in self.asked[-1] else {}
        return web.Response(text=json.dumps({"results": [found]}), headers={self.kind: "v1"})


@pytest.mark.parametrize(("kind", "copies"), [("X-Geminidb-Version", " REPLICAS 3"), ("X-Influxdb-Version", "")])
async def test_on_opengemini_a_tenants_database_has_as_many_copies_as_the_operators(kind: str, copies: str) -> None:
    async with ThreeCopies("", kind) as server, Store(server.url) as store:
        await store.create_database(TENANT)
        await store.create_database(OPERATOR_DATABASE)
    made = [asked for asked in server.asked if asked.startswith("CREATE")]
    assert made == [
        f'CREATE DATABASE "{TENANT}" WITH SHARD DURATION {TENANT_SHARD_DAYS}d{copies}',
        f'CREATE DATABASE "{OPERATOR_DATABASE}"',
    ]

"""The executors for InfluxDB 2.x and Grafana, with the real client libraries, against servers of this file.

These servers answer as the documented HTTP APIs do, as far as they are used. The executors were *not* run against an
InfluxDB 2.x or a Grafana: neither is at hand where these tests run.
"""

import asyncio
import base64
import itertools
import json
import os
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from store.schema import TENANT_SHARD_DAYS
from tests.ecopark.tenants.conftest import BREWERY, ECOPARK, PARK, TEXTILE

ADMIN = f"Basic {base64.b64encode(b'admin:right').decode()}"
TOKEN = "operator-token"  # noqa: S105 (of a server in this file)


class Documented:
    """State and handlers of both APIs; ids are texts in InfluxDB and numbers in Grafana."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.buckets: dict[str, str] = {"0b": "_monitoring", "0c": "somebody-elses"}
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.tokens: dict[str, dict[str, Any]] = {"0a": {"id": "0a", "description": "somebody's", "permissions": []}}
        self.organizations: dict[int, str] = {1: "Main Org."}
        self.sources: dict[int, list[dict[str, Any]]] = {}
        self.boards: dict[int, dict[str, dict[str, Any]]] = {}
        self.users: dict[int, dict[str, Any]] = {}
        self.changes: list[str] = []
        self.url = ""

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self.guard])
        routes = [
            ("GET", "/ping", self.ping),
            ("GET", "/api/v2/orgs", self.list_organizations_2),
            ("GET", "/api/v2/buckets", self.list_buckets),
            ("POST", "/api/v2/buckets", self.make_bucket),
            ("PATCH", "/api/v2/buckets/{id}", self.change_bucket),
            ("DELETE", "/api/v2/buckets/{id}", self.drop_bucket),
            ("GET", "/api/v2/authorizations", self.list_tokens),
            ("POST", "/api/v2/authorizations", self.make_token),
            ("DELETE", "/api/v2/authorizations/{id}", self.drop_token),
            ("GET", "/api/orgs", self.list_organizations),
            ("POST", "/api/orgs", self.make_organization),
            ("PUT", "/api/orgs/{id}", self.name_organization),
            ("DELETE", "/api/orgs/{id}", self.drop_organization),
            ("POST", "/api/orgs/{id}/users", self.join),
            ("DELETE", "/api/orgs/{id}/users/{user}", self.leave),
            ("GET", "/api/datasources", self.list_sources),
            ("POST", "/api/datasources", self.make_source),
            ("PUT", "/api/datasources/uid/{uid}", self.change_source),
            ("DELETE", "/api/datasources/uid/{uid}", self.drop_source),
            ("DELETE", "/api/dashboards/uid/{uid}", self.drop_board),
            ("GET", "/api/search", self.find_boards),
            ("GET", "/api/dashboards/uid/{uid}", self.get_board),
            ("POST", "/api/dashboards/db", self.save_board),
            ("GET", "/api/users/lookup", self.find_user),
            ("GET", "/api/users/{id}/orgs", self.places),
            ("POST", "/api/admin/users", self.make_user),
            ("PUT", "/api/admin/users/{id}/password", self.set_password),
            ("DELETE", "/api/admin/users/{id}", self.drop_user),
        ]
        for method, path, handler in routes:
            application.router.add_route(method, path, handler)
        return application

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        right = f"Token {TOKEN}" if request.path.startswith("/api/v2") else ADMIN
        if request.path != "/ping" and given != right:
            return web.json_response({"code": "unauthorized", "message": "unauthorized access"}, status=401)
        if request.method != "GET":
            self.changes.append(f"{request.method} {request.path}")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def ping(self, _: web.Request) -> web.Response:
        return web.Response(status=204, headers={"X-Influxdb-Version": "v2.9.1"})

    async def list_organizations_2(self, _: web.Request) -> web.Response:
        return web.json_response({"orgs": [{"id": "aa", "name": "ecopark"}]})

    async def list_buckets(self, request: web.Request) -> web.Response:
        limit, after = int(request.query.get("limit", 20)), request.query.get("after", "")
        found = [
            {"id": number, "name": name, "orgID": "aa", "retentionRules": self.rules.get(number, [])}
            for number, name in sorted(self.buckets.items())
        ]
        page = [one for one in found if str(one["id"]) > after]
        links = {"self": str(request.rel_url)}
        if len(page) > limit:
            links["next"] = f"/api/v2/buckets?limit={limit}&after={page[limit - 1]['id']}"
        return web.json_response({"buckets": page[:limit], "links": links})

    async def make_bucket(self, request: web.Request) -> web.Response:
        wish = await request.json()
        if wish["name"] in self.buckets.values():
            return web.json_response({"code": "conflict", "message": "exists"}, status=422)
        made = f"1{next(self._numbers):03}"
        self.buckets[made] = wish["name"]
        self._keep(made, wish)
        return web.json_response({**wish, "id": made}, status=201)

    async def change_bucket(self, request: web.Request) -> web.Response:
        bucket = request.match_info["id"]
        self._keep(bucket, await request.json())
        return web.json_response(
            {"id": bucket, "name": self.buckets[bucket], "orgID": "aa", "retentionRules": self.rules[bucket]}
        )

    def _keep(self, bucket: str, wish: dict[str, Any]) -> None:
        (rule,) = wish["retentionRules"]
        weekly = {"type": "expire", "shardGroupDurationSeconds": 604_800}
        self.rules[bucket] = [weekly | {name: value for name, value in rule.items() if value is not None}]

    async def drop_bucket(self, request: web.Request) -> web.Response:
        del self.buckets[request.match_info["id"]]
        return web.Response(status=204)

    async def list_tokens(self, _: web.Request) -> web.Response:
        # From 2.9 on tokens are hashed: a list shows none.
        shown = [{name: value for name, value in one.items() if name != "token"} for one in self.tokens.values()]
        return web.json_response({"authorizations": shown})

    async def make_token(self, request: web.Request) -> web.Response:
        wish = await request.json()
        made = f"2{next(self._numbers):03}"
        self.tokens[made] = {"status": "active", **wish, "id": made, "token": f"secret-of-{made}"}
        return web.json_response(self.tokens[made], status=201)

    async def drop_token(self, request: web.Request) -> web.Response:
        del self.tokens[request.match_info["id"]]
        return web.Response(status=204)

    async def list_organizations(self, _: web.Request) -> web.Response:
        return web.json_response([{"id": number, "name": name} for number, name in self.organizations.items()])

    async def make_organization(self, request: web.Request) -> web.Response:
        number = next(self._numbers) + 1
        self.organizations[number] = (await request.json())["name"]
        return web.json_response({"orgId": number, "message": "Organization created"})

    async def name_organization(self, request: web.Request) -> web.Response:
        self.organizations[int(request.match_info["id"])] = (await request.json())["name"]
        return web.json_response({"message": "Organization updated"})

    async def drop_organization(self, request: web.Request) -> web.Response:
        del self.organizations[int(request.match_info["id"])]
        return web.json_response({"message": "Organization deleted"})

    async def join(self, request: web.Request) -> web.Response:
        wish = await request.json()
        user = next(one for one in self.users.values() if one["login"] == wish["loginOrEmail"])
        user["places"][int(request.match_info["id"])] = wish["role"]
        return web.json_response({"message": "User added to organization"})

    async def leave(self, request: web.Request) -> web.Response:
        del self.users[int(request.match_info["user"])]["places"][int(request.match_info["id"])]
        return web.json_response({"message": "User removed from organization"})

    def inside(self, request: web.Request) -> int:
        return int(request.headers["X-Grafana-Org-Id"])

    async def list_sources(self, request: web.Request) -> web.Response:
        found = self.sources.get(self.inside(request), [])
        return web.json_response([{k: v for k, v in one.items() if k != "secureJsonData"} for one in found])

    async def make_source(self, request: web.Request) -> web.Response:
        self.sources.setdefault(self.inside(request), []).append(await request.json())
        return web.json_response({"message": "Datasource added"})

    async def change_source(self, request: web.Request) -> web.Response:
        self.sources[self.inside(request)] = [await request.json()]
        return web.json_response({"message": "Datasource updated"})

    async def drop_source(self, request: web.Request) -> web.Response:
        del self.sources[self.inside(request)]
        return web.json_response({"message": "Data source deleted"})

    async def drop_board(self, request: web.Request) -> web.Response:
        del self.boards[self.inside(request)][request.match_info["uid"]]
        return web.json_response({"message": "Dashboard deleted"})

    async def find_boards(self, request: web.Request) -> web.Response:
        found = self.boards.get(self.inside(request), {})
        return web.json_response([{"uid": uid, "type": "dash-db"} for uid in found])

    async def get_board(self, request: web.Request) -> web.Response:
        board = self.boards[self.inside(request)][request.match_info["uid"]]
        return web.json_response({"meta": {}, "dashboard": {**board, "id": 7, "version": 3}})

    async def save_board(self, request: web.Request) -> web.Response:
        board = (await request.json())["dashboard"]
        assert board["id"] is None
        self.boards.setdefault(self.inside(request), {})[board["uid"]] = board
        return web.json_response({"uid": board["uid"], "status": "success"})

    async def find_user(self, request: web.Request) -> web.Response:
        for number, user in self.users.items():
            if user["login"] == request.query["loginOrEmail"]:
                return web.json_response({"id": number, "login": user["login"]})
        return web.json_response({"message": "user not found"}, status=404)

    async def places(self, request: web.Request) -> web.Response:
        places = self.users[int(request.match_info["id"])]["places"]
        return web.json_response([{"orgId": number, "role": role} for number, role in places.items()])

    async def make_user(self, request: web.Request) -> web.Response:
        wish = await request.json()
        number = next(self._numbers)
        self.users[number] = {**wish, "places": {wish["OrgId"]: "Viewer"}}
        return web.json_response({"id": number, "message": "User created"})

    async def set_password(self, request: web.Request) -> web.Response:
        self.users[int(request.match_info["id"])]["password"] = (await request.json())["password"]
        return web.json_response({"message": "User password updated"})

    async def drop_user(self, request: web.Request) -> web.Response:
        del self.users[int(request.match_info["id"])]
        return web.json_response({"message": "User deleted"})


@pytest.fixture
async def server() -> AsyncIterator[Documented]:
    made = Documented()
    runner = web.AppRunner(made.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


class Operator:
    """Runs the command as an operator does."""

    def __init__(self, server: Documented, parks: Path, folder: Path) -> None:
        self.keys = folder / "keys"
        self._folder = folder
        self._env = {
            **os.environ,
            "ECOPARK_PARK": str(parks),
            "ECOPARK_INFLUX_URL": server.url,
            "ECOPARK_INFLUX_TOKEN": TOKEN,
            "ECOPARK_GRAFANA_URL": server.url,
            "ECOPARK_GRAFANA_TOKEN": "right",
            "ECOPARK_GRAFANA_INFLUX_URL": "http://influxdb:8086",
        }
        boards = folder / "boards" / "en"
        boards.mkdir(parents=True)
        (boards / "own.json").write_text(json.dumps({"uid": "ecopark-own", "title": "Our resources", "panels": []}))

    async def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(ECOPARK), "tenants", "sync", "--json", "--language", "en", "--dir", str(self.keys)]
        command += ["--dashboards", str(self._folder / "boards"), *arguments]
        return await asyncio.to_thread(
            subprocess.run, command, env=self._env | environment, capture_output=True, text=True, check=False
        )

    async def steps(self, *arguments: str) -> list[str]:
        done = await self.run(*arguments)
        assert done.returncode == 0, done.stderr
        steps: list[str] = json.loads(done.stdout)["steps"]
        return steps


@pytest.fixture
def operator(server: Documented, park_files: Path, tmp_path: Path) -> Operator:
    return Operator(server, park_files, tmp_path)


async def test_each_tenant_gets_its_bucket_token_organization_and_viewer(
    server: Documented, operator: Operator
) -> None:
    planned = await operator.steps("--dry-run")
    assert server.changes == []
    assert not operator.keys.exists()
    done = await operator.run()
    assert len(json.loads(done.stdout)["steps"]) == len(planned)
    assert {"ecopark", TEXTILE, BREWERY} < set(server.buckets.values())
    ids = {name: number for number, name in server.buckets.items()}
    token = next(one for one in server.tokens.values() if one["description"] == TEXTILE)
    resource = {"type": "buckets", "id": ids[TEXTILE], "orgID": "aa"}
    assert token["permissions"] == [{"action": "read", "resource": resource}]

    place = next(number for number, name in server.organizations.items() if name == "Textile [demo.textile]")
    (source,) = server.sources[place]
    assert (source["uid"], source["url"], source["jsonData"]["dbName"]) == ("ecopark", "http://influxdb:8086", TEXTILE)
    assert source["secureJsonData"] == {"basicAuthPassword": token["token"]}
    assert list(server.boards[place]) == ["ecopark-own"]
    viewer = next(one for one in server.users.values() if one["login"] == "demo.textile")
    assert viewer["places"] == {place: "Viewer"}

    files = list(operator.keys.rglob("*.env"))
    assert len(files) == 7
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    for secret in (token["token"], viewer["password"], TOKEN):
        assert secret not in done.stdout + done.stderr
    server.changes.clear()
    assert await operator.steps() == []
    assert server.changes == []


async def test_what_was_changed_by_hand_or_lost_is_restored(server: Documented, operator: Operator) -> None:
    await operator.steps()
    token = next(one for one in server.tokens.values() if one["description"] == TEXTILE)
    token["permissions"].append({"action": "read", "resource": {"type": "orgs", "orgID": "aa"}})
    viewer = next(one for one in server.users.values() if one["login"] == "demo.brewery")
    viewer["places"][1] = "Admin"
    (operator.keys / "grafana" / "demo.textile.env").unlink()
    steps = await operator.steps()
    assert [step.split(" (")[0] for step in steps] == [
        f"change account {TEXTILE}",
        "change source ecopark of demo.textile",
        "change viewer demo.brewery of demo.brewery",
        "change viewer demo.textile of demo.textile",
    ]
    assert 1 not in viewer["places"]
    assert len([one for one in server.tokens.values() if one["description"] == TEXTILE]) == 1
    assert await operator.steps() == []


async def test_short_shards_of_a_tenant_become_long_unless_somebody_chose_a_retention(
    server: Documented, operator: Operator
) -> None:
    await operator.steps()
    ids = {name: number for number, name in server.buckets.items()}
    for name, seconds in ((TEXTILE, 0), (BREWERY, 31_536_000)):
        server.rules[ids[name]] = [{"type": "expire", "everySeconds": seconds, "shardGroupDurationSeconds": 604_800}]
    assert await operator.steps() == [f"change database {TEXTILE}"]
    assert await operator.steps() == []
    found = {name: server.rules[ids[name]][0]["shardGroupDurationSeconds"] for name in (TEXTILE, BREWERY, "ecopark")}
    assert found == {TEXTILE: TENANT_SHARD_DAYS * 86_400, BREWERY: 604_800, "ecopark": 604_800}


async def test_a_tenant_that_left_is_removed_only_by_prune_and_foreign_objects_never(
    server: Documented, operator: Operator, park_files: Path
) -> None:
    await operator.steps()
    brewery = next(line for line in PARK.splitlines() if "brewery" in line)
    (park_files / "demo.yaml").write_text(PARK.replace(brewery + "\n", ""), encoding="utf-8")
    # The usage service's token is made anew without the bucket; nothing goes.
    assert [step.split(" (")[0] for step in await operator.steps()] == ["change account ecopark_usage"]
    assert BREWERY in server.buckets.values()
    gone = await operator.steps("--prune")
    assert gone[-1].startswith("remove organization demo.brewery")
    assert [step.split(" (")[0] for step in gone if step.startswith("remove")][:2] == [
        f"remove account {BREWERY}",
        f"remove database {BREWERY}",
    ]
    assert sorted(server.buckets.values()) == ["_monitoring", "ecopark", TEXTILE, "somebody-elses"]
    assert server.organizations.keys() >= {1}
    assert "0a" in server.tokens
    assert "demo.brewery" not in [one["login"] for one in server.users.values()]
    assert await operator.steps() == []


@pytest.mark.parametrize(
    ("variable", "words"),
    [("ECOPARK_INFLUX_TOKEN", "refuses the token"), ("ECOPARK_GRAFANA_TOKEN", "server administrator's user")],
)
async def test_wrong_credentials_are_reported_as_the_operators_mistake(
    operator: Operator, variable: str, words: str
) -> None:
    said = await operator.run(**{variable: "wr0ng"})
    assert said.returncode == 2
    assert words in said.stderr
    assert "wr0ng" not in said.stderr

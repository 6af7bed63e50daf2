"""What the viewer answers over HTTP, and what it refuses."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from dashboards.filling import as_sent, outside_patterns, stands_aside
from dashboards.generate import PageOwner
from dashboards.setting import Setting
from dashboards.viewer.boards import Boards, UnknownError
from dashboards.viewer.server import start
from metering.errors import OperatorError
from metering.park import Park
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.dashboards.conftest import NOW
from tests.dashboards.test_pages_ask import TENANTS, choices, pages
from tests.dashboards.viewer.conftest import EXAMPLE, now

pytestmark = pytest.mark.asyncio(loop_scope="session")

END = int(NOW.timestamp() * 1000)
DAY_MS = 86_400_000
CHOSEN = {"park": ["song-xanh"], "tenant": ["$__all"]}
PANEL: dict[str, Any] = {
    "page": "ecopark-overview",
    "panel": 3,
    "variables": CHOSEN,
    "from": END - DAY_MS,
    "to": END,
    "relative": True,
}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_a_statement_is_forbidden(http: ClientSession, method: str) -> None:
    async with http.request(method, "/query", params={"q": "SHOW DATABASES", "db": "ecopark"}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": "SHOW DATABASES"},
        {"q": "SHOW DATABASES"},
        {"db": "_internal"},
        {"variables": {**CHOSEN, "tenant": ["x/ OR 1=1 OR tenant =~ /x"]}},
        {"variables": {**CHOSEN, "tenant": ["$tenant"]}},
        {"variables": {**CHOSEN, "park; DROP": ["x"]}},
        {"variables": {**CHOSEN, "tenant": [".*"]}},
        {"from": "now() - 1d"},
        {"from": -1},
        {"to": 10**18},
        {"panel": "3; DROP DATABASE ecopark"},
    ],
)
async def test_anything_but_a_question_of_a_page_is_forbidden(http: ClientSession, wrong: dict[str, object]) -> None:
    async with http.post("/api/panel", json=PANEL | wrong) as answer:
        assert answer.status == 403, await answer.text()


@pytest.mark.parametrize(
    "unknown", [{"page": "ecopark-nothing"}, {"panel": 999}, {"variables": {"park": ["song-xanh"]}}]
)
async def test_unknown_paths_are_not_found(http: ClientSession, unknown: dict[str, object]) -> None:
    async with http.post("/api/panel", json=PANEL | unknown) as answer:
        assert answer.status == 404
        assert "error" in await answer.json()


async def test_a_panel_gets_the_answer_that_grafana_would_get(
    http: ClientSession, filled_store: Store, setting: Setting, park: Park
) -> None:
    for page in pages(setting)[:3]:
        for panel in page.panels:
            body = PANEL | {"page": f"ecopark-{page.name}", "panel": panel.id}
            async with http.post("/api/panel", json=body) as answer:
                assert answer.status == 200, await answer.text()
                found = {each["ref"]: each["series"] for each in (await answer.json())["answers"]}
            for target in panel.targets:
                chosen = choices(page, TENANTS["all"], park)
                statement = as_sent(target.query, panel, chosen, NOW - timedelta(days=1), NOW, park.zone)
                expected = [] if stands_aside(statement) else await filled_store.series(statement, OPERATOR_DATABASE)
                assert found[target.ref] == expected, (page.name, panel.id)


async def test_only_the_chosen_tenant_is_answered(http: ClientSession) -> None:
    body = PANEL | {"variables": {**CHOSEN, "tenant": ["textile", "steel"]}}
    async with http.post("/api/panel", json=body) as answer:
        series = (await answer.json())["answers"][0]["series"]
    assert {each["tags"]["tenant"] for each in series} == {"textile", "steel"}


async def test_a_panels_own_range_counts_only_on_a_page_that_ends_now(http: ClientSession) -> None:
    ranges = []
    for relative in (True, False):
        async with http.post("/api/panel", json=PANEL | {"panel": 11, "relative": relative}) as answer:
            ranges.append((await answer.json())["from"])
    assert ranges == [int(NOW.timestamp() // 86400 * 86400 - 7 * 3600) * 1000, END - DAY_MS]


async def test_variables_offer_values_with_names(http: ClientSession, park: Park) -> None:
    for page, name in (
        ("ecopark-overview", "Thanh Giang Dyeing and Finishing"),
        ("ecopark-overview-vi", "Dệt nhuộm Thanh Giang"),
    ):
        body = {"page": page, "name": "tenant", "variables": {"park": ["song-xanh"]}}
        async with http.post("/api/variable", json=body) as answer:
            offered = {each["value"]: each["text"] for each in (await answer.json())["values"]}
        assert set(offered) == set(park.tenant)
        assert offered["textile"] == name


async def test_events_have_a_text_in_the_language_of_the_page(http: ClientSession) -> None:
    body = {key: PANEL[key] for key in ("variables", "from", "to", "relative")}
    async with http.post("/api/events", json=body | {"page": "ecopark-overview-vi"}) as answer:
        (event,) = (await answer.json())["events"]
    assert event["text"] == "reset: em-textile-dyeing"
    assert event["time"] == END - 5 * 3_600_000


async def test_firing_alerts_are_listed_in_the_readers_language_with_names(http: ClientSession) -> None:
    told = {}
    for language in ("en", "vi"):
        async with http.get(f"/api/alerts/{language}") as answer:
            assert answer.status == 200, await answer.text()
            told[language] = (await answer.json())["alerts"]
    assert [alert["severity"] for alert in told["en"]] == sorted(
        (alert["severity"] for alert in told["en"]), key=["critical", "warning", "info"].index
    )
    factor = [alert for alert in told["vi"] if "Cơ khí Thép Đại Lộc" in alert["text"] and "0,87" in alert["text"]]
    assert len(factor) == 1
    assert factor[0]["url"].startswith("/d/ecopark-electricity-vi?var-park=song-xanh")
    assert "var-tenant=steel" in factor[0]["url"]
    assert not any(re.search(r"{{|{labels|{value", alert["text"]) for alert in told["en"] + told["vi"])
    silent = {alert["text"].split(" has")[0]: alert["text"] for alert in told["en"] if alert["name"] == "Silent meter"}
    assert "1h 6m" in silent["Meter Dong Lua Feed, intake (Dong Lua Animal Feed) at gw-west"]
    assert "1h 20m" in silent["Meter Nam An Pharma, water (Nam An Pharmaceuticals) at gw-lora"]


async def test_a_page_and_its_program_come_from_here_and_nowhere_else(http: ClientSession) -> None:
    async with http.get("/d/ecopark-overview") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    for name in re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", page):
        async with http.get(name) as answer:
            assert answer.status == 200, name
            assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/d/ecopark-nothing", "/assets/..%2findex.html", "/assets/%2e%2e/index.html", "/x"])
async def test_other_addresses_are_not_found(http: ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        assert answer.status == 404


async def test_a_page_that_resolved_itself_to_this_machine_is_refused(http: ClientSession) -> None:
    for host, status in (("attacker.example", 403), ("localhost", 200)):
        async with http.get("/d/ecopark-overview", headers={"Host": host}) as answer:
            assert answer.status == status


@pytest.mark.parametrize(
    ("accepted", "home"),
    [("vi-VN,vi;q=0.9,en;q=0.8", "-vi"), ("en-GB,vi;q=0.5", ""), ("fr", ""), ("", "")],
)
async def test_the_first_page_is_in_the_readers_language(http: ClientSession, accepted: str, home: str) -> None:
    async with http.get("/", headers={"Accept-Language": accepted}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/d/ecopark-overview{home}"


async def test_a_taken_port_is_reported_in_one_line(viewer: str) -> None:
    port = int(viewer.rpartition(":")[2])
    with pytest.raises(OperatorError, match="choose another --port"):
        await start(web.Application(), "127.0.0.1", port)


async def test_every_variable_is_inside_a_pattern(boards: Boards) -> None:
    for board in boards.all():
        for statement in board.statements():
            assert not outside_patterns(statement), statement
    assert outside_patterns("SELECT x FROM y WHERE a = '$tenant' AND b =~ /^$park$/ AND $timeFilter") == {"tenant"}


async def test_pages_are_generated_again_when_the_park_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "park.yaml"
    text = (EXAMPLE / "park.yaml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    boards = Boards(file, now)
    assert not boards.look()
    file.write_text(text.replace("Thanh Giang Dyeing", "Thanh Giang Weaving"), encoding="utf-8")
    assert boards.look()
    assert "Thanh Giang Weaving" in str(boards.by_uid("ecopark-overview").content)


async def test_a_tenants_pages_are_its_own_only() -> None:
    boards = Boards(EXAMPLE, now, owner=PageOwner("song-xanh", "textile"))
    assert {board.uid for board in boards.all()} == {"ecopark-own", "ecopark-own-vi"}
    with pytest.raises(UnknownError):
        boards.by_uid("ecopark-overview")


async def test_one_evaluation_serves_everybody(http: ClientSession) -> None:
    answers = await asyncio.gather(*(http.get("/api/alerts/en") for _ in range(5)))
    assert len({await answer.text() for answer in answers}) == 1

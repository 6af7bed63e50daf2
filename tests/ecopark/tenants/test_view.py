"""`ecopark view --tenant` on an InfluxDB with accounts: a tenant sees its own page and nothing of others."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns

import pytest
from aiohttp import ClientSession

from ecopark.tenants.keys import Keys
from proving.servers import Influxd
from store.client import Store
from tests.ecopark.tenants.conftest import BREWERY, ECOPARK, TEXTILE

Sync = Callable[..., subprocess.CompletedProcess[str]]
NOW = time_ns() // 1_000_000


@asynccontextmanager
async def view(*arguments: str, **environment: str) -> AsyncIterator[ClientSession]:
    """The command as it is run, and a client of what it serves."""
    process = await asyncio.create_subprocess_exec(
        str(ECOPARK), "view", "--port", "0", *arguments, env={**os.environ, **environment}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = (await process.stdout.readline()).decode()
        found = re.fullmatch(r"Dashboards: (http://127\.0\.0\.1:\d+)\n", said)
        assert found, said
        async with ClientSession(found[1]) as session:
            yield session
    finally:
        process.terminate()
        assert await process.wait() == 0


def asked(page: str, panel: int) -> dict[str, object]:
    return {
        "page": page,
        "panel": panel,
        "variables": {"park": ["demo"], "tenant": ["brewery"]},
        "from": NOW - 7_200_000,
        "to": NOW,
        "relative": False,
    }


async def test_a_tenants_viewer_reads_its_own_database_as_the_tenant(
    guarded: Influxd, administrator: Store, sync: Sync, park_files: Path, tmp_path: Path
) -> None:
    assert sync().returncode == 0
    tags = "utility=electricity,role=billing,band=normal"
    for database, amount in ((TEXTILE, 5), (BREWERY, 7)):
        tenant = database.rpartition("_")[2]
        line = f"usage,park=demo,tenant={tenant},meter=em-1,{tags} amount={amount} {(NOW - 3_600_000) * 1_000_000}"
        await administrator.write([line], database)
    environment = {"ECOPARK_PARK": str(park_files), "ECOPARK_INFLUX_URL": guarded.url}
    async with view("--tenant", "textile", "--dir", str(tmp_path / "keys"), **environment) as http:
        async with http.get("/", allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/d/ecopark-own"
        async with http.get("/api/page/ecopark-own") as answer:
            page = await answer.json()
        assert {each["uid"] for each in page["pages"]} == {"ecopark-own", "ecopark-own-vi"}
        found = set()
        for panel in page["board"]["panels"]:
            if panel["type"] != "row":
                async with http.post("/api/panel", json=asked("ecopark-own", panel["id"])) as answer:
                    assert answer.status == 200, await answer.text()
                    text = await answer.text()
                    assert "brewery" not in text
                    found |= set(re.findall(r"\b(?:20|28)\b", text))
        assert "20" in found  # four times the amount of a quarter hour
        assert "28" not in found
        for path in ("/api/page/ecopark-overview", "/api/page/ecopark-tenant", "/api/alerts/en", "/d/ecopark-tenant"):
            async with http.get(path) as answer:
                assert answer.status == 404, path
        async with http.post("/api/panel", json=asked("ecopark-tenant", 3)) as answer:
            assert answer.status == 404


def test_where_there_are_accounts_it_needs_the_tenants_credentials(
    guarded: Influxd, park_files: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "ECOPARK_PARK": str(park_files),
        "ECOPARK_INFLUX_URL": guarded.url,
        "ECOPARK_INFLUX_TOKEN": "an operator's",
    }
    command = [str(ECOPARK), "view", "--tenant", "textile", "--dir", str(tmp_path / "none")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ecopark tenants sync" in done.stderr
    assert Keys.influx(tmp_path / "none").get(TEXTILE) is None


@pytest.mark.parametrize(("tenant", "said"), [("nobody", "no park file has a tenant"), ("textile", "choose one with")])
def test_an_unknown_or_ambiguous_tenant_is_reported(park_files: Path, tenant: str, said: str) -> None:
    text = (park_files / "demo.yaml").read_text(encoding="utf-8")
    (park_files / "other.yaml").write_text(text.replace("id: demo", "id: other"), encoding="utf-8")
    done = subprocess.run(
        [str(ECOPARK), "view", "--tenant", tenant],
        env={**os.environ, "ECOPARK_PARK": str(park_files)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stderr) == (2, True)

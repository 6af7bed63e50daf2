"""Two parks with tenants, and an InfluxDB with authentication."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from metering.errors import UnavailableError
from metering.park import Park
from metering.parkfile import load_parks
from proving.servers import Influxd
from store.client import Store

ECOPARK = Path(sys.executable).parent / "ecopark"
ADMINISTRATOR = ("admin", "right")

PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: textile, name: {en: Textile, vi: Dệt}, sector: {en: textile, vi: dệt may}}
  - {id: brewery, name: {en: Brewery, vi: Bia}, sector: {en: brewing, vi: bia}}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
meters:
  - {id: em-1, name: {en: Supply, vi: Nguồn}, tenant: textile, gateway: gw-1, utility: electricity, interval_s: 60,
     rated: 1000, registers: {energy_kwh: {rollover: 1000000}, power_kw: {}}}
"""
TEXTILE, BREWERY = "ecopark_demo_textile", "ecopark_demo_brewery"


@pytest.fixture
def park_files(tmp_path: Path) -> Path:
    folder = tmp_path / "parks"
    folder.mkdir()
    (folder / "demo.yaml").write_text(PARK, encoding="utf-8")
    return folder


@pytest.fixture
def parks(park_files: Path) -> list[Park]:
    return list(load_parks(park_files).values())


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Influxd]:
    server = Influxd(tmp_path / "influxd", authenticate=True)
    server.process.start()
    user, password = ADMINISTRATOR
    async with asyncio.timeout(30), Store(server.url) as store:
        while True:
            try:
                await store.query(f"CREATE USER {user} WITH PASSWORD '{password}' WITH ALL PRIVILEGES", "")
            except UnavailableError:
                await asyncio.sleep(0.05)
            else:
                break
    yield server
    server.process.kill()


@pytest.fixture
async def administrator(guarded: Influxd) -> AsyncIterator[Store]:
    async with Store(guarded.url, *ADMINISTRATOR) as store:
        yield store


@pytest.fixture
def sync(guarded: Influxd, park_files: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command as an operator runs it."""

    def run(*arguments: str, guard: str | None = "http://127.0.0.1:9") -> subprocess.CompletedProcess[str]:
        user, password = ADMINISTRATOR
        env = {
            **os.environ,
            "ECOPARK_PARK": str(park_files),
            "ECOPARK_INFLUX_URL": guarded.url,
            "ECOPARK_INFLUX_USER": user,
            "ECOPARK_INFLUX_TOKEN": password,
        }
        if guard is not None:
            env["ECOPARK_GUARD_URL"] = guard
        command = [str(ECOPARK), "tenants", "sync", "--dir", str(tmp_path / "keys"), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return run

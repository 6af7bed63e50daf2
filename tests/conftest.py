"""Real servers for every test that wants them, each with a folder and a port of its own. A missing one is a failure."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ecopark.servers import Influxd, Mosquitto
from store.client import Store


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    server = Mosquitto(tmp_path / "mosquitto")
    await server.start()
    yield server
    server.process.kill()


@pytest.fixture
async def influx(tmp_path: Path) -> AsyncIterator[Influxd]:
    server = Influxd(tmp_path / "influxd")
    await server.start()
    yield server
    server.process.kill()


@pytest.fixture
async def store(influx: Influxd) -> AsyncIterator[Store]:
    async with Store(influx.url) as opened:
        yield opened

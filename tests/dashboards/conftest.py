"""One real influxd with a synthetic past, for all tests of dashboards and alerts."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from dashboards.setting import Setting
from metering.park import Park
from metering.parkfile import load_park
from proving.servers import Influxd
from store.client import Store
from tests.dashboards.synthetic import Plant

NOW = datetime(2026, 11, 23, 7, 38, tzinfo=UTC)
"""A Monday afternoon in the park."""

DAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def park() -> Park:
    return load_park(Path(__file__).parents[2] / "examples" / "song-xanh" / "park.yaml")


@pytest.fixture(scope="session")
def setting(park: Park) -> Setting:
    return Setting((park,), DAY)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def filled_store(park: Park, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    server = Influxd(tmp_path_factory.mktemp("influxd"))
    await server.start()
    try:
        async with Store(server.url) as store:
            await Plant(park, NOW).write(store)
            yield store
    finally:
        server.process.stop()

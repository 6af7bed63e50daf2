"""A viewer of the example park over the synthetic past that all tests of dashboards share."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from dashboards.viewer.alerts import Alerts
from dashboards.viewer.boards import Boards
from dashboards.viewer.server import Viewer, start
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.dashboards.conftest import NOW

EXAMPLE = Path(__file__).parents[3] / "examples" / "song-xanh"


def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def boards() -> Boards:
    return Boards(EXAMPLE, now, own=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def viewer(filled_store: Store, boards: Boards) -> AsyncIterator[str]:
    """Its address."""
    viewer = Viewer(boards, filled_store, OPERATOR_DATABASE, Alerts(filled_store), now)
    runner, address = await start(viewer.application(loopback=True), "127.0.0.1", 0)
    yield address
    await runner.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(viewer: str) -> AsyncIterator[ClientSession]:
    async with ClientSession(viewer) as session:
        yield session

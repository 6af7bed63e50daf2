"""A viewer of the example park over the synthetic past that all tests of dashboards share."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser

from dashboards.generate import PageOwner
from dashboards.viewer.alerts import Alerts
from dashboards.viewer.boards import Boards
from dashboards.viewer.server import Viewer, start
from metering.park import Park
from proving.demo.browser import chromium
from store.client import Store
from store.schema import OPERATOR_DATABASE, tenant_database
from tests.dashboards.conftest import NOW
from tests.dashboards.synthetic import BATCH, Plant

OWNER = PageOwner("song-xanh", "textile")
EXAMPLE = Path(__file__).parents[3] / "examples" / "song-xanh"


def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def boards() -> Boards:
    return Boards(EXAMPLE, now)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def viewer(filled_store: Store, boards: Boards) -> AsyncIterator[str]:
    """Its address."""
    viewer = Viewer(boards, filled_store, OPERATOR_DATABASE, Alerts(filled_store), now)
    runner, address = await start(viewer.application(loopback=True), "127.0.0.1", 0)
    yield address
    await runner.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def own_viewer(filled_store: Store, park: Park) -> AsyncIterator[str]:
    """The address of a viewer of a tenant's own pages, over a database that has the tenant's points and no other's."""
    database = tenant_database(park.id, OWNER.tenant)
    await filled_store.create_database(database)
    points = (line for line in Plant(park, NOW).lines() if re.search(rf",tenant={OWNER.tenant}[, ]", line))
    while batch := list(islice(points, BATCH)):
        await filled_store.write(batch, database)
    viewer = Viewer(Boards(EXAMPLE, now, owner=OWNER), filled_store, database, None, now)
    runner, address = await start(viewer.application(loopback=True), "127.0.0.1", 0)
    yield address
    await runner.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(viewer: str) -> AsyncIterator[ClientSession]:
    async with ClientSession(viewer) as session:
        yield session

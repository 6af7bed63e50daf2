"""Draws the pictures of the documentation: every page over the demo's data, in the viewer that the demo starts.

The demo is filled first where it is new. Grafana is not asked, even where it is installed: the pictures are of what
comes with Ecopark.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser

from dashboards.generate import PageOwner
from dashboards.viewer.boards import Boards
from dashboards.viewer.server import Viewer, start
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park
from proving.demo.browser import Reader, chromium
from proving.demo.run import run_demo
from store.client import Store
from store.schema import tenant_database

DAYS = 30
TENANT, METER = "textile", "em-textile"
PAGES = (
    "overview",
    "electricity",
    "water",
    "heat",
    "ranking",
    "tenant",
    "meter",
    "balance",
    "quality",
    "pipeline",
    "symbiosis",
    "account",
    "eip",
)
IN_VIETNAMESE = ("overview", "tenant")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page's address, and the picture's name."""

    path: str
    name: str


OWN = (Picture("/d/ecopark-own", "own"), Picture("/d/ecopark-own-vi", "own-vi"))
"""In a viewer of the tenant's own."""


def pictures(park: Park) -> Iterator[Picture]:
    """What is drawn, each over the page's own range of time."""
    chosen = {"tenant": f"&var-tenant={TENANT}", "meter": f"&var-meter={METER}"}
    for name in PAGES:
        yield Picture(f"/d/ecopark-{name}?var-park={park.id}{chosen.get(name, '')}", name)
    for name in IN_VIETNAMESE:
        yield Picture(f"/d/ecopark-{name}-vi?var-park={park.id}{chosen.get(name, '')}", f"{name}-vi")


async def draw(folder: Path, address: str, influx: str, out: Path) -> list[str]:
    """Draw everything, and return what is wrong with the pages."""
    park = load_park(folder / "park.yaml")
    owner = PageOwner(park.id, TENANT)
    boards = await asyncio.to_thread(Boards, folder / "park.yaml", _now, owner=owner)
    async with chromium() as browser, Store(influx) as store:
        wrong = await _draw(browser, address, pictures(park), out)
        own = Viewer(boards, store, tenant_database(park.id, TENANT), None, _now)
        runner, address = await start(own.application(loopback=True), "127.0.0.1", 0)
        wrong += await _draw(browser, address, OWN, out)
        await runner.cleanup()
    return wrong


async def _draw(browser: Browser, address: str, each: Iterable[Picture], out: Path) -> list[str]:
    wrong = []
    for picture in each:
        reader = await Reader.of(browser, address, "light")
        await reader.open(picture.path)
        await reader.picture(out / f"{picture.name}.png")
        wrong += [f"{picture.name}: {fault}" for fault in await reader.faults()]
        await reader.page.context.close()
    return wrong


def _now() -> datetime:
    return datetime.now(UTC)


def draw_all(folder: Path, out: Path) -> list[str]:
    """Start the demo in a folder, draw everything, and return what is wrong."""
    out.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []

    async def meanwhile(address: str, influx: str) -> None:
        try:
            wrong.extend(await draw(folder, address, influx, out))
        except OperatorError as error:  # not through the demo's tasks, which would end in a traceback
            wrong.append(str(error))

    try:
        asyncio.run(run_demo(folder, days=DAYS, seconds=None, as_json=True, meanwhile=meanwhile))
    except OperatorError as error:
        wrong.append(str(error))
    return wrong

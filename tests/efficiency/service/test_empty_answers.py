"""An empty answer does not prove that nothing is stored: empty, late or stale answers spoil nothing."""

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS
from ingest.arrivals import ArrivalSource, Extent, Trace
from metering.errors import UnavailableError
from metering.park import Park
from proving.servers import Influxd
from store.answers import Row
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from tests.conftest import FaultyProxy
from tests.efficiency.conftest import usage_rows
from tests.efficiency.service.test_aside import lines, park_of

METERS = ["m-1", "m-2", "m-3"]
BEGIN = 1_790_000_000_000 // HOUR_MS * HOUR_MS


class Lagging(FaultyProxy):
    """A database that answers queries empty, or from a copy that has what was written up to some time ago."""

    def __init__(self, target: str, copy: str, seed: int) -> None:
        super().__init__(target)
        self.copy = copy
        self.waiting: list[tuple[str, bytes, dict[str, str]]] = []
        self.random = random.Random(seed)
        self.share = 0.0
        """Share of the questions that get a wrong answer."""
        self.spoiled = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = str((await request.post()).get("q", ""))
        if request.path == "/write" or asked.startswith("DELETE"):
            kept = {k: v for k, v in request.headers.items() if k in {"Content-Type", "Accept"}}
            self.waiting.append((request.path_qs, body, kept))
            return await super().handle(request)
        if request.path == "/query" and self.random.random() < self.share:
            self.spoiled += 1
            if self.random.random() < 0.5:
                results = [{"statement_id": number} for number in range(asked.count(";") + 1)]
                return web.json_response({"results": results})
            assert self._session is not None
            headers = {k: v for k, v in request.headers.items() if k in {"Content-Type", "Accept"}}
            async with self._session.post(self.copy + request.path_qs, data=body, headers=headers) as answer:
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)
        return await super().handle(request)

    async def catch_up(self) -> None:
        assert self._session is not None
        for path, body, headers in self.waiting:
            async with self._session.post(self.copy + path, data=body, headers=headers) as answer:
                assert answer.status < 300 or "ecopark_demo_textile" in path, await answer.text()
        self.waiting.clear()


@pytest.fixture
async def copy(tmp_path: Path) -> AsyncIterator[Influxd]:
    server = Influxd(tmp_path / "copy")
    await server.start()
    yield server
    server.process.kill()


async def complete(store: Store) -> set[tuple[str, int]]:
    rows = await store.query('SELECT "completeness","meter" FROM "usage"', OPERATOR_DATABASE)
    return {(row["meter"], row["time"]) for row in rows if row["completeness"] == 1}


async def figures(store: Store) -> list[Row]:
    return await store.query('SELECT * FROM "efficiency"', OPERATOR_DATABASE)


async def computed(usage: ParkUsage | None, through: Store, park: Park, now: int) -> ParkUsage | None:
    """One cycle of the service; None where it failed and starts again."""
    try:
        if usage is None:
            usage = ParkUsage(through, park)
            await usage.begin(now)
        await usage.cycle(now)
    except UnavailableError:
        if usage is not None:
            await usage.close()
        return None
    return usage


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_answers_that_are_empty_or_stale_spoil_nothing(
    seed: int, influx: Influxd, copy: Influxd, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.client._SHOWS_AFTER_S", (0.0,))
    park, trace, now = park_of(tmp_path, METERS), Trace("ingest-1"), BEGIN
    usage: ParkUsage | None = None
    async with Lagging(influx.url, copy.url, seed) as proxy, Store(proxy.url) as through:
        for meter in METERS:
            await through.write(lines(park, meter, BEGIN - 6 * HOUR_MS, BEGIN), OPERATOR_DATABASE)
        await proxy.catch_up()
        before: set[tuple[str, int]] = set()
        for turn in range(16):
            now += QUARTER_MS
            for meter in METERS[1:]:
                await through.write(lines(park, meter, now, now), OPERATOR_DATABASE)
            if turn % 4 == 3:  # what a gateway had kept
                late = Extent(now - 3 * QUARTER_MS, now)
                await through.write(lines(park, METERS[0], *late), OPERATOR_DATABASE)
                noted = trace.lines({ArrivalSource("demo", METERS[0]): late}, now)
                await through.write(noted, OPERATOR_DATABASE)
            proxy.share = 0.15 if turn % 4 else 1.0
            usage = await computed(usage, through, park, now)
            if turn % 5 == 4:
                usage = None  # a restart
            after = await complete(store)
            assert before <= after, f"turn {turn}: what was complete is no more"
            before = after
            if proxy.random.random() < 0.5:
                await proxy.catch_up()
        proxy.share = 0.0
        assert proxy.spoiled
        for _ in range(2):
            usage = await computed(usage, through, park, now + 60_000)
        assert usage is not None
        along, of_tenant = await usage_rows(store), await figures(store)
        for measurement in ("usage", "usage_cursor", "usage_basis", "efficiency"):
            with suppress(KeyError):
                await store.query(f'DROP MEASUREMENT "{measurement}"', OPERATOR_DATABASE)
        await computed(None, store, park, now + 60_000)
        assert await usage_rows(store) == along
        assert await figures(store) == of_tenant
        assert {row["time"] // NS_PER_MS for row in along} >= {*range(BEGIN - 6 * HOUR_MS, now, QUARTER_MS)}

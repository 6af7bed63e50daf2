"""Real servers for every test that wants them, each with a folder and a port of its own. A missing one is a failure."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import ClientSession, web
from hypothesis import settings

from proving.servers import Influxd, Mosquitto
from store.client import Store

# Where this is set, each of the hundreds of programs that tests start compiles all that it imports: a second each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No test of behaviour times anything. Where `CI` is set, Hypothesis takes the same examples each time, so that a change
# is not held up by what another one got wrong; at a desk each run takes new ones.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ECOPARK = Path(sys.executable).parent / "ecopark"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    server = Mosquitto(tmp_path / "mosquitto", access="allow_anonymous true")
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


class FaultyProxy:
    """A proxy in front of the real database that fails in the ways that proxies, networks and databases fail.

    Passes requests on unless `faults` holds something to do instead, first in first out.

    A fault is a status, `hang`, `close` (at once), `break` (closed in the middle of an answer) or `swallow` (passed on,
    and closed in the place of the answer).
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.faults: list[int | str | None] = []
        self.always: int | str | None = None
        self.headers: dict[str, str] = {}
        self.body = "the proxy's fault"
        self.passed = 0
        self.failed = 0
        self._session: ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self.faults.pop(0) if self.faults else self.always
        if fault is not None:
            self.failed += 1
        match fault:
            case None | "swallow":
                assert self._session is not None
                async with self._session.request(
                    request.method,
                    self.target + request.path_qs,
                    data=body,
                    headers={k: v for k, v in request.headers.items() if k in {"Content-Type", "Authorization"}},
                ) as answer:
                    if fault is None:
                        self.passed += 1
                        return web.Response(status=answer.status, body=await answer.read())
            case int(status):
                return web.Response(status=status, text=self.body, headers=self.headers)
            case "hang":
                await asyncio.sleep(3600)
            case "break":
                assert request.transport is not None
                request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def __aenter__(self) -> Self:
        self._session = ClientSession()
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        assert self._session is not None
        await self._session.close()


@pytest.fixture
async def proxy(influx: Influxd) -> AsyncIterator[FaultyProxy]:
    async with FaultyProxy(influx.url) as made:
        yield made


@pytest.fixture
def run() -> Any:
    def call(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(ECOPARK), *arguments], capture_output=True, text=True, env={**os.environ, **environment}, check=False
        )

    return call

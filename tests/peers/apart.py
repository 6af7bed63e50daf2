"""Tenants on a database with accounts: `ecopark tenants sync`, and what the guard tells a tenant of others."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

from ecopark.tenants.guard import Guard
from ecopark.tenants.keys import Keys
from ecopark.tenants.wanted import PREFIX
from metering.errors import OperatorError, UnavailableError
from proving.servers import START_S, PrivateDatabase
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.conftest import ECOPARK
from tests.ecopark.tenants.conftest import BREWERY, PARK, TEXTILE
from tests.ecopark.tenants.test_guard import MARKS, QUESTIONS, Asking
from tests.peers.cell import Cell, cell

ADMINISTRATOR = ("admin", "Right-0-Right-1")
"""openGemini wants letters of both cases, digits and a mark."""


async def tenants(
    make: Callable[..., PrivateDatabase], folder: Path, questions: Sequence[str] = tuple(QUESTIONS)
) -> Cell:
    """Questions of the guard's own test, which tell of others where a database alone does."""
    server = make(folder / "guarded", authenticate=True)
    try:
        known = await _known_to(server)
        async with Store(server.url, known["ECOPARK_INFLUX_USER"], known["ECOPARK_INFLUX_TOKEN"]) as administrator:
            return await _asked(server, administrator, folder, known, questions)
    finally:
        server.process.stop()


async def _known_to(server: PrivateDatabase) -> Mapping[str, str]:
    """Start it; how its administrator finds it, who is made where there is none."""
    if "ECOPARK_INFLUX_TOKEN" in server.environment:
        await server.start()
        return server.environment
    server.process.start()
    await _administrator(server)
    user, password = ADMINISTRATOR
    return {**server.environment, "ECOPARK_INFLUX_USER": user, "ECOPARK_INFLUX_TOKEN": password}


async def _administrator(server: PrivateDatabase) -> None:
    user, password = ADMINISTRATOR
    deadline = asyncio.get_running_loop().time() + START_S
    async with Store(server.url) as anybody:
        while True:
            try:
                await anybody.query(f"CREATE USER {user} WITH PASSWORD '{password}' WITH ALL PRIVILEGES", "")
            except UnavailableError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)
            else:
                return


async def _asked(
    server: PrivateDatabase, administrator: Store, folder: Path, known: Mapping[str, str], questions: Sequence[str]
) -> Cell:
    park = folder / "tenants.yaml"
    park.write_text(PARK, encoding="utf-8")
    for turn in (1, 2):
        done = await asyncio.to_thread(_sync, known, park, folder / "keys")
        if done.returncode or (turn == 2 and '"steps": []' not in done.stdout):
            return cell("tenants sync", [f"turn {turn} ended with {done.returncode}: {done.stdout}{done.stderr}"])
    await administrator.write(["usage,park=demo,tenant=textile amount=1 60000000000"], TEXTILE)
    for database in (BREWERY, OPERATOR_DATABASE):
        await administrator.write(
            ["usage,park=demo,tenant=brewery,mark=hops amount=2,malt=3 60000000000", "kettle,mark=hops amount=4"],
            database,
        )
    secret = Keys.influx(folder / "keys").get(TEXTILE) or ""
    runner = web.AppRunner(Guard(server.url, PREFIX).application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as session:
            alone = await _telling(Asking(session, server.url, secret), questions)
            behind = await _telling(Asking(session, f"http://127.0.0.1:{runner.addresses[0][1]}", secret), questions)
            own = Asking(session, f"http://127.0.0.1:{runner.addresses[0][1]}", secret)
            faults = [f"the guard tells: {question}" for question in behind]
            if "textile" not in await own.ask('SELECT * FROM "usage"', "in the body"):
                faults.append("a tenant does not get its own")
    finally:
        await runner.cleanup()
    async with Store(server.url, TEXTILE, secret) as store:
        for database in (TEXTILE, OPERATOR_DATABASE):
            try:
                await store.write(["usage,park=demo,tenant=textile amount=9"], database)
            except (OperatorError, RejectedError):
                continue
            faults.append(f"a tenant may write to {database}")
    return cell(f"guarded: own only; alone {len(alone)} of {len(questions):,} questions tell", faults)


def _sync(known: Mapping[str, str], park: Path, keys: Path) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "ECOPARK_PARK": str(park), "ECOPARK_GUARD_URL": "http://127.0.0.1:9", **known}
    return subprocess.run(
        [str(ECOPARK), "tenants", "sync", "--json", "--dir", str(keys)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


async def _telling(asking: Asking, questions: Sequence[str]) -> list[str]:
    """Questions whose answers show anything of others."""
    found = []
    for question in questions:
        answer = await asking.ask(question, "in the body")
        if any(mark in answer for mark in MARKS):
            found.append(question)
    return found

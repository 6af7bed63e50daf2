"""The database's own limit: ready-made line protocol of the points that the batches become."""

import asyncio
import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from itertools import islice

from metering.errors import UnavailableError
from proving.bench.load import lines
from proving.bench.station import Station
from store.accounts import drop_database
from store.select import Of, select

DATABASE = "ceiling"
BATCH = 10_000
WRITERS = (1, 4)


async def ceiling(station: Station, points: int, first_ms: int, meters: int) -> dict[str, float]:
    """Points per second with one and with four writers; raises `UnavailableError` where the database fails."""
    found: dict[str, float] = {}
    bodies = await asyncio.to_thread(_bodies, points, first_ms, meters)
    for writers in WRITERS:
        await station.store.create_database(DATABASE)
        seconds = await asyncio.to_thread(_write, station.database.port, bodies, writers)
        rows = await station.store.query(select("electricity", [Of("count", "energy_kwh", "n")]), DATABASE)
        if sum(int(row["n"]) for row in rows) != points:
            raise UnavailableError(f"{points} points were written, and the database has {rows}")
        await station.store.query(drop_database(DATABASE), "")
        found[f"writers_{writers}"] = round(points / seconds)
    return found


def _bodies(points: int, first_ms: int, meters: int) -> list[bytes]:
    made = lines(points, first_ms, meters)
    bodies = []
    while batch := list(islice(made, BATCH)):
        bodies.append(b"\n".join(batch))
    return bodies


def _write(port: int, bodies: list[bytes], writers: int) -> float:
    """Seconds from the first request to the last confirmation."""
    began = time.monotonic()
    with ThreadPoolExecutor(writers) as threads:
        for done in [threads.submit(_post, port, bodies[number::writers]) for number in range(writers)]:
            done.result()
    return time.monotonic() - began


def _post(port: int, bodies: list[bytes]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body in bodies:
        connection.request("POST", f"/write?db={DATABASE}&precision=ns", body)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != HTTPStatus.NO_CONTENT:
            raise UnavailableError(f"InfluxDB answers {answer.status}: {said[:200]!r}")
    connection.close()

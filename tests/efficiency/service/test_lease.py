"""Usage services divide the parks; when one dies the others take over; no two ever have one park."""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from efficiency.service import lease
from efficiency.service.lease import LASTS_MS, RENEW_S, Leases
from metering.errors import UnavailableError
from metering.instants import HOUR_MS
from proving.processes import Child
from proving.servers import Influxd
from store.answers import Row
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE_LEASE, reading_series
from tests.efficiency.service.test_aside import park_of
from tests.efficiency.service.test_usage_service import until

PARKS = ("alpha", "beta", "delta", "gamma")


class Clock:
    """Wall time and monotonic time of one machine, moved by hand; `skew_ms` is how wrong the wall clock is."""

    def __init__(self, skew_ms: int = 0) -> None:
        self.now_s = 1_790_000_000.0
        self.skew_ms = skew_ms

    def ms(self) -> int:
        return round(self.now_s * 1000) + self.skew_ms

    def seconds(self) -> float:
        return self.now_s


def service(store: Store, name: str, clock: Clock, skew_ms: int = 0) -> Leases:
    return Leases(store, name, lambda: clock.ms() + skew_ms, clock.seconds)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_SETTLES_S", 0.0)


@pytest.mark.usefixtures("at_once")
async def test_parks_are_divided_and_taken_over_and_given_back(store: Store) -> None:
    clock = Clock()
    one, two = service(store, "one", clock), service(store, "two", clock)
    await one.look(PARKS)
    assert one.mine == {*PARKS}
    for _ in range(3):
        clock.now_s += RENEW_S
        await two.look(PARKS)
        await one.look(PARKS)
        assert not one.mine & two.mine
    await two.look(PARKS)
    assert (len(one.mine), len(two.mine)) == (2, 2)
    assert one.mine | two.mine == {*PARKS}
    for _ in range(int(LASTS_MS / 1000 / RENEW_S) + 2):  # one has died
        clock.now_s += RENEW_S
        await two.look(PARKS)
    assert two.mine == {*PARKS}
    assert one.mine == set(), "who cannot renew its claims has none"
    with pytest.raises(UnavailableError, match="may have gone to another usage service"):
        one.check("alpha")
    await one.look(PARKS)  # it was only asleep
    assert one.mine == set()
    await two.give_up()
    clock.now_s += RENEW_S
    await one.look(PARKS)
    assert one.mine == {*PARKS}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("shown", ["since=1i", 'since=1i,life="other"', "until=99999999999999i"])
async def test_a_claim_that_is_just_being_written_is_none_yet(shown: str, store: Store) -> None:
    clock = Clock()
    hour = clock.ms() // HOUR_MS * HOUR_MS
    line = f"{USAGE_LEASE},park=alpha,instance=two {shown} {hour * NS_PER_MS}"
    await store.write([line], OPERATOR_DATABASE)
    one = service(store, "one", clock)
    await one.look(PARKS)
    assert one.mine == {*PARKS}


@pytest.mark.usefixtures("at_once")
async def test_a_service_that_cannot_renew_stops_writing_long_before_another_may_begin(store: Store) -> None:
    clock = Clock()
    one, two = service(store, "one", clock), service(store, "two", clock)
    await one.look(PARKS)
    stopped = None
    while not two.mine:
        clock.now_s += 1
        if stopped is None and not one.mine:
            stopped = clock.now_s
        await two.look(PARKS)
    assert stopped is not None
    assert clock.now_s - stopped >= 30, "a write that began before may take so long"


@pytest.mark.usefixtures("at_once")
async def test_two_processes_of_one_name_do_not_share_it(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    one, same = service(store, "one", clock), service(store, "one", clock)
    await one.look(PARKS)
    await same.look(PARKS)
    assert same.mine == set()
    assert "give each its own name in ECOPARK_INSTANCE" in caplog.text


class Slow(Store):
    """A database that is slow now and then, but fast enough for claims."""

    def __init__(self, url: str, random_: random.Random) -> None:
        super().__init__(url)
        self.random = random_

    async def query(self, statement: str, database: str) -> list[Row]:
        await asyncio.sleep(self.random.random() * 0.02)
        rows = await super().query(statement, database)
        await asyncio.sleep(self.random.random() * 0.02)
        return rows


@pytest.mark.parametrize("seed", range(5))
async def test_services_that_begin_at_the_same_time_never_have_one_park_twice(
    seed: int, influx: Influxd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is promised whatever the speed; claims that come too late are given up."""
    monkeypatch.setattr(lease, "_PROMPT_S", 0.2)
    monkeypatch.setattr(lease, "_SETTLES_S", 0.5)
    random_ = random.Random(seed)
    async with Slow(influx.url, random_) as store:
        skews = [random_.randrange(-2000, 2000) for _ in range(3)]
        services = [
            Leases(store, f"s{n}", lambda skew=skew: time.time_ns() // 1_000_000 + skew, time.monotonic)  # type: ignore[misc]  # mypy cannot infer the default
            for n, skew in enumerate(skews)
        ]
        async with asyncio.TaskGroup() as tasks:
            for each in services:
                tasks.create_task(_looks(each, services, random_))
    assert sum(len(each.mine) for each in services) <= len(PARKS)


async def _looks(mine: Leases, services: list[Leases], random_: random.Random) -> None:
    for _ in range(6):
        await asyncio.sleep(random_.random() * 0.1)
        await mine.look(PARKS)
        every = [park for each in services for park in each.mine]
        assert len(every) == len(set(every)), "a park has two writers"


_SOONER = """
from efficiency.service import lease
lease.LASTS_MS, lease.SKEW_MS, lease.WRITES_FOR_S, lease.RENEW_S = 12_000, 1_000, 7.0, 2.0
from ecopark.cli import main
main()
"""
"""The command with claims that run out five times as fast; the tests above move a clock by what they really last."""


@pytest.fixture
async def start(tmp_path: Path, influx: Influxd) -> AsyncIterator[Callable[[str], Child]]:
    children: list[Child] = []

    def started(name: str) -> Child:
        env = {"ECOPARK_PARK": str(tmp_path / "parks"), "ECOPARK_INFLUX_URL": influx.url, "ECOPARK_INSTANCE": name}
        env |= {"ECOPARK_SHARE_PARKS": "true", "ECOPARK_INFLUX_USER": "", "ECOPARK_INFLUX_TOKEN": ""}
        child = Child(
            name, [sys.executable, "-c", _SOONER, "usage", "run"], tmp_path / f"{name}.log", {**os.environ, **env}
        )
        child.start()
        children.append(child)
        return child

    yield started
    for child in children:
        child.kill()


async def test_when_a_service_is_killed_the_other_computes_its_parks(
    start: Callable[[str], Child], store: Store, tmp_path: Path
) -> None:
    (tmp_path / "parks").mkdir()
    parks = [park_of(tmp_path / "parks", ["m-1"], name) for name in PARKS]

    async def newest() -> dict[str, int]:
        rows = await store.query('SELECT last("computed") AS ms FROM "usage_cursor" GROUP BY "park"', OPERATOR_DATABASE)
        return {row["park"]: row["ms"] for row in rows}

    async def holders() -> dict[str, set[str]]:
        statement = 'SELECT last("until") AS until FROM "usage_lease" GROUP BY "park","instance"'
        found: dict[str, set[str]] = {}
        for row in await store.query(statement, OPERATOR_DATABASE):
            if row["park"] != "-" and row["until"] > time.time_ns() // 1_000_000:
                found.setdefault(row["instance"], set()).add(row["park"])
        return found

    now = time.time_ns() // 1_000_000
    for park in parks:
        head = reading_series(park.id, park.meter["m-1"])
        readings = [f"{head} energy_kwh={n}.0 {now - (8 - n) * 900_000}000000" for n in range(8)]
        await store.write(readings, OPERATOR_DATABASE)
    start("one")
    two = start("two")

    async def divided() -> bool:
        found = await holders()
        return [len(parks) for parks in found.values()] == [2, 2] and len(await newest()) == len(PARKS)

    await until(divided, 120)
    assert sorted(park for parks in (await holders()).values() for park in parks) == sorted(PARKS)
    two.kill()
    killed = await newest()

    async def all_go_on() -> bool:
        found = await newest()
        # Writes under way when it was killed may still arrive; later ones are the other's.
        return all(found[park] > killed[park] + 6_000 for park in PARKS)

    await until(all_go_on, 240)
    assert (await holders()).get("one") == {*PARKS}

"""Results reach the operator's and the tenant's database, in order, whatever the database does meanwhile."""

import pytest

from efficiency.stored.writer import LINES_AT_ONCE, ParkWriter
from metering.errors import UnavailableError
from store.client import Store
from store.schema import OPERATOR_DATABASE, tenant_database
from tests.conftest import FaultyProxy

TENANT = tenant_database("demo", "textile")


def lines(first: int, count: int, value: int = 1) -> list[str]:
    return [f"usage,meter=m amount={value} {ms}000000" for ms in range(first, first + count)]


async def count(store: Store, database: str) -> int:
    rows = await store.query('SELECT count("amount") AS n FROM "usage"', database)
    return int(rows[0]["n"])


async def test_both_databases_have_all_after_a_flush_and_the_tenants_is_made(store: Store) -> None:
    writer = ParkWriter(store, "demo")
    many = LINES_AT_ONCE + 7
    await writer.add(lines(0, many), "textile")
    await writer.add(lines(many, 5), None)
    await writer.add(lines(2 * many, 3), "textile", operator=False)
    await writer.flush()
    assert await count(store, OPERATOR_DATABASE) == many + 5
    assert await count(store, TENANT) == many + 3


async def test_the_last_write_wins(store: Store) -> None:
    writer = ParkWriter(store, "demo")
    for value in range(1, 8):
        await writer.add(lines(0, LINES_AT_ONCE, value), "textile")
    await writer.flush()
    for database in (OPERATOR_DATABASE, TENANT):
        (row,) = await store.query('SELECT min("amount") AS low, max("amount") AS high FROM "usage"', database)
        assert (row["low"], row["high"]) == (7, 7)


async def test_a_database_that_is_busy_for_a_moment_costs_nothing(store: Store, proxy: FaultyProxy) -> None:
    proxy.faults = [503, "close", 500, "close"]
    async with Store(proxy.url) as through:
        writer = ParkWriter(through, "demo")
        await writer.add(lines(0, 10), "textile")
        await writer.flush()
    assert proxy.failed == 4
    assert (await count(store, OPERATOR_DATABASE), await count(store, TENANT)) == (10, 10)


async def test_a_database_that_stays_away_is_reported(proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficiency.stored.writer._TRIES", 2)
    proxy.always = 503
    async with Store(proxy.url) as through:
        writer = ParkWriter(through, "demo")
        await writer.add(lines(0, 10), None)
        with pytest.raises(UnavailableError):
            await writer.flush()


async def test_a_line_that_is_rejected_is_logged_and_the_others_are_written(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    writer = ParkWriter(store, "demo")
    await writer.add([*lines(0, 10), 'usage,meter=m amount="text" 99', *lines(10, 10)], "textile")
    await writer.flush()
    assert (await count(store, OPERATOR_DATABASE), await count(store, TENANT)) == (20, 20)
    assert writer.rejected == 2
    assert 'ecopark rejects 1 lines; the first, usage,meter=m amount="text" 99: ' in caplog.text

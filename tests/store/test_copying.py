"""A copy to another server: everything, of every type, once, also after an interruption."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from metering.errors import OperatorError, UnavailableError
from proving.servers import Influxd
from running import patience
from store import copying
from store.client import Store
from store.copying import DAY_NS, CopyJournal, copy_measurement, databases, make_database, measurements
from tests.conftest import FaultyProxy

BEGIN = 1_795_000_000_000_000_000


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Store]:
    server = Influxd(tmp_path / "other")
    await server.start()
    async with Store(server.url) as opened:
        yield opened
    server.process.kill()


def lines(days: int, each: int) -> list[str]:
    made = [
        f"electricity,park=p,meter=m{number % 3} energy_kwh={number / 7!r},n={number}i,ok=true,"
        f'state="say \\"{number}\\", so" '
        f"{BEGIN + day * DAY_NS + number * 1_000_000_000}"
        for day in range(days)
        for number in range(each)
    ]
    return [
        *made,
        f"electricity,park=p,meter=m1 power_kw=3 {BEGIN}",
        f'events,park=a\\ b,kind=x,y text="ü" {BEGIN}'.replace(",y ", ",k=y "),
    ]


async def everything(store: Store, database: str) -> list[Any]:
    return [
        sorted(
            json.dumps(row, sort_keys=True) for row in await store.query(f'SELECT * FROM "{name}" GROUP BY *', database)
        )
        for name in sorted(await measurements(store, database))
    ]


async def copy_all(store: Store, other: Store, journal: CopyJournal) -> list[copying.Copied]:
    await make_database(other, "ecopark")
    return [
        await copy_measurement(store, other, "ecopark", name, journal=journal, progress=lambda _points, _share: None)
        for name in await measurements(store, "ecopark")
    ]


async def test_everything_is_there_afterwards_with_its_types(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "ROWS", 17)  # so that days are copied in portions
    await store.write(lines(days=3, each=40), "ecopark")
    assert await databases(store, "ecopark") == ["ecopark"]
    copied = await copy_all(store, other, CopyJournal(tmp_path / "journal"))
    assert all(one.source == one.target for one in copied)
    assert await everything(other, "ecopark") == await everything(store, "ecopark")
    again = await copy_all(store, other, CopyJournal(tmp_path / "journal"))
    assert sum(one.points for one in again) < sum(one.points for one in copied)
    assert await everything(other, "ecopark") == await everything(store, "ecopark")


async def test_a_copy_that_was_interrupted_goes_on(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(lines(days=4, each=5), "ecopark")
    await make_database(other, "ecopark")
    write, written = Store.write, 0

    async def fails(self: Store, some: list[str], database: str) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise UnavailableError("gone")
        await write(self, some, database)

    monkeypatch.setattr(Store, "write", fails)
    monkeypatch.setattr(copying, "_TRIES", 0)
    with pytest.raises(UnavailableError):
        await copy_all(store, other, CopyJournal(tmp_path / "journal"))
    copied = await copy_all(store, other, CopyJournal(tmp_path / "journal"))
    assert all(one.source == one.target for one in copied)
    assert await everything(other, "ecopark") == await everything(store, "ecopark")


async def test_a_busy_server_is_asked_again(
    store: Store, other: Store, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_S", 0.0)
    await store.write(lines(days=2, each=5), "ecopark")
    proxy.faults = [None, 503, None, 500, 500, None, None, 503]
    async with Store(proxy.url) as through:
        copied = await copy_all(through, other, CopyJournal(tmp_path / "journal"))
    assert not proxy.faults
    assert [one.source == one.target for one in copied] == [True, True]
    assert sum(one.points for one in copied) == 12
    assert await everything(other, "ecopark") == await everything(store, "ecopark")


async def test_differing_counts_are_reported(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "APPEARS_S", 0.0)
    await store.write(lines(days=1, each=5), "ecopark")
    await make_database(other, "ecopark")
    await other.write(["electricity,park=p,meter=stray energy_kwh=1 5"], "ecopark")
    (difference,) = copying.summary(await copy_all(store, other, CopyJournal(tmp_path / "journal")))
    assert difference == "ecopark.electricity: energy_kwh 5 here, 6 there"


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("no")
    with pytest.raises(OperatorError, match="not a journal"):
        CopyJournal(tmp_path / "journal")


async def test_the_command_copies_and_reports_it(
    store: Store, influx: Influxd, other: Store, run: Any, tmp_path: Path
) -> None:
    await store.write(lines(days=2, each=5), "ecopark")
    target = other._url  # noqa: SLF001 - the fixture's server
    done = run("store", "copy", "--from", influx.url, "--to", target, "--journal", str(tmp_path / "j"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["differences"] == []
    assert await everything(other, "ecopark") == await everything(store, "ecopark")

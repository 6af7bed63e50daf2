"""A backup is taken by the database's own means, and what is restored of it is compared row by row.

InfluxDB 1.x and 2.x are asked while they run, and fill a new server. openGemini is stopped, and its folder copied: its
own backups (`ts-recover`) go back to the very paths that they came from, which a stopped server's folder does, too.
"""

import asyncio
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from metering.errors import OperatorError
from proving.servers import Influxd, PrivateDatabase, until_ready
from tests.peers.cell import Cell, cell
from tests.peers.influx2 import Influx2d
from tests.peers.stored import Contents, against, everything

TAKEN_S = 90.0
"""No shard takes so long: this only ends a wait that would never end."""


async def restored(here: PrivateDatabase, make: Callable[[Path], PrivateDatabase], folder: Path) -> Cell:
    """Back up `here`, restore, and compare; `make` makes another server of that kind."""
    async with here.store() as store:
        due = await everything(store)
    if not due:
        return cell("backup and restore", ["there is nothing to back up"])
    if isinstance(here, Influxd):
        found = await _influx1(here, make(folder / "restored"), folder)
    elif isinstance(here, Influx2d):
        found = await _influx2(here, make(folder / "restored"), folder / "backup")
    else:
        found = await _folder(here, folder / "data", folder / "backup")
    return cell(f"{sum(map(len, due.values())):,} points", against(found, due))


async def _influx1(here: Influxd, other: PrivateDatabase, folder: Path) -> Contents:
    assert isinstance(other, Influxd)
    backup = folder / "backup"
    try:
        other.process.start()
        await until_ready(other.process, other.port, b"GET /ping HTTP/1.0\r\n\r\n")
        for deed, server in (("backup", here), ("restore", other)):
            await _done(here.executable, deed, "-portable", "-host", f"127.0.0.1:{server.backup_port}", backup)
        await _taken(backup, folder / "restored")
        await asyncio.to_thread(other.process.stop)  # until then it answers: shard is disabled
        await other.start()
        async with other.store() as store:
            return await everything(store)
    finally:
        await asyncio.to_thread(other.process.stop)


async def _taken(backup: Path, data: Path) -> None:
    """Wait until a server has what `restore` sent it: that ends without an answer for the last shard."""
    due = _files_in(backup)
    async with asyncio.timeout(TAKEN_S):
        while _files_of(data) < due:  # noqa: ASYNC110 (another program sets no event of ours)
            await asyncio.sleep(0.05)


def _files_in(backup: Path) -> int:
    found = 0
    for shard in backup.glob("*.tar.gz"):
        with tarfile.open(shard) as archive:
            found += len(archive.getnames())
    return found


def _files_of(data: Path) -> int:
    return sum(1 for _ in data.rglob("*.tsm"))


async def _influx2(here: Influx2d, other: PrivateDatabase, backup: Path) -> Contents:
    assert isinstance(other, Influx2d)
    influx = here.executable.with_name("influx")
    other.token = here.token  # a full restore brings the tokens back on its way: the new server must know the same one
    try:
        await other.start()
        await _done(influx, "backup", "--host", here.url, backup, token=here.token)
        await _done(influx, "restore", "--full", "--host", other.url, backup, token=other.token)
        async with other.store() as store:
            return await everything(store)
    finally:
        await asyncio.to_thread(other.process.stop)


async def _folder(here: PrivateDatabase, data: Path, backup: Path) -> Contents:
    await asyncio.to_thread(here.process.stop)
    await asyncio.to_thread(shutil.copytree, data, backup)
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(shutil.move, backup, data)
    await here.start()
    async with here.store() as store:
        await asyncio.sleep(10)  # it answers empty while it reads its log, and says nothing of that
        return await everything(store)


async def _done(program: Path, *arguments: str | Path, token: str = "") -> None:
    env = os.environ | ({"INFLUX_TOKEN": token} if token else {})
    done = await asyncio.to_thread(
        subprocess.run, [program, *arguments], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OperatorError(f"{program.name} {arguments[0]} ended with {done.returncode}: {done.stderr[-300:]}")

"""`python -m tests.peers`: the suite of the path against servers of a folder; prints the table, 1 where one differs."""

import argparse
import asyncio
import platform
import sys
import tempfile
import traceback
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path

from proving.servers import Influxd
from tests.peers.apart import tenants
from tests.peers.cell import Cell, Judgement
from tests.peers.found import PeerBroker, PeerDatabase, brokers, databases
from tests.peers.path import chaos, restart
from tests.peers.stored import Reference, answers, copied, figures, refusals
from tests.peers.sums import sums

SHOWN = 20
"""Differences of a check that are named."""
Row = dict[str, Cell]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("--folder", type=Path, help="a folder with a folder for each server; Debian's only without it")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long everything is killed and paused")
    parser.add_argument("--only", default="", help="servers whose name holds this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecopark-peers-") as temporary:
        return asyncio.run(_run(options.folder, options.seconds, options.only, Path(temporary)))


async def _run(folder: Path | None, seconds: float, only: str, temporary: Path) -> int:
    of_brokers = {
        peer.name: await _broker(peer, temporary / peer.name, seconds) for peer in brokers(folder) if only in peer.name
    }
    chosen = [peer for peer in databases(folder) if only in peer.name]
    of_databases: dict[str, Row] = {}
    if chosen:
        due = await Reference.made(temporary)
        of_databases = {peer.name: await _database(peer, temporary / peer.name, seconds, due) for peer in chosen}
    said = [f"{datetime.now(UTC).date()}, Python {platform.python_version()}, {seconds:.0f} s of kills"]
    said += [_table("broker", of_brokers), _table("database", of_databases)]
    sys.stdout.write("\n\n".join(text for text in said if text) + "\n")
    cells = [cell for rows in (of_brokers, of_databases) for row in rows.values() for cell in row.values()]
    return int(any(cell.judgement is Judgement.DIFFERENT for cell in cells))


async def _broker(peer: PeerBroker, folder: Path, seconds: float) -> Row:
    row: Row = {}
    await _look(row, peer.name, "path with kills", chaos(peer.servers, folder / "chaos", seconds, guarded=peer.guarded))
    await _look(row, peer.name, "restart without ingesters", restart(peer.servers, folder / "restart"))
    return row


async def _database(peer: PeerDatabase, folder: Path, seconds: float, due: Reference) -> Row:
    row: Row = {}
    await _look(row, peer.name, "path with kills", chaos(peer.servers, folder / "chaos", seconds, guarded=True))
    await _look(row, peer.name, "tenants apart", tenants(peer.make, folder))
    here, target = peer.make(folder / "data"), Influxd(folder / "target")
    try:
        await asyncio.gather(here.start(), target.start())
        async with here.store() as store:
            await _look(row, peer.name, "refusals isolated", refusals(store))
            await _look(row, peer.name, "sums while it is written", sums(store))
            await _look(row, peer.name, "usage and recompute", figures(here, store, folder, due))
            await _look(row, peer.name, "moved by `store copy`", copied(here, target, folder))
    finally:
        for server in (here, target):
            await asyncio.to_thread(server.process.stop)
    await _look(row, peer.name, "dashboards' answers", answers(peer.make(folder / "synthetic"), due))
    return row


async def _look(row: Row, peer: str, what: str, check: Awaitable[Cell]) -> None:
    try:
        row[what] = await check
    except Exception as error:  # noqa: BLE001 (whatever happens on one server, the others are looked at, too)
        row[what] = Cell(Judgement.DIFFERENT, f"FAILED: {error}"[:200], tuple(traceback.format_exc().splitlines()))
    sys.stderr.write(f"{peer}: {what}: {row[what].said}\n")
    for line in row[what].details[:SHOWN]:
        sys.stderr.write(f"    {line[:600]}\n")
    sys.stderr.flush()


def _table(kind: str, rows: dict[str, Row]) -> str:
    if not rows:
        return ""
    heads = list(next(iter(rows.values())))
    lines = [f"| {kind} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(row[head].said for head in heads)} |" for name, row in rows.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

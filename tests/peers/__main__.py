"""`python -m tests.peers`: the suite of the path against servers of a folder; prints the table, 1 where one differs."""

import argparse
import asyncio
import platform
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from proving.servers import Influxd
from tests.peers.apart import tenants
from tests.peers.backups import restored
from tests.peers.cell import Cell, Judgement
from tests.peers.found import PeerBroker, PeerDatabase, brokers, databases
from tests.peers.path import SEED, Blows, chaos, restart
from tests.peers.stored import Reference, answers, copied, figures, refusals
from tests.peers.sums import sums

SHOWN = 20
"""Differences of a check that are named."""
Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked at: checks whose name holds `check`, on servers whose name holds `only`."""

    blows: Blows
    only: str
    check: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("--folder", type=Path, help="a folder with a folder for each server; Debian's only without it")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long everything is killed and paused")
    parser.add_argument("--seed", type=int, default=SEED, help="chooses what is killed and when")
    parser.add_argument("--only", default="", help="servers whose name holds this")
    parser.add_argument("--check", default="", help="checks whose name holds this")
    options = parser.parse_args()
    chosen = Plan(Blows(options.seconds, options.seed), options.only, options.check)
    with tempfile.TemporaryDirectory(prefix="ecopark-peers-") as temporary:
        return asyncio.run(_run(options.folder, chosen, Path(temporary)))


async def _run(folder: Path | None, plan: Plan, temporary: Path) -> int:
    of_brokers = {
        peer.name: await _broker(peer, temporary / peer.name, plan)
        for peer in brokers(folder)
        if plan.only in peer.name
    }
    chosen = [peer for peer in databases(folder) if plan.only in peer.name]
    of_databases: dict[str, Row] = {}
    if chosen:
        due = await Reference.made(temporary)
        of_databases = {peer.name: await _database(peer, temporary / peer.name, plan, due) for peer in chosen}
    blows = plan.blows
    said = [f"{datetime.now(UTC).date()}, Python {platform.python_version()}, kills by seed {blows.seed}"]
    said += [_table("broker", of_brokers), _table("database", of_databases)]
    sys.stdout.write("\n\n".join(text for text in said if text) + "\n")
    cells = [cell for rows in (of_brokers, of_databases) for row in rows.values() for cell in row.values()]
    return int(any(cell.judgement is Judgement.DIFFERENT for cell in cells))


Checks = dict[str, Callable[[], Awaitable[Cell]]]


async def _broker(peer: PeerBroker, folder: Path, plan: Plan) -> Row:
    return await _looked(
        peer.name,
        plan,
        {
            "path with kills": lambda: chaos(peer.servers, folder / "chaos", plan.blows, guarded=peer.guarded),
            "restart without ingesters": lambda: restart(peer.servers, folder / "restart"),
        },
    )


async def _database(peer: PeerDatabase, folder: Path, plan: Plan, due: Reference) -> Row:
    row = await _looked(
        peer.name,
        plan,
        {
            "path with kills": lambda: chaos(peer.servers, folder / "chaos", plan.blows, guarded=True),
            "tenants apart": lambda: tenants(peer.make, folder),
        },
    )
    here, target, moved = peer.make(folder / "data"), Influxd(folder / "target"), peer.make(folder / "moved")
    try:
        await asyncio.gather(here.start(), target.start())
        async with here.store() as store:
            row |= await _looked(
                peer.name,
                plan,
                {
                    "refusals isolated": lambda: refusals(store),
                    "sums while it is written": lambda: sums(store),
                    "usage and recompute": lambda: figures(here, store, folder, due),
                    "moved away": lambda: copied(here, target, folder / "away.json"),
                },
            )
        row |= await _looked(peer.name, plan, {"restored": lambda: restored(here, peer.make, folder)})
        await asyncio.to_thread(here.process.stop)
        await moved.start()
        row |= await _looked(peer.name, plan, {"moved here": lambda: copied(target, moved, folder / "here.json")})
    finally:
        for server in (here, target, moved):
            await asyncio.to_thread(server.process.stop)
    synthetic = peer.make(folder / "synthetic")
    return row | await _looked(peer.name, plan, {"dashboards' answers": lambda: answers(synthetic, due)})


async def _looked(peer: str, plan: Plan, checks: Checks) -> Row:
    row: Row = {}
    for what, check in checks.items():
        if plan.check in what:
            await _look(row, peer, what, check())
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

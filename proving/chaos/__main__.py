"""Command line of the chaos run; the last line on standard output is its result as JSON."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from metering.errors import OperatorError
from proving.chaos.run import Chaos
from proving.chaos.schedule import Deed, Part

SHOWN = 20


def main() -> int:
    """Run; 0 where nothing was lost and nothing is wrong, 1 otherwise, 2 where it could not run."""
    parser = argparse.ArgumentParser(
        prog="python -m proving.chaos",
        description=__doc__,
        epilog="example: python -m proving.chaos --seconds 60 --seed 7",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long things are broken (default: 60)")
    parser.add_argument("--seed", type=int, default=7, help="chooses what is broken and when (default: 7)")
    parser.add_argument("--keep", type=Path, help="an empty folder to keep logs and data in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecopark-chaos-") as temporary:
        return asyncio.run(_run(options.keep or Path(temporary), options.seconds, options.seed))


async def _run(folder: Path, seconds: float, seed: int) -> int:
    chaos = Chaos(folder, seconds, seed)
    try:
        verdict = await chaos.run()
    except OperatorError as error:
        sys.stderr.write(f"proving.chaos: {error}\n")
        return 2
    for fault in verdict.faults[:SHOWN]:
        sys.stderr.write(f"{fault}\n")
    parts: tuple[Part, ...] = ("gateway", "broker", "ingest", "database")
    deeds: tuple[Deed, ...] = ("kill", "pause")
    kill, pause = ({part: chaos.done[deed, part] for part in parts} for deed in deeds)
    result = {
        "read": verdict.read,
        "stored": verdict.stored,
        "lost": verdict.lost,
        "wrong": verdict.wrong,
        "kills": kill,
        "pauses": sum(pause.values()),
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 1 if verdict.lost or verdict.wrong or not verdict.read else 0


if __name__ == "__main__":
    sys.exit(main())

"""The simulated plant as a separate process: `python -m proving.plant.server --help`.

It prints one JSON line with its ports as soon as it listens, and serves until it gets SIGTERM or SIGINT.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from metering.errors import OperatorError
from metering.parkfile import load_park
from proving.plant.modbus import serving
from proving.plant.plant import Plant
from proving.plant.readlog import ReadLog

_EXAMPLE = """example:
  python -m proving.plant.server --park examples/song-xanh/park.yaml --seed 7 --start 2026-10-24T00:00:00+07:00 \\
      --ports gw-east=5020,gw-west=0 --log reads.jsonl
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the plant; returns the exit status."""
    options = _options(arguments)
    logging.getLogger("pymodbus").setLevel(logging.ERROR)  # what it warns of is said below, once
    try:
        asyncio.run(_serve(options))
    except OperatorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _serve(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.start.timestamp() > time.time():
        raise OperatorError(
            f"{options.start.isoformat()}: the plant cannot begin in the future; give an earlier --start"
        )
    plant = Plant(load_park(options.park), seed=options.seed, start=options.start)
    with ExitStack() as stack:
        try:
            log = stack.enter_context(ReadLog(options.log)) if options.log else None
        except OSError as error:
            raise OperatorError(f"{options.log}: the log cannot be opened: {error.strerror}") from error
        async with serving(plant, options.ports, clock=_now, host=options.host, log=log, tally=options.tally) as ports:
            sys.stdout.write(json.dumps({"ports": ports}) + "\n")
            sys.stdout.flush()
            await ended.wait()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m proving.plant.server",
        description="Serve the meters of a simulated park on Modbus TCP, one port for each gateway.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--park", type=Path, required=True, metavar="FILE", help="the park file")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="chooses loads and weather (default: 7)")
    parser.add_argument(
        "--start", type=_instant, required=True, metavar="ISO", help="when the plant began, with offset"
    )
    parser.add_argument("--ports", type=_ports, required=True, metavar="GATEWAY=PORT,...", help="0 chooses a free port")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append each read that was answered, as JSON lines")
    parser.add_argument("--tally", action="store_true", help="main counters count the reads, so that each is unique")
    return parser.parse_args(arguments)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no time; write it as 2026-10-24T00:00:00+07:00") from error
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} lacks its offset, such as +07:00")
    return instant


def _ports(text: str) -> dict[str, int]:
    ports: dict[str, int] = {}
    for part in text.split(","):
        gateway, _, port = part.partition("=")
        if not port.isdigit():
            raise argparse.ArgumentTypeError(f"{part}: write gateway=port, such as gw-east=5020")
        ports[gateway] = int(port)
    return ports


if __name__ == "__main__":
    sys.exit(main())

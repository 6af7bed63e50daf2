"""Fills the disk with the spool, then deletes bit by bit: `python filler.py SPOOL`; prints `went on` on success."""

import sys
from pathlib import Path

from gateway.spool import Spool
from metering.errors import UnavailableError
from wire.messages import Reading


def main() -> None:
    spool = Spool(Path(sys.argv[1]), clock=lambda: 1_000.0)
    values = {f"v{place}": place / 7 for place in range(10)}
    readings = [Reading(meter="m-1", ts=number, values=values) for number in range(500)]
    kept: list[str] = []
    refused = 0
    while refused < 5:
        try:
            kept += spool.append(readings)
        except UnavailableError:
            refused += 1
    assert spool.depth.messages == len(kept) > 100
    for number in range(0, len(kept), 7):
        assert spool.forget(kept[number : number + 7]) > 0
    assert spool.depth.messages == 0
    again = [name for _ in range(50) for name in spool.append(readings)]
    assert spool.depth.messages == len(again) == 50
    sys.stdout.write("went on\n")


main()

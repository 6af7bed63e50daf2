"""A separate process that appends to a spool and reports it on standard output, until it is killed or done.

`python appender.py SPOOL COUNT [SYNCHRONOUS]`: prints `+ID` when an append has returned and `-ID` before forgetting.
Without SYNCHRONOUS the spool is as it is delivered.
"""

import sys
from pathlib import Path

import gateway.spoolfile
from gateway.spool import Spool
from wire.messages import Reading


def main() -> None:
    path, count, *synchronous = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
    if synchronous:
        (gateway.spoolfile.SYNCHRONOUS,) = synchronous
    spool = Spool(path, clock=lambda: 1_000.0)
    values = {f"v{place}": place / 7 for place in range(10)}
    for number in range(count):
        readings = [Reading(meter=f"m-{place}", ts=number, values=values) for place in range(number % 120 + 1)]
        (name,) = spool.append(readings)
        sys.stdout.write(f"+{name}\n")
        sys.stdout.flush()
        if number % 5 == 4:
            sys.stdout.write(f"-{name}\n")
            sys.stdout.flush()
            spool.forget([name])


main()

"""Starts spools on a full disk: `python crowded.py FOLDER`; prints the result."""

import contextlib
import sys
from pathlib import Path

from gateway.spool import Spool
from metering.errors import UnavailableError
from wire.messages import Reading


def fill(file: Path) -> None:
    with contextlib.suppress(OSError), file.open("ab", buffering=0) as other:
        while True:
            other.write(b"x" * 4096)


def opened(path: Path) -> Spool:
    return Spool(path, clock=lambda: 1_000.0)


def main() -> None:
    folder = Path(sys.argv[1])
    readings = [Reading(meter="m-1", ts=number, values={"x": 1.0}) for number in range(500)]
    before = opened(folder / "old.db")
    kept = [name for _ in range(20) for name in before.append(readings)]
    before.close()
    fill(folder / "other")

    old = opened(folder / "old.db")
    found = [message.id for message in old.after(0, before=1 << 60, limit=1000, max_bytes=1 << 60)]
    assert found == kept
    assert old.forget(kept) == 20 * 500
    old.close()
    sys.stdout.write("the old spool was read and emptied\n")

    fill(folder / "other")
    new = opened(folder / "new.db")
    assert new.after(0, before=1 << 60, limit=10, max_bytes=1 << 60) == []
    with contextlib.suppress(UnavailableError):
        new.append(readings)
        raise AssertionError
    new.lose(len(readings))
    (folder / "other").unlink()
    assert len(new.append(readings)) == 1
    assert new.depth.discarded == len(readings)
    sys.stdout.write("the new spool began when there was space\n")


main()

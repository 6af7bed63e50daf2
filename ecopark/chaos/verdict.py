"""Compares what the plant answered with what the database has.

The plant's log is a record that no killed process can have touched. A gateway asks a meter again on the same
connection only after the round before is on disk, so every logged read that is followed by another of the same meter
on the same connection was read in the sense of the promise. The last one of a connection may or may not have arrived
before the blow: it may be in the database, but need not. Main counters count the reads, so each read is unique.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from metering.park import Park
from store.client import Row

SKEW_MS = 15_000
"""A gateway's time stamp may differ this much from the plant's: a paused gateway stamps when it wakes."""


@dataclass(frozen=True, slots=True)
class Read:
    """One answer of the plant that held the meter's main counter."""

    meter: str
    count: float
    ts: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`read` counts what was certainly read, and what else arrived; `faults` says what is wrong, for people."""

    read: int
    stored: int
    lost: int
    wrong: int
    faults: tuple[str, ...]


def logged(file: Path, park: Park) -> tuple[list[Read], list[Read]]:
    """Reads of the plant's log: those that were certainly taken, and those of which nobody can tell."""
    rounds: dict[tuple[int, str, str], list[Read]] = defaultdict(list)
    with file.open() as lines:
        for line in lines:
            entry = json.loads(line)
            counter = park.meter[entry["meter"]].counter
            if counter in entry["values"]:
                read = Read(entry["meter"], entry["values"][counter], entry["ts"], entry["values"])
                rounds[entry["epoch"], entry["gateway"], entry["meter"]].append(read)
    certain = [read for reads in rounds.values() for read in reads[:-1]]
    return certain, [reads[-1] for reads in rounds.values()]


def judge(certain: Iterable[Read], uncertain: Iterable[Read], rows: Iterable[Row], park: Park) -> Verdict:
    """Compare. `rows` are all points of the database, as dictionaries with `meter`, `time` (ns) and the quantities."""
    due = {(read.meter, read.count): read for read in certain}
    possible = due | {(read.meter, read.count): read for read in uncertain}
    there: Counter[tuple[str, float]] = Counter()
    faults: list[str] = []
    for row in rows:
        key = (row["meter"], row[park.meter[row["meter"]].counter])
        there[key] += 1
        read = possible.get(key)
        if read is None:
            faults.append(f"wrong: {key[0]} has {key[1]}, which it never showed")
        else:
            faults.extend(_differences(read, row))
    faults += [f"wrong: {meter} has {count} {times} times" for (meter, count), times in there.items() if times > 1]
    lost = [f"lost: {read.meter} showed {read.count} at {read.ts}" for key, read in due.items() if key not in there]
    taken = len(due.keys() | (possible.keys() & there.keys()))
    return Verdict(taken, taken - len(lost), len(lost), len(faults), (*lost, *faults))


def _differences(read: Read, row: Row) -> Iterator[str]:
    if abs(row["time"] / 1e6 - read.ts) > SKEW_MS:
        yield f"wrong: {read.meter} {read.count} stands at {row['time']}, but was shown at {read.ts}"
    for name, value in read.values.items():
        if not math.isclose(row.get(name) or 0.0, value, rel_tol=1e-9, abs_tol=1e-9):
            yield f"wrong: {read.meter} {read.count} has {name} {row.get(name)}, but showed {value}"

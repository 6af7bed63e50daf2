"""Compares what the plant answered with what the database has.

The plant's log is a record that no killed process can have touched. A gateway asks a meter again on the same
connection only after the round before is on disk, so every logged read that is followed by another of the same meter
on the same connection was read in the sense of the promise. The last one of a connection may or may not have arrived
before the blow: it may be in the database, but need not. Main counters count the reads, so each read is unique.

Devices of other makes (the sources of the park file) keep nothing once the broker has acknowledged it, and do not ask
the plant's Modbus server. Their points are counted, not judged.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from metering.park import Park
from store.answers import Row

SKEW_MS = 15_000
"""A gateway's time stamp may differ this much from the plant's: a paused gateway stamps when it wakes."""


@dataclass(frozen=True, slots=True)
class Read:
    """One answer of the plant with the meter's main counter."""

    meter: str
    count: float
    ts: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`read` counts what was certainly read, and what else arrived; `faults` says what is wrong, for people.

    `foreign` counts the stored points of devices of other makes, which are not judged.
    """

    read: int
    stored: int
    lost: int
    wrong: int
    foreign: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """The plant's log: reads that were certainly taken, uncertain ones, and answers without the counter."""

    certain: list[Read]
    uncertain: list[Read]
    others: dict[str, list[Read]]


def logged(file: Path, park: Park) -> Log:
    """Read the plant's log."""
    rounds: dict[tuple[int, str, str], list[Read]] = defaultdict(list)
    others: dict[str, list[Read]] = defaultdict(list)
    with file.open() as lines:
        for line in lines:
            entry = json.loads(line)
            meter, values = entry["meter"], entry["values"]
            read = Read(meter, values.get(park.meter[meter].counter, math.nan), entry["ts"], values)
            if math.isnan(read.count):
                others[meter].append(read)
            else:
                rounds[entry["epoch"], entry["gateway"], meter].append(read)
    certain = [read for reads in rounds.values() for read in reads[:-1]]
    return Log(certain, [reads[-1] for reads in rounds.values()], others)


def judge(log: Log, rows: Iterable[Row], park: Park) -> Verdict:
    """Compare. `rows` are all points of the database, as dictionaries with `meter`, `time` (ns) and the quantities."""
    due = {(read.meter, read.count): read for read in log.certain}
    possible = due | {(read.meter, read.count): read for read in log.uncertain}
    there: Counter[tuple[str, float]] = Counter()
    faults: list[str] = []
    carriers, foreign = {source.gateway for source in park.sources}, 0
    for row in rows:
        if park.meter[row["meter"]].gateway in carriers:
            foreign += 1
            continue
        key = (row["meter"], row[park.meter[row["meter"]].counter])
        if key[1] is None:  # of a meter whose registers take several requests, only some may be answered
            if not any(_shown(read, row) for read in log.others[row["meter"]]):
                faults.append(f"wrong: {key[0]} has a point at {row['time']} that it never showed")
            continue
        there[key] += 1
        read = possible.get(key)
        if read is None:
            faults.append(f"wrong: {key[0]} has {key[1]}, which it never showed")
        else:
            faults.extend(_differences(read, row))
    faults += [f"wrong: {meter} has {count} {times} times" for (meter, count), times in there.items() if times > 1]
    lost = [f"lost: {read.meter} showed {read.count} at {read.ts}" for key, read in due.items() if key not in there]
    taken = len(due.keys() | (possible.keys() & there.keys()))
    return Verdict(taken, taken - len(lost), len(lost), wrong=len(faults), foreign=foreign, faults=(*lost, *faults))


def _shown(read: Read, row: Row) -> bool:
    there = {name: row[name] for name in read.values if row.get(name) is not None}
    return bool(there) and not any(_differences(Read(read.meter, read.count, read.ts, there), row))


def _differences(read: Read, row: Row) -> Iterator[str]:
    if abs(row["time"] / 1e6 - read.ts) > SKEW_MS:
        yield f"wrong: {read.meter} {read.count} stands at {row['time']}, but was shown at {read.ts}"
    for name, value in read.values.items():
        if not math.isclose(row.get(name) or 0.0, value, rel_tol=1e-9, abs_tol=1e-9):
            yield f"wrong: {read.meter} {read.count} has {name} {row.get(name)}, but showed {value}"

"""Readings that may be stored: as they were accepted, as lines for the database, and as what a refusal needs of them.

Readings become lines a few hundred at a time: one by one costs more, and so does going through a large batch again.
Only what is small is kept beside the lines until the database has them. Thousands of dictionaries of values, kept as
long, took a tenth of the ingester's time; where the database will not take a line, its values are read from the JSON
that the line was made of.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from pydantic_core import from_json, to_json

from ingest.lookup import Sendable


class Taken(NamedTuple):
    """A reading that may be stored: its meter, values, instant (ms), and further fields in line protocol."""

    meter: Sendable
    values: dict[str, float | None]
    ms: int
    state: str


@dataclass(slots=True)
class Lane:
    """What is written in one request: the lines of readings in order, and the readings that are not lines yet.

    `meters`, `instants` (ms) and `states` are those of the lines. Of each block of readings that became lines together,
    `firsts` has the place of the first one, and `values` all values as they came, in JSON.
    """

    waiting: list[Taken] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    meters: list[Sendable] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)

    def settle(self) -> None:
        """Make lines of the readings that wait.

        Counters are stored as read: use is computed from them with the transformer ratio that held at the time. Gauges
        are stored as they are at the metering point: dashboards and alerts know no ratio.
        """
        if not self.waiting:
            return
        meters, values, instants, states = zip(*self.waiting, strict=True)
        came = to_json(values)
        stored = to_json(list(map(_primary, self.waiting))) if any(map(_SECONDARY, meters)) else came
        self.waiting.clear()
        self.firsts.append(len(self.lines))
        self.values.append(came)
        self.meters += meters
        self.instants += instants
        self.states += states
        # The serializer writes numbers in half the time of repr(); the separators it adds are replaced in one pass.
        fields = stored[3:-2].decode().replace('":', "=").replace('"', "").split("},{")
        self.lines += [
            f"{series} {values}{state} {ms}000000"
            for series, values, state, ms in zip(map(_SERIES, meters), fields, states, instants, strict=True)
        ]

    def taken(self, place: int) -> Taken:
        """The reading of a line."""
        block = bisect_right(self.firsts, place) - 1
        values = from_json(self.values[block])[place - self.firsts[block]]
        return Taken(self.meters[place], values, self.instants[place], self.states[place])

    def join(self, other: "Lane") -> None:
        """Add the lines of another lane."""
        self.firsts += [len(self.lines) + first for first in other.firsts]
        self.values += other.values
        self.lines += other.lines
        self.meters += other.meters
        self.instants += other.instants
        self.states += other.states


def lines_of(taken: Sequence[Taken]) -> list[str]:
    """One line of line protocol for each reading, in order."""
    lane = Lane([*taken])
    lane.settle()
    return lane.lines


_SERIES, _SECONDARY = attrgetter("series"), attrgetter("secondary")


def _primary(taken: Taken) -> dict[str, float | None]:
    factors: dict[str, float] = next((each.factors for each in taken.meter.secondary if taken.ms < each.until_ms), {})
    return {name: value and value * factors.get(name, 1.0) for name, value in taken.values.items()}

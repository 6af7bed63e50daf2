"""What is wanted against what was found: the steps between them, in the order in which they must be taken.

Pure. A thing is known by its kind, its name and where it is; `detail` says what it is like, and where that differs the
thing is changed. Things that nobody wants any more are only named, unless they are to be pruned; a right that nobody
may have is taken away at once, for it costs no data and may show somebody else's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class StepKind(IntEnum):
    """In the order in which they need each other."""

    DATABASE = 1
    ACCOUNT = 2
    RIGHT = 3
    ORGANIZATION = 4
    SOURCE = 5
    DASHBOARD = 6
    VIEWER = 7


class Action(StrEnum):
    """What happens to a thing."""

    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """`within`: the account that has a right, or the organization that holds a source, dashboard or viewer."""

    kind: StepKind
    within: str
    name: str
    detail: str = ""

    @property
    def key(self) -> tuple[StepKind, str, str]:
        """What makes it this one."""
        return (self.kind, self.within, self.name)

    def __str__(self) -> str:
        place = f" of {self.within}" if self.within else ""
        return f"{self.kind.name.lower()} {self.name}{place}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class SyncStep:
    """One thing to do; `thing` is as it must be, or as it was where it is removed."""

    action: Action
    thing: Thing

    def __str__(self) -> str:
        return f"{self.action.value} {self.thing}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order, and what stays although nobody wants it."""

    steps: tuple[SyncStep, ...]
    stale: tuple[Thing, ...]


def plan(wanted: Iterable[Thing], found: Iterable[Thing], *, prune: bool) -> Plan:
    """The way from `found`, which holds only things that are Ecopark's to remove, to `wanted`."""
    want = {thing.key: thing for thing in wanted}
    have = {thing.key: thing for thing in found}
    steps = [
        SyncStep(Action.MAKE if key not in have else Action.CHANGE, thing)
        for key, thing in want.items()
        if have.get(key) != thing
    ]
    steps.sort(key=lambda step: step.thing)
    gone = sorted((thing for key, thing in have.items() if key not in want), reverse=True)
    accounts = {thing.name for thing in want.values() if thing.kind is StepKind.ACCOUNT}
    excess = [thing for thing in gone if thing.kind is StepKind.RIGHT and thing.within in accounts]
    stale = [thing for thing in gone if thing not in excess]
    removals = [*excess, *(stale if prune else ())]
    return Plan(
        (*(SyncStep(Action.REMOVE, thing) for thing in removals), *steps),
        () if prune else tuple(sorted(stale)),
    )

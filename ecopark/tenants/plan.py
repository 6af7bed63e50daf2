"""The steps from what was found to what is wanted, in the order in which they must be taken. Pure.

A thing is identified by its kind, name and place; `detail` is its state, and where that differs the thing is changed.
Things that are no longer wanted are only named, unless they are to be pruned; an unwanted right is removed at once:
that loses no data, and the right may expose another tenant's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class StepKind(IntEnum):
    """In order of dependency."""

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
    """`within`: the account that has a right, or the organization that owns a source, dashboard or viewer."""

    kind: StepKind
    within: str
    name: str
    detail: str = ""

    @property
    def key(self) -> tuple[StepKind, str, str]:
        """Its identity."""
        return (self.kind, self.within, self.name)

    def __str__(self) -> str:
        place = f" of {self.within}" if self.within else ""
        return f"{self.kind.name.lower()} {self.name}{place}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class SyncStep:
    """One change; `thing` is as it must be, or as it was where it is removed."""

    action: Action
    thing: Thing

    def __str__(self) -> str:
        return f"{self.action.value} {self.thing}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order, and what stays although it is not wanted."""

    steps: tuple[SyncStep, ...]
    stale: tuple[Thing, ...]


def plan(wanted: Iterable[Thing], found: Iterable[Thing], *, prune: bool) -> Plan:
    """The steps from `found`, which holds only things that Ecopark may remove, to `wanted`."""
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

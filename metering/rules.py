"""A rule of the park file: a part, a condition on it, and what would be right.

Where something of a part could not be read, only the rules that need it are skipped, and only for that part.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from metering.instants import ALWAYS_AFTER, ALWAYS_BEFORE, Span, local_time
from metering.lenient import Broken, as_far_as_read
from metering.meters import Meter, MeterModel
from metering.yamllines import KeyPath

_FAR_MS = 10**14
"""Later dates cannot be written."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a meter can refer to, by name; None where not every name could be read.

    `tenants`: when each is in the park. `by_id`: meters that have a name. `zone`: the time zone of messages.
    """

    tenants: Mapping[str, Span] | None
    gateways: frozenset[str] | None
    meters: frozenset[str] | None
    models: Mapping[str, MeterModel] | None
    by_id: Mapping[str, Meter]
    zone: ZoneInfo

    def readable(self, ms: int) -> str:
        """An instant as a person writes it: the day, with the time where it is not midnight."""
        if not -_FAR_MS < ms < _FAR_MS:
            return "ever"
        local = local_time(ms, self.zone)
        return local.date().isoformat() if (local.hour, local.minute) == (0, 0) else local.isoformat(timespec="minutes")


T = TypeVar("T")


class Placed(NamedTuple, Generic[T]):
    """A part of the park file and its path there."""

    path: KeyPath
    part: T


@dataclass(frozen=True, slots=True)
class ParkRule(Generic[T]):
    """`holds` for a part, or else the message `says` what would be right; `key` is the path below the part."""

    key: KeyPath
    holds: Callable[[T, Scope], bool]
    says: Callable[[T, Scope], str]

    def broken(self, path: KeyPath, part: T, scope: Scope) -> Iterator[Broken]:
        """The fault of one part, if any."""
        if not self.holds(part, scope):
            yield Broken((*path, *self.key), self.says(part, scope))


def judged(
    parts: Callable[[Meter], Iterator[Placed[T]]], rules: tuple[ParkRule[T], ...], meter: Meter, scope: Scope
) -> Iterator[Broken]:
    """Faults of the parts of a meter that could be read."""
    found: list[Placed[T]] = []
    with suppress(AttributeError):
        found.extend(parts(meter))
    for rule in rules:
        for path, part in found:
            try:
                right = rule.holds(part, scope)
            except AttributeError:  # inlined `as_far_as_read`: it runs for each part of each meter
                continue
            if not right:
                yield from as_far_as_read(rule.broken(path, part, scope))


def known(names: Iterable[str] | None, name: str | None) -> bool:
    """Whether a name is one of these, as far as they could be read."""
    return names is None or name is None or name in names


def says(text: str) -> Callable[[object, Scope], str]:
    """The same message for every part."""
    return lambda _, __: text


@dataclass(frozen=True, slots=True)
class Following:
    """An entry of a meter's history and the one before it; `place` counts from 1."""

    earlier: Span
    later: Span
    place: int


def following(key: str, spans: Callable[[Meter], Sequence[Span]]) -> Callable[[Meter], Iterator[Placed[Following]]]:
    """The entries of a list of a meter, each with the one before it."""

    def parts(meter: Meter) -> Iterator[Placed[Following]]:
        for place, (earlier, later) in enumerate(pairwise(spans(meter)), start=1):
            yield Placed((key, place), Following(earlier, later, place + 1))

    return parts


ORDER_RULES: Final[tuple[ParkRule[Following], ...]] = (
    ParkRule(
        ("from",),
        lambda part, _: part.later.start != ALWAYS_BEFORE,
        says("only the first entry may leave it out"),
    ),
    ParkRule(
        ("from",),
        lambda part, _: part.later.start == ALWAYS_BEFORE or part.later.start > part.earlier.start,
        lambda part, scope: (
            f"must be after {scope.readable(part.earlier.start)}, where the entry before begins: oldest first"
        ),
    ),
    ParkRule(
        ("from",),
        lambda part, _: part.later.start <= part.earlier.start or part.later.start >= part.earlier.end,
        lambda part, scope: (
            f"the entry before ends only at {scope.readable(part.earlier.end)}: two cannot hold at once"
        ),
    ),
)
GAP_RULES: Final[tuple[ParkRule[Following], ...]] = (
    ParkRule(
        ("from",),
        lambda part, _: part.later.start <= part.earlier.end,
        lambda part, scope: f"nobody has the point from {scope.readable(part.earlier.end)} on: close the gap",
    ),
)


class OfMeter(Protocol):
    """A part that knows its meter."""

    @property
    def meter(self) -> Meter:
        """The meter that the part belongs to."""


def from_point(part: OfMeter, scope: Scope) -> str:
    """What would be right where an entry does not begin with its point."""
    span = part.meter.span
    begins = "since ever" if span.start == ALWAYS_BEFORE else f"from {scope.readable(span.start)}"
    return f"the point is there {begins}; begin with it"


def until_point(part: OfMeter, scope: Scope) -> str:
    """What would be right where an entry does not end with its point."""
    span = part.meter.span
    ends = "without an end" if span.end == ALWAYS_AFTER else f"until {scope.readable(span.end)}"
    return f"the point is there {ends}; end with it"


def one_of(names: Iterable[str], what: str) -> str:
    """List the names that would be right, as many as fit a message."""
    ordered = sorted(names)
    shown = ", ".join(ordered[:8]) + (", ..." if len(ordered) > 8 else "")  # noqa: PLR2004 (as many as one line holds)
    return f"must be {what}: {shown}" if ordered else f"must be {what}, and there is none"

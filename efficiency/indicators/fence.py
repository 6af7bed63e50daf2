"""A tenant's fence: its uppermost metering points, each for as long as it is one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from metering.instants import Span
from metering.meters import Meter, Role
from metering.park import Park


class AtFence(NamedTuple):
    """A metering point for as long as it is at a tenant's fence; `generates`: it makes something there."""

    meter: Meter
    generates: bool
    span: Span


def fence_spans(park: Park, tenant: str, span: Span) -> Iterator[AtFence]:
    """Metering points at which a tenant takes or makes something, each with the time in which it is at the fence.

    A meter below another one of the same tenant is a sub-meter: what it shows is already counted above it.
    """
    for tenure in park.points_of_tenant(tenant):
        meter, mine = tenure.meter, tenure.belonging
        whole = mine.span
        if not whole.overlaps(span):
            continue
        within = whole.within(span)
        above = park.meter[mine.parent].belongs if mine.parent is not None and mine.role is not Role.GENERATION else ()
        inner = [own.within(within) for each in above if each.tenant == tenant and (own := each.span).overlaps(within)]
        for piece in without(within, inner):
            yield AtFence(meter, mine.role is Role.GENERATION, piece)


def without(span: Span, taken: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span without others."""
    begin = span.start
    for part in sorted(taken):
        if part.start > begin:
            yield Span(begin, part.start)
        begin = max(begin, part.end)
    if begin < span.end:
        yield Span(begin, span.end)

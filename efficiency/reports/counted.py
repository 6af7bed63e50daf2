"""Which metering points count, and when: at a tenant's fence, or at the park's edge."""

from collections.abc import Iterable, Mapping, Sequence

from efficiency.indicators.fence import AtFence, fence_spans
from efficiency.usage.intervals import merged
from metering.instants import Span
from metering.park import Park, Tenure
from metering.quantities import Utility

Counted = Mapping[str, Sequence[Span]]
"""The spans in which each metering point counts, by id."""


def counted(points: Iterable[Tenure | AtFence], within: Span) -> Counted:
    """Metering points, each with the part of its own time that lies within a span."""
    found: dict[str, list[Span]] = {}
    for point in points:
        if point.span.overlaps(within):
            found.setdefault(point.meter.id, []).append(point.span.within(within))
    return {name: merged(spans) for name, spans in found.items()}


def own_counted(park: Park, tenant: str, within: Span) -> Counted:
    """All metering points of a tenant, each while the tenant has it."""
    return counted(park.points_of_tenant(tenant), within)


def fence_counted(park: Park, tenant: str, within: Span) -> dict[Utility, Counted]:
    """By utility, the metering points that together measure all that a tenant takes, or produces."""
    spans = [each for each in fence_spans(park, tenant, within) if not each.generates]
    return {utility: counted((each for each in spans if each.meter.utility is utility), within) for utility in Utility}

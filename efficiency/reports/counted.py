"""Which metering points count for what, each for as long as it does: a tenant's fence, the park's edge."""

from collections.abc import Iterable, Mapping, Sequence

from efficiency.indicators.fence import AtFence, fence_spans
from efficiency.usage.intervals import merged
from metering.instants import Span
from metering.park import Park, Tenure
from metering.quantities import Utility

Counted = Mapping[str, Sequence[Span]]
"""Metering points by id, each for as long as it counts."""


def counted(points: Iterable[Tenure | AtFence], within: Span) -> Counted:
    """Metering points, each for its own time, as far as that lies within a span."""
    found: dict[str, list[Span]] = {}
    for point in points:
        if point.span.overlaps(within):
            found.setdefault(point.meter.id, []).append(point.span.within(within))
    return {name: merged(spans) for name, spans in found.items()}


def own_counted(park: Park, tenant: str, within: Span) -> Counted:
    """Everything that a tenant has, while it has it."""
    return counted(park.points_of_tenant(tenant), within)


def fence_counted(park: Park, tenant: str, within: Span) -> dict[Utility, Counted]:
    """By utility, what together measures all that a tenant takes, or makes."""
    spans = [each for each in fence_spans(park, tenant, within) if not each.generates]
    return {utility: counted((each for each in spans if each.meter.utility is utility), within) for utility in Utility}

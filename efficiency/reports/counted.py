"""Which metering points count for what, each for as long as it does: a tenant's fence, the park's edge."""

from collections.abc import Iterable, Mapping, Sequence

from efficiency.indicators.fence import fence_spans
from efficiency.usage.intervals import merged
from metering.instants import Span
from metering.meters import Belonging, Meter
from metering.park import Park
from metering.quantities import Utility

Counted = Mapping[str, Sequence[Span]]
"""Metering points by id, each for as long as it counts."""


def counted(points: Iterable[tuple[Meter, Span]], within: Span) -> Counted:
    """Metering points with their spans, as far as these lie within another."""
    found: dict[str, list[Span]] = {}
    for meter, span in points:
        if span.overlaps(within):
            found.setdefault(meter.id, []).append(span.within(within))
    return {name: merged(spans) for name, spans in found.items()}


def belonging_counted(points: Iterable[tuple[Meter, Belonging]], within: Span) -> Counted:
    """Metering points while they belong somewhere."""
    return counted(((meter, belonging.span) for meter, belonging in points), within)


def own_counted(park: Park, tenant: str, within: Span) -> Counted:
    """Everything that a tenant has, while it has it."""
    return counted(((tenure.meter, tenure.belonging.span) for tenure in park.points_of_tenant(tenant)), within)


def fence_counted(park: Park, tenant: str, within: Span) -> dict[Utility, Counted]:
    """By utility, what together measures all that a tenant takes, or makes."""
    spans = [each for each in fence_spans(park, tenant, within) if not each.generates]
    return {
        utility: counted(((each.meter, each.span) for each in spans if each.meter.utility is utility), within)
        for utility in Utility
    }

"""What is stored of a month, arranged for charging: what passed at each point while a tenant or the park had it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

import numpy as np

from efficiency.closing.amounts import billed
from efficiency.closing.statement import Peak, Stretch
from efficiency.indicators.balance import edge_mains, edge_taps
from efficiency.indicators.electricity import highest
from efficiency.indicators.fence import fence_spans
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.indicators.tenant import REACTIVE
from efficiency.stored.spanhours import aligned
from efficiency.stored.usage import SUPERSEDED, StoredUsage
from efficiency.usage.intervals import Floats, Span, quarters_in, starts_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import period_span
from efficiency.valuation.rows import AMOUNT, ESTIMATED, Rows
from metering.figures import Period
from metering.instants import local_time
from metering.meters import Meter
from metering.park import Park
from metering.quantities import Utility
from metering.tariffs import Band


@dataclass(frozen=True)
class PointSpan:
    """A metering point while `owner` (empty: the park) had it within a month."""

    meter: Meter
    owner: str
    span: Span


@dataclass(frozen=True)
class Passed(PointSpan):
    """What passed at a point, from the stored rows."""

    stored: StoredUsage

    @cached_property
    def hours(self) -> QuarterHours:
        """What passed in each quarter hour."""
        return aligned(self.stored, self.span)

    @property
    def rules(self) -> int:
        """Mask of every rule that affected these quarter hours."""
        masks = [rows.rules for rows in self.stored.series.values()]
        return int(np.bitwise_or.reduce(np.concatenate(masks))) if masks else 0

    @property
    def bands(self) -> dict[Band, float]:
        """What came in, by band; what flowed back costs nothing and is not counted."""
        found = dict.fromkeys(Band, 0.0)
        for key, rows in self.stored.series.items():
            found[Band(key.band)] += float(np.nansum(_incoming(rows)))
        return {band: amount for band, amount in found.items() if amount}

    @property
    def estimated(self) -> float:
        """How much of what came in was spread or estimated."""
        return sum(
            float(np.nansum(_incoming(rows) * rows.numbers[:, ESTIMATED])) for rows in self.stored.series.values()
        )

    def both(self, column: str) -> float:
        """The sum of `amount`, or of another register, while active and reactive energy are both known."""
        hours = self.hours
        known = (hours.completeness == 1) & np.isfinite(hours.amount) & np.isfinite(hours.columns[REACTIVE])
        return float((hours.amount if column == "amount" else hours.columns[column])[known].sum())

    def within(self, span: Span) -> "Passed":
        """The part within a span."""
        return replace(self, span=span, stored=self.stored.within(span))


def _incoming(rows: Rows) -> Floats:
    return np.maximum(rows.numbers[:, AMOUNT], 0.0)


@dataclass(frozen=True)
class MonthUse:
    """A month of a park: `usage` by meter, and `stretches` of registers by meter and span, if they were read."""

    park: Park
    first: date
    usage: Mapping[str, StoredUsage]
    stretches: Mapping[tuple[str, Span], tuple[Stretch, ...]] = field(default_factory=dict)

    @cached_property
    def span(self) -> Span:
        """Its instants."""
        return month_span(self.park, self.first)

    def passed(self, point: PointSpan) -> Passed:
        """What passed at a point."""
        stored = self.usage.get(point.meter.id, StoredUsage()).within(point.span)
        mine = {
            key: rows.where(rows.rules != SUPERSEDED)
            for key, rows in stored.series.items()
            if key.tenant == point.owner
        }
        return Passed(point.meter, point.owner, point.span, StoredUsage(mine))

    def series(self, passed: Iterable[Passed], span: Span) -> UseSeries | None:
        """The sum of points in the quarter hours of a span, each while its owner had it; None without points."""
        start = quarters_in(span)
        return together(
            [
                Portion(aligned(each.stored, span), starts_in(start, each.span))
                for each in passed
                if each.span.overlaps(span)
            ]
        )

    def peak(self, passed: Iterable[Passed], span: Span) -> Peak | None:
        """F9 of what came in at all points together over a span; None if no half hour is fully known."""
        series = self.series(passed, span)
        top = highest(quarters_in(span), series.positive()) if series is not None else None
        if top is None:
            return None
        return Peak(at=self.local(top.start), kw=billed(top.kw), known=top.known, estimated=top.estimated)

    def stretches_of(self, passed: PointSpan) -> tuple[Stretch, ...]:
        """The stretches of a point's registers over the same time; none if they were not read."""
        return self.stretches.get((passed.meter.id, passed.span), ())

    def local(self, ms: int) -> datetime:
        """An instant in the park's time."""
        return local_time(ms, self.park.zone)

    def readable(self, ms: int) -> str:
        """An instant as text, in the park's time."""
        return f"{self.local(ms):%Y-%m-%d %H:%M}"


def month_span(park: Park, first: date) -> Span:
    """The instants of a month."""
    return period_span(park, Period.MONTH, first)


def points_charged(park: Park, tenant: str, span: Span) -> Iterator[PointSpan]:
    """The points at a tenant's fence where it takes something, each while the tenant had it."""
    for meter, generates, piece in fence_spans(park, tenant, span):
        if not generates and meter.utility is not Utility.PRODUCTION:
            yield PointSpan(meter, tenant, piece)


def points_of_park(park: Park, span: Span) -> Iterator[PointSpan]:
    """The park's own points that enter its account: at its edge, of its own use, and of generation behind the edge."""
    for utility in Utility:
        for tap in (*edge_mains(park, utility, span), *edge_taps(park, utility, span)):
            if tap.tenant is None and tap.register == tap.meter.counter:
                yield PointSpan(tap.meter, "", tap.span)


def points_of_month(park: Park, span: Span) -> tuple[PointSpan, ...]:
    """The points of the park and of all tenants."""
    found = [*points_of_park(park, span)]
    for tenant in park.tenants:
        found += points_charged(park, tenant.id, span)
    return tuple(found)

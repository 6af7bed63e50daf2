"""F28: what a two-component tariff charges for the highest half hour of a month.

A tenant's month is split where its voltage level or price changes. Each piece has its own highest half hour, of all its
points together, and is charged for its share of the month.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from efficiency.indicators.electricity import highest
from efficiency.indicators.fence import fence_spans
from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.series import UseSeries
from efficiency.usage.intervals import QUARTER_MS, Floats, Span, starts_in
from efficiency.valuation.localtime import Slots, day_of, period_span
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.dated import at, edges, value_on
from metering.figures import Period
from metering.instants import local_day
from metering.park import Park, Tenant
from metering.quantities import Utility
from metering.tariffs import BandPrices


@dataclass(frozen=True, slots=True)
class DemandPiece:
    """A part of a month in which one price of demand holds, VND per kW and month; `part` is its share of the month."""

    span: Span
    price: float
    part: float
    entry: BandPrices


def demand_pieces(entries: Sequence[BandPrices], span: Span, month: Span, zone: ZoneInfo) -> Iterator[DemandPiece]:
    """The pieces of a span within a month in which these prices have one of demand."""
    for piece in span.cut(edges(entries, span, zone)):
        entry = at(entries, local_day(piece.start, zone))
        if entry is not None and entry.demand is not None:
            part = (piece.end - piece.start) / (month.end - month.start)
            yield DemandPiece(piece, entry.demand, part, entry)


def tenant_pieces(park: Park, tenant: Tenant, month: Span) -> Iterator[DemandPiece]:
    """Those of a tenant, for as long as it has a point of electricity within the month."""
    tariff = park.tariffs.electricity
    spans = [
        each.span
        for each in fence_spans(park, tenant.id, month)
        if each.meter.utility is Utility.ELECTRICITY and not each.generates
    ]
    if tariff is None or not spans:
        return
    whole = Span(min(span.start for span in spans), max(span.end for span in spans))
    for piece in whole.cut(edges(tenant.contract.voltage, whole, park.zone)):
        level = value_on(tenant.contract.voltage, local_day(piece.start, park.zone))
        yield from demand_pieces(tariff.prices.get(level or "", ()), piece, month, park.zone)


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """F28 as a figure of the month, and spread evenly over the quarter hours that have passed, VND."""

    figure: Figure
    accrued: Floats


def demand_charge(park: Park, tenant: Tenant, taken: UseSeries | None, when: Slots) -> DemandCharge:
    """What the quarter hours `when`, all of one month, have cost so far by the highest half hour among them."""
    month = period_span(park, Period.MONTH, day_of(int(when.day[0])))
    accrued, due, known, estimated = np.zeros(len(when)), 0.0, [], 0.0
    begun = [each for each in tenant_pieces(park, tenant, month) if each.span.start <= int(when.start[-1])]
    for piece in begun:
        mine = starts_in(when.start, piece.span)
        top = highest(when.start[mine], taken.where(mine)) if taken is not None else None
        if top is None:
            return DemandCharge(absent("₫", ValueReason.NO_DATA), accrued)
        accrued[mine] = top.kw * piece.price * QUARTER_MS / (month.end - month.start)
        due += top.kw * piece.price * piece.part
        known.append(top.known)
        estimated = max(estimated, top.estimated)
    if not begun:
        return DemandCharge(absent("₫", ValueReason.ONE_COMPONENT, 1.0), accrued)
    doubt = ValueReason.PEAK_NOT_SURE if min(known) < 1 else NOTHING
    return DemandCharge(figure(due, "₫", min(known), estimated, doubt), accrued)

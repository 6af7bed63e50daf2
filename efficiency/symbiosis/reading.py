"""Reads the stored meters and gauges of a park's streams, by quarter hour."""

import numpy as np

from efficiency.stored.days import load
from efficiency.stored.usagestore import UsageStore
from efficiency.symbiosis.flow import Gauge, Observed, gauges_of
from efficiency.usage.intervals import QUARTER_MS, Floats, Span, quarters_in
from efficiency.valuation.localtime import slots
from metering.park import Park
from store.client import Store
from store.schema import OPERATOR_DATABASE
from store.select import Of, select, where


def stream_meters(park: Park) -> frozenset[str]:
    """The meters that say how much there is of any stream."""
    return frozenset(stream.meter for stream in park.streams if stream.meter is not None)


async def observed_of(store: Store, usage: UsageStore, park: Park, span: Span) -> Observed:
    """Of a span of whole quarter hours."""
    loaded = await load(usage, sorted(stream_meters(park)), span)
    wanted = {gauge for stream in park.streams for gauge in gauges_of(park, stream)}
    by_meter: dict[str, list[str]] = {}
    for gauge in sorted(wanted):
        by_meter.setdefault(gauge.meter, []).append(gauge.quantity)
    gauges: dict[Gauge, Floats] = {}
    for meter, quantities in by_meter.items():
        gauges |= await _means(store, park, meter, quantities, span)
    return Observed(slots(quarters_in(span), park.zone), loaded.meters, gauges)


async def _means(store: Store, park: Park, meter: str, quantities: list[str], span: Span) -> dict[Gauge, Floats]:
    """Means of the quarter hours of a span; NaN where nothing was read."""
    condition = where({"park": park.id, "meter": meter}, span.start, span.end)
    fields = [Of("mean", quantity) for quantity in quantities]
    statement = select(park.meter[meter].utility.value, fields, condition, every="15m")
    found = {Gauge(meter, quantity): np.full((span.end - span.start) // QUARTER_MS, np.nan) for quantity in quantities}
    for table in await store.tables(statement, OPERATOR_DATABASE):
        for quantity in quantities:
            found[Gauge(meter, quantity)][(table.times - span.start) // QUARTER_MS] = table.fields[quantity]
    return found

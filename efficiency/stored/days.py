"""Reads stored usage by local days: a day alone, or many days month by month."""

from collections.abc import AsyncIterator, Collection
from datetime import date, timedelta
from typing import NamedTuple

from efficiency.stored.spanhours import SpanHours, aligned
from efficiency.stored.usagestore import UsageStore
from efficiency.usage.intervals import QUARTER_MS, Span
from efficiency.valuation.localtime import period_span
from metering.figures import Period
from metering.park import Park


async def load(usage: UsageStore, ids: Collection[str], span: Span) -> SpanHours:
    """What is stored of some meters, aligned to a span; no meters if the span is empty."""
    if not ids or span.start >= span.end:
        return SpanHours(span, {})
    stored = await usage.stored(ids, span)
    return SpanHours(span, {meter: aligned(stored[meter], span) for meter in ids})


def elapsed(span: Span, now_ms: int) -> Span:
    """The part of a period whose quarter hours have ended."""
    return Span(span.start, max(span.start, min(span.end, now_ms // QUARTER_MS * QUARTER_MS)))


class DayHours(NamedTuple):
    """The quarter hours of some meters in a local day."""

    day: date
    hours: SpanHours


async def by_day(
    usage: UsageStore, park: Park, ids: Collection[str], days: Collection[date]
) -> AsyncIterator[DayHours]:
    """Some whole days in ascending order, read month by month."""
    for month in sorted({day.replace(day=1) for day in days}):
        spans = {
            day: period_span(park, Period.DAY, day)
            for day in sorted(days)
            if (day.year, day.month) == (month.year, month.month)
        }
        whole = Span(min(span.start for span in spans.values()), max(span.end for span in spans.values()))
        loaded = await load(usage, ids, whole)
        for day, span in spans.items():
            yield DayHours(day, loaded.cut(span))


def days_between(first: date, last: date) -> set[date]:
    """Every day from `first` to `last`."""
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}

"""From stored quarter hours to the points of `efficiency`, `park_efficiency` and `balance`: figures, whole.

Days and months of tenants come from quarter hours; years from their months; longer periods of balances and of the park
itself from their days. Nothing is written here: whoever asks gets series of points.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from efficiency.baseline.days import BaselineDays, own_figures
from efficiency.indicators.balance import (
    BALANCE_FIGURES,
    balance_of_days,
    edge_mains,
    main_balance,
    park_balance,
    park_meters,
    taps,
)
from efficiency.indicators.figure import Figure, fields_of, figures_in
from efficiency.indicators.joining import joined_figures
from efficiency.indicators.park import park_figure_meters, park_figures
from efficiency.indicators.tenant import fence_spans, meters_of, tenant_figures
from efficiency.stored.days import days_between, load, local_day, past
from efficiency.stored.fields import Fields, PointStore, SeriesPoints
from efficiency.stored.measured import Laid
from efficiency.stored.usagestore import UsageStore
from efficiency.usage.intervals import EVER, QUARTER_MS, Span, merged
from efficiency.valuation.localtime import period_span
from metering.figures import FIGURES, PARK_FIGURES, Period
from metering.park import Park
from metering.quantities import Utility
from store.schema import BALANCE, EDGE, EFFICIENCY, PARK_EFFICIENCY

_FEW_DAYS = 3
"""So many days are read one by one, more of them with their whole month."""


class FigureMaker:
    """Makes the figures of one park as of `now_ms`."""

    def __init__(self, usage: UsageStore, points: PointStore, baselines: BaselineDays) -> None:
        self._usage = usage
        self._points = points
        self._baselines = baselines

    async def of_tenant(
        self, park: Park, tenant: str, due: "Due", held: Laid | None = None, near: Laid | None = None
    ) -> list[SeriesPoints]:
        """Days and months of one tenant.

        `held` has all that it needs; without it, what is not `near` is read.
        """
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}}
        for first in sorted({day.replace(day=1) for day in due.days} | set(due.months)):
            of_month = sorted(day for day in due.days if day.replace(day=1) == first)
            month = period_span(park, Period.MONTH, first)
            ids = [meter.id for meter in meters_of(park, tenant, month)]
            loaded = held
            if held is None and (first in due.months or len(of_month) > _FEW_DAYS):
                loaded = await load(self._usage, ids, past(month, due.now_ms), near)
            for day in of_month:
                span = past(period_span(park, Period.DAY, day), due.now_ms)
                laid = loaded or await load(self._usage, ids, span)
                points[Period.DAY][span.start] = await self._tenant(park, tenant, Period.DAY, day, laid=laid, due=due)
            if loaded is not None and first in due.months:
                points[Period.MONTH][month.start] = await self._tenant(
                    park, tenant, Period.MONTH, first, laid=loaded, due=due
                )
        return [_tenant_series(park, tenant, period, found) for period, found in points.items()]

    async def _tenant(self, park: Park, tenant: str, period: Period, day: date, *, laid: Laid, due: "Due") -> Fields:
        whole = period_span(park, period, day)
        span = past(whole, due.now_ms)
        figures = tenant_figures(park, park.tenant[tenant], laid.cut(span), period, span)
        if not figures:
            return {}
        return fields_of(figures | await self._own(park, tenant, whole, due.now_ms))

    async def _own(self, park: Park, tenant: str, span: Span, now_ms: int) -> dict[str, Figure]:
        """What the tenant's own baseline says of a span."""
        frozen = self._baselines.of_tenant(tenant)
        if frozen is None:
            return own_figures({}, 0, known=False)
        first = max(local_day(park, span.start), frozen.since)
        until = min(local_day(park, span.end), local_day(park, now_ms))
        days = await self._baselines.own(park, tenant, span.start, span.end - 1)
        known = period_span(park, Period.DAY, frozen.since).start < span.end
        return own_figures(days, max(0, (until - first).days), known=known)

    async def years_of_tenant(self, park: Park, tenant: str, years: Iterable[int], now_ms: int) -> SeriesPoints:
        """Years of one tenant from its stored months."""
        points = {}
        for year in years:
            span = period_span(park, Period.YEAR, date(year, 1, 1))
            stored = await self._points.stored(EFFICIENCY, _tags(park, tenant, Period.MONTH), span.start, span.end - 1)
            months = {local_day(park, ms): figures_in(fields, FIGURES) for ms, fields in stored.items()}
            lengths = {first: _length(park, tenant, first, now_ms) for first in _months(year)}
            points[span.start] = fields_of(joined_figures(months, lengths))
        return _tenant_series(park, tenant, Period.YEAR, points)

    async def of_main(
        self, park: Park, main: str, days: Collection[date], now_ms: int, held: Laid | None = None
    ) -> SeriesPoints:
        """Days of one main meter's balance."""
        points: dict[int, Fields] = {}
        for _, of_month in groupby(sorted(days), key=lambda day: day.replace(day=1)):
            spans = [past(period_span(park, Period.DAY, day), now_ms) for day in of_month]
            whole = Span(spans[0].start, spans[-1].end)
            laid = held or await load(self._usage, balanced(park, main, whole), whole)
            for span in spans:
                if span.start < span.end:
                    points[span.start] = fields_of(main_balance(park, park.meter[main], laid.cut(span), span))
        return _balance_series(park, park.meter[main].utility, main, Period.DAY, points)

    async def of_edge(self, park: Park, utility: Utility, days: Collection[date], now_ms: int) -> SeriesPoints:
        """Days of the park's four numbers of one utility; read day by day, as all meters of the utility are needed."""
        points: dict[int, Fields] = {}
        for day in sorted(days):
            span = past(period_span(park, Period.DAY, day), now_ms)
            if span.start < span.end:
                laid = await load(self._usage, sorted(park_meters(park, utility, span)), span)
                points[span.start] = fields_of(park_balance(park, utility, laid.meters, span))
        return _balance_series(park, utility, EDGE, Period.DAY, points)

    async def balances(
        self, park: Park, utility: Utility, main: str, months: Collection[date], now_ms: int
    ) -> list[SeriesPoints]:
        """Months and years of a balance from its stored days."""
        points: dict[Period, dict[int, Fields]] = {Period.MONTH: {}, Period.YEAR: {}}
        periods = [(Period.MONTH, first) for first in months]
        periods += [(Period.YEAR, date(year, 1, 1)) for year in {first.year for first in months}]
        tags = _balance_tags(park, utility, main, Period.DAY)
        for period, first in periods:
            span = period_span(park, period, first)
            stored = await self._points.stored(BALANCE, tags, span.start, span.end - 1)
            days = [figures_in(fields, BALANCE_FIGURES) for fields in stored.values() if fields]
            if days:
                points[period][span.start] = fields_of(balance_of_days(days, _days_past(park, span, now_ms)))
        return [_balance_series(park, utility, main, period, found) for period, found in points.items()]

    async def of_park(self, park: Park, days: Collection[date], now_ms: int) -> list[SeriesPoints]:
        """Figures of the park itself by day, and of the months and years that hold these days."""
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}, Period.YEAR: {}}
        for day in sorted(days):
            span = past(period_span(park, Period.DAY, day), now_ms)
            if span.start < span.end:
                laid = await load(self._usage, sorted(park_figure_meters(park, span)), span)
                points[Period.DAY][span.start] = fields_of(park_figures(park, laid.meters, span))
        for period in (Period.MONTH, Period.YEAR):
            for first in {_first(period, day) for day in days}:
                span = period_span(park, period, first)
                tags = {"park": park.id, "period": Period.DAY.value}
                stored = await self._points.stored(PARK_EFFICIENCY, tags, span.start, span.end - 1)
                for ms, fields in points[Period.DAY].items():
                    if span.start <= ms < span.end:
                        stored[ms] = fields
                parts = {local_day(park, ms): figures_in(fields, PARK_FIGURES) for ms, fields in stored.items()}
                lengths = dict.fromkeys(_past_days(park, span, now_ms), 1.0)
                points[period][span.start] = fields_of(joined_figures(parts, lengths))
        return [
            SeriesPoints(PARK_EFFICIENCY, {"park": park.id, "period": period.value}, None, found)
            for period, found in points.items()
        ]


@dataclass(frozen=True, slots=True)
class Due:
    """Days and months of a tenant that are to be computed as of `now_ms`."""

    days: Collection[date]
    months: Collection[date]
    now_ms: int


def edges(park: Park) -> tuple[Utility, ...]:
    """Utilities that the park has a main meter of at its edge, at any time."""
    return tuple(utility for utility in Utility if edge_mains(park, utility, EVER))


def balanced(park: Park, main: str, span: Span) -> list[str]:
    """The meters of a balance within a span."""
    return sorted({main, *(tap.meter.id for tap in taps(park, main, span))})


def _tags(park: Park, tenant: str, period: Period) -> dict[str, str]:
    return {"park": park.id, "tenant": tenant, "period": period.value}


def _tenant_series(park: Park, tenant: str, period: Period, points: Mapping[int, Fields]) -> SeriesPoints:
    return SeriesPoints(EFFICIENCY, _tags(park, tenant, period), tenant, points)


def _balance_tags(park: Park, utility: Utility, main: str, period: Period) -> dict[str, str]:
    return {"park": park.id, "utility": utility.value, "main": main, "period": period.value}


def _balance_series(
    park: Park, utility: Utility, main: str, period: Period, points: Mapping[int, Fields]
) -> SeriesPoints:
    return SeriesPoints(BALANCE, _balance_tags(park, utility, main, period), None, points)


def _first(period: Period, day: date) -> date:
    return day.replace(day=1) if period is Period.MONTH else day.replace(month=1, day=1)


_MONTHS = 12


def _months(year: int) -> list[date]:
    return [date(year, month, 1) for month in range(1, _MONTHS + 1)]


def _length(park: Park, tenant: str, first: date, now_ms: int) -> float:
    """Quarter hours of a month up to now in which a tenant had any meter at its fence."""
    span = past(period_span(park, Period.MONTH, first), now_ms)
    spans = merged([piece for _, _, piece in fence_spans(park, tenant, span)]) if span.start < span.end else []
    return sum(each.end - each.start for each in spans) / QUARTER_MS


def _past_days(park: Park, span: Span, now_ms: int) -> list[date]:
    """Days of a span that have begun."""
    last = min(local_day(park, span.end - 1), local_day(park, now_ms))
    return sorted(days_between(local_day(park, span.start), last))


def _days_past(park: Park, span: Span, now_ms: int) -> int:
    """How many days of a span are over."""
    until = min(local_day(park, span.end), local_day(park, now_ms))
    return max(0, (until - local_day(park, span.start)) // timedelta(days=1))

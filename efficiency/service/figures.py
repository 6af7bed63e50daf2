"""Makes the points of `efficiency`, `park_efficiency` and `balance`.

A tenant's days and months are made from quarter hours, its years from its months. Longer periods of balances and of the
park itself are made from their days. Nothing is written here: the caller gets series of points.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from efficiency.baseline.days import BaselineDays, own_figures, with_band
from efficiency.indicators.balance import (
    BALANCE_FIGURES,
    balance_of_days,
    edge_mains,
    main_balance,
    park_meters,
    taps,
)
from efficiency.indicators.eip import year_indicators
from efficiency.indicators.fence import fence_spans
from efficiency.indicators.figure import Figure, fields_of, figures_in
from efficiency.indicators.greenhouse import entered_figures, forecast, forecast_figures
from efficiency.indicators.joining import joined_figures
from efficiency.indicators.park import park_figure_meters, park_figures
from efficiency.indicators.purchase import PURCHASE_FIGURES, edge_figures, edge_of_days
from efficiency.indicators.tenant import meters_of, tenant_figures
from efficiency.service.pending import Balance
from efficiency.stored.amounts import KeptAmounts
from efficiency.stored.days import days_between, elapsed, load
from efficiency.stored.fields import Fields, Points, PointStore, SeriesPoints
from efficiency.stored.spanhours import SpanHours
from efficiency.stored.usagestore import UsageStore
from efficiency.usage.intervals import DAY_MS, EVER, QUARTER_MS, Span, merged
from efficiency.valuation.localtime import period_span
from metering.figures import FIGURES, PARK_FIGURES, Period
from metering.instants import local_day
from metering.meters import Role
from metering.months import months_in
from metering.park import Park
from metering.quantities import Utility
from store.schema import BALANCE, EDGE, EFFICIENCY, PARK_EFFICIENCY, PARK_INDICATOR

_FEW_DAYS = 3
"""How many days are read one by one; more are read with their whole month."""
_DAYS_AT_ONCE = 4000
"""About how many days of balances are read at once: 100 MB."""


class FigureMaker:
    """Makes the figures of one park."""

    def __init__(self, usage: UsageStore, points: PointStore, baselines: BaselineDays) -> None:
        self._usage = usage
        self._points = points
        self._baselines = baselines

    def at_hand(self, park: Park, tenant: str, due: "Due") -> "Due":
        """The part of `due` whose quarter hours are all in memory."""
        months = {first for first in due.months if self._in_memory(park, tenant, Period.MONTH, first, due.now_ms)}
        days = {
            day
            for day in due.days
            if day.replace(day=1) in months or self._in_memory(park, tenant, Period.DAY, day, due.now_ms)
        }
        return Due(days, months, due.now_ms)

    def _in_memory(self, park: Park, tenant: str, period: Period, day: date, now_ms: int) -> bool:
        span = period_span(park, period, day)
        return self._usage.knows([meter.id for meter in meters_of(park, tenant, span)], elapsed(span, now_ms))

    async def of_tenant(self, park: Park, tenant: str, due: "Due") -> list[SeriesPoints]:
        """The days and months of a tenant that are due."""
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}}
        for first in sorted({day.replace(day=1) for day in due.days} | set(due.months)):
            of_month = sorted(day for day in due.days if day.replace(day=1) == first)
            month = elapsed(period_span(park, Period.MONTH, first), due.now_ms)
            ids = [meter.id for meter in meters_of(park, tenant, month)]
            whole = None
            if first in due.months or len(of_month) > _FEW_DAYS:
                whole = await load(self._usage, ids, month)
            for day in of_month:
                span = elapsed(period_span(park, Period.DAY, day), due.now_ms)
                stretch = whole.cut(span) if whole is not None else await load(self._usage, ids, span)
                points[Period.DAY][span.start] = await self._tenant(park, tenant, Period.DAY, stretch, due.now_ms)
            if whole is not None and first in due.months:
                of_meters = await self._tenant(park, tenant, Period.MONTH, whole, due.now_ms)
                points[Period.MONTH][month.start] = of_meters | fields_of(entered_figures(park, [tenant], [first]))
        return [_tenant_series(park, tenant, period, found) for period, found in points.items()]

    async def _tenant(self, park: Park, tenant: str, period: Period, stretch: SpanHours, now_ms: int) -> Fields:
        span = stretch.span
        figures = tenant_figures(park, park.tenant[tenant], stretch.meters, period, span)
        if not figures:
            return {}
        whole = period_span(park, period, local_day(span.start, park.zone))
        return fields_of(figures | await self._own(park, tenant, whole, now_ms))

    async def _own(self, park: Park, tenant: str, span: Span, now_ms: int) -> dict[str, Figure]:
        """The figures of a span against the tenant's own baseline."""
        frozen = self._baselines.of_tenant(tenant)
        if frozen is None:
            return own_figures({}, 0, known=False)
        first = max(local_day(span.start, park.zone), frozen.since)
        until = min(local_day(span.end, park.zone), local_day(now_ms, park.zone))
        days = await self._baselines.own(park, tenant, span.start, span.end - 1)
        known = period_span(park, Period.DAY, frozen.since).start < span.end
        return own_figures(days, max(0, (until - first).days), known=known)

    async def years_of_tenant(self, park: Park, tenant: str, years: Iterable[int], now_ms: int) -> SeriesPoints:
        """Years of one tenant from its stored months."""
        points = {}
        for year in years:
            span = period_span(park, Period.YEAR, date(year, 1, 1))
            stored = await self._points.stored(EFFICIENCY, _tags(park, tenant, Period.MONTH), span.start, span.end - 1)
            months = {local_day(ms, park.zone): figures_in(fields, FIGURES) for ms, fields in stored.items()}
            at_fence = merged([each.span for each in fence_spans(park, tenant, elapsed(span, now_ms))])
            lengths = {first: _length(period_span(park, Period.MONTH, first), at_fence) for first in months_in(year)}
            days = await self._baselines.own(park, tenant, span.start, span.end - 1)
            until = min(local_day(span.end, park.zone), local_day(now_ms, park.zone))
            points[span.start] = fields_of(
                with_band(joined_figures(months, lengths), days)
                | entered_figures(park, [tenant], months_in(year))
                | forecast_figures(year, forecast(park, tenant, year, months, until))
            )
        return _tenant_series(park, tenant, Period.YEAR, points)

    async def of_day(
        self, park: Park, balances: Collection[Balance], day: date, amounts: KeptAmounts, now_ms: int
    ) -> SpanHours:
        """The quarter hours for the balances of a day, all of one utility."""
        span = elapsed(period_span(park, Period.DAY, day), now_ms)
        ids = {meter for balance in balances for meter in balance_meters(park, balance, span)}
        return await amounts.load(sorted(ids), span)

    def of_balance(self, park: Park, balance: Balance, stretch: SpanHours) -> Fields:
        """One day of one balance."""
        span, by_meter = stretch.span, stretch.meters
        if balance.main == EDGE:
            return fields_of(edge_figures(park, balance.utility, by_meter, span))
        return fields_of(main_balance(park, park.meter[balance.main], by_meter, span))

    async def of_park(self, park: Park, day: date, amounts: KeptAmounts, now_ms: int) -> dict[int, Fields]:
        """One day of the park itself; nothing if none of it is over."""
        span = elapsed(period_span(park, Period.DAY, day), now_ms)
        if span.start >= span.end:
            return {}
        stretch = await amounts.load(sorted(park_figure_meters(park, span)), span)
        return {span.start: fields_of(park_figures(park, stretch.meters, span))}

    async def balances(
        self, park: Park, period: Period, months: Mapping[Balance, Collection[date]], now_ms: int
    ) -> list[SeriesPoints]:
        """Balances of months, or of the years they are in, from their stored days; many are read at once."""
        wanted: dict[date, list[Balance]] = {}
        for balance, marked in months.items():
            for first in {_first(period, month) for month in marked}:
                wanted.setdefault(first, []).append(balance)
        points: dict[Balance, dict[int, Fields]] = {}
        for first, balances in wanted.items():
            span = period_span(park, period, first)
            over = _days_over(park, span, now_ms)
            whole = {day: _length(part) for day, part in over.items()}
            some = max(1, _DAYS_AT_ONCE // ((span.end - span.start) // DAY_MS))
            for place in range(0, len(balances), some):
                part = balances[place : place + some]
                tags = {
                    "park": park.id,
                    "period": Period.DAY.value,
                    "utility": sorted({balance.utility.value for balance in part}),
                    "main": sorted({balance.main for balance in part}),
                }
                stored = await self._points.stored_of_many(BALANCE, tags, span.start, span.end - 1)
                for balance in part:
                    of_days = stored.get((park.id, Period.DAY.value, balance.utility.value, balance.main), {})
                    names = (*BALANCE_FIGURES, *(PURCHASE_FIGURES if balance.main == EDGE else ()))
                    days = {local_day(ms, park.zone): figures_in(each, names) for ms, each in of_days.items() if each}
                    join = edge_of_days if balance.main == EDGE else balance_of_days
                    there = _there(park, balance, span)
                    always = [span] == [each.within(span) for each in there]
                    lengths = whole if always else {day: _length(part, there) for day, part in over.items()}
                    if days:
                        points.setdefault(balance, {})[span.start] = fields_of(
                            join(days, lengths, local_day(now_ms, park.zone))
                        )
        return [balance_series(park, balance, period, found) for balance, found in points.items()]

    async def of_park_longer(self, park: Park, months: Collection[date], now_ms: int) -> list[SeriesPoints]:
        """Months of the park itself, and the years they are in, from its stored days."""
        tags = park_series(park, Period.DAY, {}).tags
        found: list[SeriesPoints] = []
        for period in (Period.MONTH, Period.YEAR):
            points: dict[int, Fields] = {}
            for first in {_first(period, month) for month in months}:
                span = period_span(park, period, first)
                stored = await self._points.stored(PARK_EFFICIENCY, tags, span.start, span.end - 1)
                parts = {local_day(ms, park.zone): figures_in(fields, PARK_FIGURES) for ms, fields in stored.items()}
                if parts:
                    lengths = {day: _length(part) for day, part in _days_over(park, span, now_ms).items()}
                    firsts = (first,) if period is Period.MONTH else months_in(first.year)
                    entered = entered_figures(park, [None, *park.tenant], firsts)
                    points[span.start] = fields_of(joined_figures(parts, lengths, PARK_FIGURES) | entered)
            found.append(park_series(park, period, points))
        return found

    async def indicators(self, park: Park, years: Collection[int], now_ms: int) -> list[SeriesPoints]:
        """Indicators of years, from the stored figures of these years."""
        found: list[SeriesPoints] = []
        for year in sorted(years):
            span = period_span(park, Period.YEAR, date(year, 1, 1))
            tags = {"park": park.id, "period": Period.YEAR.value}
            own = (await self._points.stored(PARK_EFFICIENCY, tags, span.start, span.start)).get(span.start)
            if own is None:
                continue
            of_edges = {"utility": [*edges(park)], **tags, "main": EDGE}
            stored = await self._points.stored_of_many(BALANCE, of_edges, span.start, span.start) if edges(park) else {}
            balances = {
                Utility(utility): figures_in(points[span.start], BALANCE_FIGURES)
                for (utility, *_), points in stored.items()
            }
            last = min(date(year, 12, 31), local_day(now_ms, park.zone))
            for each in year_indicators(park, figures_in(own, PARK_FIGURES), balances, year, last):
                tags_of_one = {"park": park.id, "indicator": each.indicator.code}
                found.append(SeriesPoints(PARK_INDICATOR, tags_of_one, None, {span.start: each.fields}))
        return found


@dataclass(frozen=True, slots=True)
class Due:
    """Days and months of a tenant to compute as of `now_ms`."""

    days: Collection[date]
    months: Collection[date]
    now_ms: int


def balance_meters(park: Park, balance: Balance, span: Span) -> set[str]:
    """The meters that a balance needs within a span; none where that is empty."""
    if span.start >= span.end:
        return set()
    if balance.main == EDGE:
        return park_meters(park, balance.utility, span)
    return {balance.main, *(tap.meter.id for tap in taps(park, balance.main, span))}


def edges(park: Park) -> tuple[Utility, ...]:
    """Utilities for which the park has, or ever had, a main meter at its edge."""
    return tuple(utility for utility in Utility if edge_mains(park, utility, EVER))


def _tags(park: Park, tenant: str, period: Period) -> dict[str, str]:
    return {"park": park.id, "tenant": tenant, "period": period.value}


def _tenant_series(park: Park, tenant: str, period: Period, points: Points) -> SeriesPoints:
    return SeriesPoints(EFFICIENCY, _tags(park, tenant, period), tenant, points)


def balance_series(park: Park, balance: Balance, period: Period, points: Points) -> SeriesPoints:
    """Points of a balance."""
    tags = {"park": park.id, "utility": balance.utility.value, "main": balance.main, "period": period.value}
    return SeriesPoints(BALANCE, tags, None, points)


def park_series(park: Park, period: Period, points: Points) -> SeriesPoints:
    """Points of the park itself."""
    return SeriesPoints(PARK_EFFICIENCY, {"park": park.id, "period": period.value}, None, points)


def _first(period: Period, day: date) -> date:
    return day.replace(day=1) if period is Period.MONTH else day.replace(month=1, day=1)


def _length(part: Span, there: Iterable[Span] = (EVER,)) -> float:
    """How many quarter hours of a span lie in others, which do not overlap each other."""
    inside = [each.within(part) for each in there if each.overlaps(part)]
    return sum(each.end - each.start for each in inside) / QUARTER_MS


def _there(park: Park, balance: Balance, span: Span) -> list[Span]:
    """The times within a span at which a balance has a main meter."""
    if balance.main == EDGE:
        return merged([tap.span for tap in edge_mains(park, balance.utility, span)])
    belongs = park.meter[balance.main].belongings_in(span)
    return merged([belonging.span for belonging in belongs if belonging.role is Role.MAIN])


def _days_over(park: Park, span: Span, now_ms: int) -> dict[date, Span]:
    """The days of a span that have begun, each with the part whose quarter hours are over."""
    last = min(local_day(span.end - 1, park.zone), local_day(now_ms, park.zone))
    days = sorted(days_between(local_day(span.start, park.zone), last))
    parts = {day: elapsed(period_span(park, Period.DAY, day), now_ms) for day in days}
    return {day: part for day, part in parts.items() if part.start < part.end}

"""Keeps `efficiency` and `balance` true to the stored usage: what is marked is computed again, month by month."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial

from efficiency.balance import taps
from efficiency.baselinedays import BaselineDays, own_fields
from efficiency.basis import Changes
from efficiency.intervals import ALWAYS_AFTER
from efficiency.inturn import in_turn
from efficiency.localtime import day_of
from efficiency.measureddays import cut, days_between, load, local_day, past
from efficiency.pointstore import Points, PointStore
from efficiency.rollup import Fields, balance_fields, meters_of, period_span, tenant_fields
from efficiency.usagestore import UsageStore
from metering.figures import Period
from metering.meters import Role
from metering.park import Park
from store.client import Store
from store.schema import BALANCE, EFFICIENCY

_FEW_DAYS = 3
"""So many days are read one by one, more of them with their whole month."""


class Rollups:
    """Figures of one park that wait to be computed again."""

    def __init__(self, store: Store, park: str, usage: UsageStore) -> None:
        self._usage = usage
        self._points = PointStore(store, park, usage)
        self.baselines = BaselineDays(store, park, usage)
        self._days: dict[str, set[date]] = {}
        self._months: dict[str, set[date]] = {}
        self._balances: dict[str, set[date]] = {}

    @property
    def waiting(self) -> int:
        """How many days, months and balances are marked."""
        return sum(len(dates) for kind in (self._days, self._months, self._balances) for dates in kind.values())

    def mark(self, park: Park, meter_id: str, days: Iterable[int]) -> None:
        """A meter's usage has changed on these local days (since 1970)."""
        dates = {day_of(int(day)) for day in days}
        self.baselines.mark_meter(meter_id, dates)
        meter = park.meter[meter_id]
        if meter.tenant is not None:
            self.mark_tenant(meter.tenant, dates)
        for main in (meter_id, meter.parent):
            if main is not None and park.meter[main].role is Role.MAIN:
                self._balances.setdefault(main, set()).update(dates)

    def mark_tenant(self, tenant: str, dates: Collection[date]) -> None:
        """Something that a tenant's figures are made of has changed on these days."""
        self._days.setdefault(tenant, set()).update(dates)
        self._months.setdefault(tenant, set()).update(day.replace(day=1) for day in dates)

    async def take(self, changed: Changes, park: Park, first: Mapping[str, int], now_ms: int) -> None:
        """Mark what a changed park file or file of baselines changes; `first`: instants of meters' first readings."""
        today = local_day(park, now_ms)
        for tenant, since in changed.tenants.items():
            firsts = [first[meter.id] for meter in park.of_tenant[tenant] if meter.id in first]
            if firsts and since <= now_ms:
                self.mark_tenant(tenant, days_between(local_day(park, max(since, min(firsts))), today))
        for name, gone in changed.gone.items():
            await self.baselines.forget(park, name, gone)
        for name, day in changed.baselines.items():
            held = self.baselines.held.get(name)
            if held is not None:
                firsts = [first[meter] for meter in held.meters if meter in first]
                begin = max(day, local_day(park, min(firsts))) if firsts else today
                self.baselines.mark(name, days_between(begin, today))
            elif (owner := changed.gone[name]) is not None and owner in park.tenant:
                self.mark_tenant(owner, days_between(day, today))

    def mark_months(self, park: Park, since_ms: int, now_ms: int) -> None:
        """The months from the one that holds an instant to the present one may not have been computed."""
        first, last = (local_day(park, ms) for ms in (since_ms, now_ms))
        for tenant in park.tenants:
            self._months.setdefault(tenant.id, set()).update(day.replace(day=1) for day in days_between(first, last))

    def oldest_month(self, park: Park) -> int:
        """Start of the oldest month that waits, ms; the end of time where none does."""
        waiting = [day for months in self._months.values() for day in months]
        return period_span(park, Period.MONTH, min(waiting)).start if waiting else ALWAYS_AFTER

    async def write(self, park: Park, now_ms: int, *, months: bool) -> None:
        """Compute and write what is marked; `months` too, which read much."""
        for tenant, dates in (await self.baselines.write(park, now_ms)).items():
            self.mark_tenant(tenant, dates)
        due = {**self._days, **(self._months if months else {})}
        works = [partial(self._tenant, park, tenant, now_ms, months=months) for tenant in due if tenant in park.tenant]
        mains = [partial(self._balance, park, main, now_ms) for main in self._balances if main in park.meter]
        await in_turn([*works, *mains])

    async def _tenant(self, park: Park, tenant: str, now_ms: int, *, months: bool) -> None:
        days = self._days.pop(tenant, set())
        due = self._months.pop(tenant, set()) if months else set()
        ids = [meter.id for meter in meters_of(park, tenant)]
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}}
        for first in sorted({day.replace(day=1) for day in days} | due):
            of_month = sorted(day for day in days if day.replace(day=1) == first)
            month = period_span(park, Period.MONTH, first)
            loaded = None
            if first in due or len(of_month) > _FEW_DAYS:
                loaded = await load(self._usage, ids, past(month, now_ms))
            for day in of_month:
                span = past(period_span(park, Period.DAY, day), now_ms)
                by_meter = cut(loaded, month, span) if loaded is not None else await load(self._usage, ids, span)
                points[Period.DAY][span.start] = tenant_fields(park, park.tenant[tenant], by_meter, Period.DAY)
            if loaded is not None and first in due:
                points[Period.MONTH][month.start] = tenant_fields(park, park.tenant[tenant], loaded, Period.MONTH)
        for period, found in points.items():
            tags = {"park": park.id, "tenant": tenant, "period": period.value}
            await self._replace(EFFICIENCY, tags, await self._with_own(park, tenant, period, found), tenant)

    async def _with_own(self, park: Park, tenant: str, period: Period, points: Points) -> Points:
        """With what the tenant's own baseline says of the same days or months."""
        if not points:
            return points
        ends = {ms: period_span(park, period, local_day(park, ms)).end for ms in points}
        own = await self.baselines.own(park, tenant, min(points), max(ends.values()))
        return {
            ms: {**fields, **own_fields({day: one for day, one in own.items() if ms <= day < ends[ms]})}
            for ms, fields in points.items()
        }

    async def _balance(self, park: Park, main: str, now_ms: int) -> None:
        days = self._balances.pop(main)
        ids = sorted({main, *(tap.meter.id for tap in taps(park, main))})
        points: dict[int, Fields] = {}
        for day in sorted(days):
            span = past(period_span(park, Period.DAY, day), now_ms)
            if span.start < span.end:
                points[span.start] = balance_fields(park, park.meter[main], await load(self._usage, ids, span))
        tags = {"park": park.id, "utility": park.meter[main].utility.value, "main": main}
        await self._replace(BALANCE, tags, points, None)

    async def _replace(
        self, measurement: str, tags: Mapping[str, str], points: Mapping[int, Fields], tenant: str | None
    ) -> None:
        if points:
            before = await self._points.stored(measurement, tags, min(points), max(points))
            await self._points.replace(measurement, tags, before, points, tenant)

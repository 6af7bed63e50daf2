"""Keeps `efficiency` and `balance` true to the stored usage: what is marked is computed again, month by month."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial
from itertools import groupby

from efficiency.baseline.days import BaselineDays, own_fields
from efficiency.indicators.balance import taps
from efficiency.indicators.rollup import balance_fields, meters_of, tenant_fields
from efficiency.service.aside import MAIN, TENANT, SetAside
from efficiency.service.basis import Changes
from efficiency.service.inturn import in_turn
from efficiency.stored.days import days_between, load, local_day, past
from efficiency.stored.fields import Fields, Points, PointStore, SeriesPoints
from efficiency.stored.measured import Held, Laid, at_hand
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from efficiency.usage.intervals import ALWAYS_AFTER, DAY_MS, Span
from efficiency.valuation.localtime import day_of, period_span
from metering.figures import Period
from metering.meters import Role
from metering.park import Park
from store.client import Store
from store.schema import BALANCE, EFFICIENCY

_FEW_DAYS = 3
"""So many days are read one by one, more of them with their whole month."""
_KEPT_MS = 2 * DAY_MS


class Rollups:
    """Figures of one park that wait to be computed again."""

    def __init__(self, store: Store, park: str, usage: UsageStore, writer: ParkWriter, aside: SetAside) -> None:
        self._usage = usage
        self._aside = aside
        self._writer = writer
        self._points = PointStore(store, park, writer)
        self.baselines = BaselineDays(usage, self._points)
        self._days: dict[str, set[date]] = {}
        self._months: dict[str, set[date]] = {}
        self._balances: dict[str, set[date]] = {}
        self._near: dict[str, Laid] = {}
        """Stretches that were just computed of all that a tenant has: of the month around one only the rest is read."""

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
        for main in changed.mains:
            firsts = [first[meter] for meter in _balanced(park, main) if meter in first]
            if firsts:
                self._balances.setdefault(main, set()).update(days_between(local_day(park, min(firsts)), today))
        for name, gone in changed.gone.items():
            await self.baselines.forget(park, name, gone)
        for name, day in changed.baselines.items():
            held = self.baselines.held.get(name)
            if held is not None:
                firsts = [first[meter] for meter in held.meters if meter in first]
                begin = max(day, local_day(park, min(firsts))) if firsts else today
                self.baselines.mark(name, days_between(begin, today))
            if (owner := changed.gone.get(name)) is not None and owner in park.tenant:
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
        """Compute and write what is marked, of what is in the store; `months` too, which read much."""
        own = await self.baselines.write(park, now_ms)
        await self._writer.flush()
        for tenant, dates in own.items():
            self.mark_tenant(tenant, dates)
        days, self._days = self._days, {}
        due: dict[str, set[date]] = {}
        if months:
            due, self._months = self._months, {}
        balances, self._balances = self._balances, {}
        near, self._near = self._near, {}
        tenants: list[SeriesPoints] = []
        mains: list[SeriesPoints] = []

        async def of_tenant(tenant: str) -> None:
            marked = days.get(tenant, set()), due.get(tenant, set())
            with self._aside.guard(f"{TENANT}{tenant}", now_ms):
                tenants.extend(await self._tenant(park, tenant, *marked, now_ms, near=near.get(tenant)))

        async def of_main(main: str) -> None:
            with self._aside.guard(f"{MAIN}{main}", now_ms):
                mains.append(await self._balance(park, main, balances[main], now_ms))

        # What is set aside is marked anew when it is tried again.
        waiting = self._aside.waiting(now_ms)
        found = [tenant for tenant in {**days, **due} if tenant in park.tenant and f"{TENANT}{tenant}" not in waiting]
        balanced = [main for main in balances if main in park.meter and f"{MAIN}{main}" not in waiting]
        works = [partial(of_tenant, tenant) for tenant in found]
        await in_turn([*works, *(partial(of_main, main) for main in balanced)])
        await self._points.replace_all(tenants, "tenant")
        await self._points.replace_all(mains, "main")

    async def write_tenants(self, park: Park, held: Held, now_ms: int) -> None:
        """Compute and write what is marked of tenants all of whose meters are at hand, where they are."""
        fields: list[SeriesPoints] = []
        for tenant in [tenant for tenant in self._days if tenant in park.tenant]:
            laid = at_hand(held, [meter.id for meter in meters_of(park, tenant)])
            if laid is not None:
                days = _taken(self._days[tenant], laid.span, park, Period.DAY, now_ms)
                months = _taken(self._months.get(tenant, set()), laid.span, park, Period.MONTH, now_ms)
                with self._aside.guard(f"{TENANT}{tenant}", now_ms):
                    fields += await self._tenant(park, tenant, days, months, now_ms, laid)
                if laid.span.end - laid.span.start <= _KEPT_MS:
                    self._near[tenant] = laid
        await self._points.replace_all(fields, "tenant")

    async def write_mains(self, park: Park, held: Held, now_ms: int) -> None:
        """Compute and write what is marked of main meters all of whose meters are at hand, where they are."""
        fields: list[SeriesPoints] = []
        for main in [main for main in self._balances if main in held]:
            laid = at_hand(held, _balanced(park, main))
            if laid is not None:
                days = _taken(self._balances[main], laid.span, park, Period.DAY, now_ms)
                with self._aside.guard(f"{MAIN}{main}", now_ms):
                    fields.append(await self._balance(park, main, days, now_ms, laid))
        await self._points.replace_all(fields, "main")

    async def _tenant(
        self,
        park: Park,
        tenant: str,
        days: set[date],
        due: set[date],
        now_ms: int,
        held: Laid | None = None,
        near: Laid | None = None,
    ) -> list[SeriesPoints]:
        ids = [meter.id for meter in meters_of(park, tenant)]
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}}
        for first in sorted({day.replace(day=1) for day in days} | due):
            of_month = sorted(day for day in days if day.replace(day=1) == first)
            month = period_span(park, Period.MONTH, first)
            loaded = held
            if held is None and (first in due or len(of_month) > _FEW_DAYS):
                loaded = await load(self._usage, ids, past(month, now_ms), near)
            for day in of_month:
                span = past(period_span(park, Period.DAY, day), now_ms)
                laid = loaded or await load(self._usage, ids, span)
                points[Period.DAY][span.start] = tenant_fields(park, park.tenant[tenant], laid.cut(span), Period.DAY)
            if loaded is not None and first in due:
                whole = loaded.cut(past(month, now_ms))
                points[Period.MONTH][month.start] = tenant_fields(park, park.tenant[tenant], whole, Period.MONTH)
        return [
            SeriesPoints(
                EFFICIENCY,
                {"park": park.id, "tenant": tenant, "period": period.value},
                tenant,
                await self._with_own(park, tenant, period, found),
            )
            for period, found in points.items()
        ]

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

    async def _balance(
        self, park: Park, main: str, days: set[date], now_ms: int, held: Laid | None = None
    ) -> SeriesPoints:
        points: dict[int, Fields] = {}
        for _, of_month in groupby(sorted(days), key=lambda day: day.replace(day=1)):
            spans = [past(period_span(park, Period.DAY, day), now_ms) for day in of_month]
            laid = held or await load(self._usage, _balanced(park, main), Span(spans[0].start, spans[-1].end))
            for span in spans:
                if span.start < span.end:
                    points[span.start] = balance_fields(park, park.meter[main], laid.cut(span))
        tags = {"park": park.id, "utility": park.meter[main].utility.value, "main": main}
        return SeriesPoints(BALANCE, tags, None, points)


def _taken(marked: set[date], span: Span, park: Park, period: Period, now_ms: int) -> set[date]:
    """Take those out of `marked` whose past part lies in a span."""
    taken = set()
    for day in marked:
        whole = past(period_span(park, period, day), now_ms)
        if span.start <= whole.start and whole.end <= span.end:
            taken.add(day)
    marked -= taken
    return taken


def _balanced(park: Park, main: str) -> list[str]:
    """The meters of a balance."""
    return sorted({main, *(tap.meter.id for tap in taps(park, main))})

"""Keeps `efficiency`, `park_efficiency` and `balance` consistent with the stored usage: recomputes what is marked.

Days come first. Then tenants' months follow from quarter hours, and everything else from stored days and months.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import partial

from efficiency.baseline.days import BaselineDays
from efficiency.indicators.carriers import CO2E
from efficiency.indicators.park import marking
from efficiency.indicators.tenant import EXPORT
from efficiency.service.aside import MAIN, TENANT, SetAside
from efficiency.service.basis import Changes
from efficiency.service.fewatonce import few_at_once
from efficiency.service.figures import Due, FigureMaker, balance_series, edges, park_series
from efficiency.service.pending import Balance, MarkedDays, OwnedUse, Pending
from efficiency.stored.amounts import KeptAmounts
from efficiency.stored.days import days_between
from efficiency.stored.fields import Fields, PointStore, SeriesPoints
from efficiency.stored.spanhours import SpanHours
from efficiency.stored.usagestore import KEPT_MS, UsageStore
from efficiency.stored.writer import ParkWriter
from efficiency.symbiosis.stored import MatchStore
from efficiency.usage.intervals import Span
from efficiency.valuation.localtime import day_number, day_of
from metering.figures import Period
from metering.instants import local_day
from metering.park import Park
from metering.quantities import Utility
from running.memory import return_freed_memory
from store.client import Store
from store.schema import BALANCE, EDGE, EFFICIENCY, PARK_EFFICIENCY, SYMBIOSIS, USAGE

_OF_DAYS = {"period": Period.DAY.value}
_DAYS_AT_ONCE = 7
"""How many days of balances are made before they are written."""
_COLUMNS = (EXPORT, CO2E)
"""What figures of all meters are made of besides amounts."""
MOST_WAITING = 1_500_000
"""With so many quarter hours in memory, about 150 MB, tenants' figures that wait for more are made later instead."""


class Rollups:
    """The figures of one park that are derived from its quarter hours."""

    def __init__(self, store: Store, park: str, usage: UsageStore, writer: ParkWriter, aside: SetAside) -> None:
        self._usage = usage
        self._aside = aside
        self._writer = writer
        self._points = PointStore(store, park, writer)
        self.baselines = BaselineDays(usage, self._points)
        self._amounts = KeptAmounts(usage, _COLUMNS)
        self._figures = FigureMaker(usage, self._points, self.baselines)
        self._matches = MatchStore(store, usage, self._points)
        self.pending = Pending()
        self._busy: set[str] = set()
        """Meters that are being computed."""

    def mark(self, park: Park, use: OwnedUse, days: Iterable[int]) -> None:
        """Note that a meter's use has changed on these local days (numbered since 1970)."""
        dates = {day_of(int(day)) for day in days}
        self.baselines.mark_meter(use.meter, dates)
        self.pending.use(park, use, dates)

    async def take(self, changed: Changes, park: Park, first: Mapping[str, int], now_ms: int) -> None:
        """Mark what a changed park file or file of baselines affects; `first`: the first reading of each meter, ms."""
        today = local_day(now_ms, park.zone)
        for tenant, since in changed.tenants.items():
            firsts = [first[each.meter.id] for each in park.points_of_tenant(tenant) if each.meter.id in first]
            # Of a meter that is gone, only its stored use or the figures made from it may be left.
            firsts += await self._points.oldest(USAGE, {"park": park.id, "tenant": tenant})
            firsts += await self._points.oldest(EFFICIENCY, {"park": park.id, "tenant": tenant, **_OF_DAYS})
            if firsts and since <= now_ms:
                self.pending.tenant(tenant, days_between(local_day(max(since, min(firsts)), park.zone), today))
                # Months in which nothing was known may have figures, too, if all months were made anew before.
                of_months = {"period": Period.MONTH.value}
                firsts += await self._points.oldest(EFFICIENCY, {"park": park.id, "tenant": tenant, **of_months})
                self.pending.months_of(tenant, days_between(local_day(max(since, min(firsts)), park.zone), today))
        for main, since in changed.mains.items():
            if main in first and since <= now_ms:
                days = days_between(local_day(max(since, first[main]), park.zone), today)
                self.pending.main(park.meter[main], days)
                self.pending.edge(park.meter[main].utility, days)
        if changed.lost_mains:
            for utility in {*Utility} - {*edges(park)}:
                await self.forget({"park": park.id, "utility": utility.value, "main": EDGE}, None)
        self._take_costs_and_fuels(changed, park, first, now_ms)
        if changed.reuse or changed.lost_uses:
            firsts = [*first.values(), *await self._points.oldest(PARK_EFFICIENCY, {"park": park.id, **_OF_DAYS})]
            days = days_between(local_day(min(firsts), park.zone), today) if firsts else set()
            # Electricity always enters the park's own figures, wastewater only while some of it is reused.
            for utility in {Utility.ELECTRICITY, *changed.lost_uses}:
                self.pending.edge(utility, days)
        if changed.streams:
            await self._points.delete(SYMBIOSIS, {"park": park.id}, None)
            since = min(first.values(), default=now_ms)
            self.pending.park_months |= {day.replace(day=1) for day in days_between(local_day(since, park.zone), today)}
        await self._take_baselines(changed, park, first, today)

    def _take_costs_and_fuels(self, changed: Changes, park: Park, first: Mapping[str, int], now_ms: int) -> None:
        """Mark what changed costs of the intake and changed fuel entries affect."""
        today = local_day(now_ms, park.zone)
        if changed.entered and first:
            self.pending.whole_months(park, min(first.values()), now_ms)
        for utility, day in changed.edges.items():
            firsts = [first[meter.id] for meter in park.meters if meter.utility is utility and meter.id in first]
            if firsts and day <= today:
                self.pending.edge(utility, days_between(max(day, local_day(min(firsts), park.zone)), today))

    async def _take_baselines(self, changed: Changes, park: Park, first: Mapping[str, int], today: date) -> None:
        for name, gone in changed.gone.items():
            await self.baselines.forget(park, name, gone)
        for name, day in changed.baselines.items():
            frozen = self.baselines.frozen.get(name)
            if frozen is not None:
                firsts = [first[meter] for meter in frozen.meters if meter in first]
                begin = max(day, local_day(min(firsts), park.zone)) if firsts else today
                self.baselines.mark(name, days_between(begin, today))
            for owner in changed.gone.get(name, ()):
                if owner in park.tenant:
                    self.pending.tenant(owner, days_between(day, today))

    async def forget(self, tags: Mapping[str, str], tenant: str | None) -> None:
        """Delete all figures of a tenant, or all balances of a main meter, that no longer exists."""
        await self._points.delete(EFFICIENCY if tenant is not None else BALANCE, tags, tenant)

    async def write(self, park: Park, now_ms: int, *, months: bool) -> None:
        """Compute and write what is marked; months and years, for which much is read, only with `months`."""
        for start, uses in self.pending.ended(now_ms).items():
            day = day_number(local_day(start, park.zone))
            for use in uses:
                if use.meter in park.meter:
                    self.mark(park, use, [day])
        own = await self.baselines.write(park, now_ms)
        await self._writer.flush()
        for tenant, dates in own.items():
            self.pending.tenant(tenant, dates)
        days, self.pending.days = self.pending.days, {}
        of_months: dict[str, set[date]] = {}
        if months:
            of_months, self.pending.months = self.pending.months, {}
        due = {name: Due(days.get(name, set()), of_months.get(name, set()), now_ms) for name in {**days, **of_months}}
        await self._write_tenants(park, due)
        await self._write_days(park, self.pending.take_days(), self._amounts, now_ms)
        if months:
            await self._writer.flush()
            await self._write_longer(park, now_ms)
        self._usage.trim()

    def begin_month(self, meters: Iterable[str]) -> None:
        """Note that some meters are about to be computed in a month: tenants' figures wait for their last meter."""
        self._busy = {*meters}

    async def write_at_hand(self, park: Park, meters: Collection[str], span: Span, now_ms: int) -> None:
        """Compute and write the marked figures of tenants whose inputs are all in memory.

        `meters` were just computed in a span of one month, and stay in memory until their tenants need no more. When a
        whole year is computed, month by month and tenant by tenant, this saves reading each quarter hour back.
        """
        self._busy.difference_update(meters)
        if span.end - span.start > KEPT_MS:
            self._amounts.keep(meters, span)
        due = {}
        owners = {belonging.tenant for meter in meters for belonging in park.meter[meter].belongs}
        for name in self.pending.days.keys() & park.tenant.keys() & owners:
            if not self._busy.isdisjoint(_all_meters_of(park, name)):
                continue
            days, months = self.pending.days[name], self.pending.months.get(name, set())
            due[name] = self._figures.at_hand(park, name, Due(days, months, now_ms))
            days.difference_update(due[name].days)
            months.difference_update(due[name].months)
        await self._write_tenants(park, due)
        theirs = {meter for name in due for meter in _all_meters_of(park, name)}
        waiting = {meter for name in owners if self._waits(park, name, span) for meter in _all_meters_of(park, name)}
        self._usage.trim({*meters, *theirs} - waiting if self._usage.size < MOST_WAITING else None)

    def _waits(self, park: Park, tenant: str | None, span: Span) -> bool:
        """Whether figures of a tenant's days in a span are still to be made."""
        first, last = local_day(span.start, park.zone), local_day(span.end - 1, park.zone)
        return tenant is not None and any(first <= day <= last for day in self.pending.days.get(tenant, ()))

    async def end_month(self, park: Park, now_ms: int) -> list[Callable[[], Awaitable[None]]]:
        """End a month that was just computed.

        Returns what remains to be done, where many days were computed: to compute and write their balances and the
        park's own figures. The database writes little then, so it is done while the next month is computed.
        """
        self._busy.clear()
        self._usage.trim()
        if not self._amounts:
            return []
        await self._writer.flush()  # what is not in memory is read
        return_freed_memory()  # of groups whose arrays were of all sizes
        amounts, self._amounts = self._amounts, KeptAmounts(self._usage, _COLUMNS)
        return [partial(self._write_days, park, self.pending.take_days(), amounts, now_ms)]

    async def _write_tenants(self, park: Park, due: Mapping[str, Due]) -> None:
        found = await few_at_once(
            partial(self._tenant, park, name, each)
            for name, each in due.items()
            if name in park.tenant and (each.days or each.months)
        )
        await self._points.replace_all([series for each in found for series in each])

    async def _tenant(self, park: Park, tenant: str, due: Due) -> Sequence[SeriesPoints]:
        # What is set aside is marked again before the next try.
        if f"{TENANT}{tenant}" not in self._aside.waiting(due.now_ms):
            with self._aside.guard(f"{TENANT}{tenant}", due.now_ms):
                return await self._figures.of_tenant(park, tenant, due)
        return ()

    async def _write_days(self, park: Park, marked: MarkedDays, amounts: KeptAmounts, now_ms: int) -> None:
        """Compute and write days of balances and of the park itself; their inputs are read once for all of them."""
        wanted = self._wanted(park, marked, self._aside.waiting(now_ms))
        of_park = {day for utility in marking(park) for day in marked.edges.get(utility, ())}
        in_order = sorted({*wanted, *of_park})
        for place in range(0, len(in_order), _DAYS_AT_ONCE):
            found: dict[Balance, dict[int, Fields]] = {}
            own: dict[int, Fields] = {}
            for day in in_order[place : place + _DAYS_AT_ONCE]:
                for some in wanted.get(day, {}).values():
                    stretch = await self._figures.of_day(park, some, day, amounts, now_ms)
                    self._balances(park, some, stretch, now_ms, found)
                if day in of_park:
                    own |= await self._figures.of_park(park, day, amounts, now_ms)
            series = [balance_series(park, balance, Period.DAY, points) for balance, points in found.items()]
            await self._points.replace_all(series)
            await self._points.replace_all([park_series(park, Period.DAY, own)])

    @staticmethod
    def _wanted(park: Park, marked: MarkedDays, waiting: Collection[str]) -> dict[date, dict[Utility, list[Balance]]]:
        """The balances to compute, by day and utility."""
        found: dict[date, dict[Utility, list[Balance]]] = {}
        for main, days in marked.balances.items():
            if main in park.meter and f"{MAIN}{main}" not in waiting:
                utility = park.meter[main].utility
                for day in days:
                    found.setdefault(day, {}).setdefault(utility, []).append(Balance(utility, main))
        for utility in edges(park):
            for day in marked.edges.get(utility, ()):
                found.setdefault(day, {}).setdefault(utility, []).append(Balance(utility, EDGE))
        return found

    def _balances(
        self,
        park: Park,
        some: Collection[Balance],
        stretch: SpanHours,
        now_ms: int,
        found: dict[Balance, dict[int, Fields]],
    ) -> None:
        for balance in some if stretch.span.start < stretch.span.end else ():
            with self._aside.guard(f"{MAIN}{balance.main}", now_ms):
                fields = self._figures.of_balance(park, balance, stretch)
                found.setdefault(balance, {})[stretch.span.start] = fields

    async def _write_longer(self, park: Park, now_ms: int) -> None:
        """Compute and write what follows from stored days and months."""
        years, self.pending.years = self.pending.years, {}
        found = [
            await self._figures.years_of_tenant(park, tenant, marked, now_ms)
            for tenant, marked in years.items()
            if tenant in park.tenant
        ]
        await self._points.replace_all(found)
        months, self.pending.balance_months = self.pending.balance_months, {}
        there = {*park.meter, *([EDGE] if edges(park) else [])}
        balances = {balance: marked for balance, marked in months.items() if balance.main in there}
        for period in (Period.MONTH, Period.YEAR):
            await self._points.replace_all(await self._figures.balances(park, period, balances, now_ms))
        of_park, self.pending.park_months = self.pending.park_months, set()
        await self._points.replace_all(await self._figures.of_park_longer(park, of_park, now_ms))
        await self._points.replace_all(await self._matches.months(park, of_park, now_ms))
        await self._writer.flush()
        years_of_park = {month.year for month in of_park}
        await self._points.replace_all(await self._matches.years(park, years_of_park, now_ms))
        await self._points.replace_all(await self._figures.indicators(park, years_of_park, now_ms))


def _all_meters_of(park: Park, tenant: str | None) -> list[str]:
    """Those that a tenant has, or ever had."""
    return [tenure.meter.id for tenure in park.points_of_tenant(tenant)]

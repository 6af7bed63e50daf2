"""Keeps `efficiency` and `balance` true to the stored usage: what is marked is computed again, month by month."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial

from efficiency.baseline.days import BaselineDays
from efficiency.indicators.park import park_utilities
from efficiency.indicators.tenant import meters_of
from efficiency.service.aside import MAIN, TENANT, SetAside
from efficiency.service.basis import Changes
from efficiency.service.figures import Due, FigureMaker, balanced, edges
from efficiency.service.inturn import in_turn
from efficiency.stored.days import days_between, local_day, past
from efficiency.stored.fields import PointStore, SeriesPoints
from efficiency.stored.measured import Held, Laid, at_hand
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from efficiency.usage.intervals import ALWAYS_AFTER, DAY_MS, Span
from efficiency.valuation.localtime import day_of, period_span
from metering.figures import Period
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from store.client import Store
from store.schema import BALANCE, EDGE, EFFICIENCY, USAGE

_KEPT_MS = 2 * DAY_MS


class Rollups:
    """Figures of one park that wait to be computed again."""

    def __init__(self, store: Store, park: str, usage: UsageStore, writer: ParkWriter, aside: SetAside) -> None:
        self._usage = usage
        self._aside = aside
        self._writer = writer
        self._points = PointStore(store, park, writer)
        self.baselines = BaselineDays(usage, self._points)
        self._figures = FigureMaker(usage, self._points, self.baselines)
        self._days: dict[str, set[date]] = {}
        self._months: dict[str, set[date]] = {}
        self._years: dict[str, set[int]] = {}
        self._balances: dict[str, set[date]] = {}
        self._balance_months: dict[str, set[date]] = {}
        self._edges: dict[Utility, set[date]] = {}
        self._near: dict[str, Laid] = {}
        """Stretches that were just computed of all that a tenant has: of the month around one only the rest is read."""

    def mark(self, park: Park, meter_id: str, tenant: str | None, days: Iterable[int]) -> None:
        """A meter's usage has changed on these local days (since 1970), on which a tenant has it, or had it before."""
        dates = {day_of(int(day)) for day in days}
        self.baselines.mark_meter(meter_id, dates)
        if tenant is not None:
            self.mark_tenant(tenant, dates)
        for main in {meter_id, *(belonging.parent for belonging in park.meter[meter_id].belongs)}:
            if main is not None and is_main(park.meter[main]):
                self._balances.setdefault(main, set()).update(dates)
                self._balance_months.setdefault(main, set()).update(day.replace(day=1) for day in dates)
        self._edges.setdefault(park.meter[meter_id].utility, set()).update(dates)

    def mark_tenant(self, tenant: str, dates: Collection[date]) -> None:
        """Something that a tenant's figures are made of has changed on these days."""
        self._days.setdefault(tenant, set()).update(dates)
        self._months.setdefault(tenant, set()).update(day.replace(day=1) for day in dates)
        self._years.setdefault(tenant, set()).update(day.year for day in dates)

    async def take(self, changed: Changes, park: Park, first: Mapping[str, int], now_ms: int) -> None:
        """Mark what a changed park file or file of baselines changes; `first`: instants of meters' first readings."""
        today = local_day(park, now_ms)
        for tenant, since in changed.tenants.items():
            firsts = [first[meter.id] for meter in points_of(park, tenant) if meter.id in first]
            firsts += await self._points.oldest(USAGE, {"park": park.id, "tenant": tenant})  # what it had before
            if firsts and since <= now_ms:
                self.mark_tenant(tenant, days_between(local_day(park, max(since, min(firsts))), today))
        for main, since in changed.mains.items():
            if main in first and since <= now_ms:
                days = days_between(local_day(park, max(since, first[main])), today)
                self._balances.setdefault(main, set()).update(days)
                self._balance_months.setdefault(main, set()).update(day.replace(day=1) for day in days)
                self._edges.setdefault(park.meter[main].utility, set()).update(days)
        if changed.lost_mains:
            for utility in {*Utility} - {*edges(park)}:
                await self.forget({"park": park.id, "utility": utility.value, "main": EDGE}, None)
        await self._take_baselines(changed, park, first, today)

    async def _take_baselines(self, changed: Changes, park: Park, first: Mapping[str, int], today: date) -> None:
        for name, gone in changed.gone.items():
            await self.baselines.forget(park, name, gone)
        for name, day in changed.baselines.items():
            frozen = self.baselines.frozen.get(name)
            if frozen is not None:
                firsts = [first[meter] for meter in frozen.meters if meter in first]
                begin = max(day, local_day(park, min(firsts))) if firsts else today
                self.baselines.mark(name, days_between(begin, today))
            for owner in changed.gone.get(name, ()):
                if owner in park.tenant:
                    self.mark_tenant(owner, days_between(day, today))

    async def forget(self, tags: Mapping[str, str], tenant: str | None) -> None:
        """Take away all figures of a tenant, or all balances of a main meter, that is no more."""
        await self._points.delete(EFFICIENCY if tenant is not None else BALANCE, tags, tenant)

    def mark_months(self, park: Park, firsts: Mapping[str, int], since_ms: int, now_ms: int) -> None:
        """The months from the one that holds an instant to the present one may not have been computed.

        `firsts`: instants of meters' first readings.
        """
        first, last = (local_day(park, ms) for ms in (since_ms, now_ms))
        days = days_between(first, last)
        months = {day.replace(day=1) for day in days}
        for tenant in park.tenants:
            self._months.setdefault(tenant.id, set()).update(months)
            self._years.setdefault(tenant.id, set()).update(day.year for day in months)
        for meter in park.meters:
            if is_main(meter):
                self._balance_months.setdefault(meter.id, set()).update(months)
        for utility in Utility:
            read = [firsts[meter.id] for meter in park.meters if meter.utility is utility and meter.id in firsts]
            if read:
                begin = max(first.replace(day=1), local_day(park, min(read)))
                self._edges.setdefault(utility, set()).update(days_between(begin, last))

    def oldest_month(self, park: Park) -> int:
        """Start of the oldest month that waits, ms; the end of time where none does."""
        marked = (*self._months.values(), *self._balance_months.values(), *self._edges.values())
        waiting = [day.replace(day=1) for days in marked for day in days]
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
            wanted = Due(days.get(tenant, set()), due.get(tenant, set()), now_ms)
            with self._aside.guard(f"{TENANT}{tenant}", now_ms):
                tenants.extend(await self._figures.of_tenant(park, tenant, wanted, near=near.get(tenant)))

        async def of_main(main: str) -> None:
            with self._aside.guard(f"{MAIN}{main}", now_ms):
                mains.append(await self._figures.of_main(park, main, balances[main], now_ms))

        # What is set aside is marked anew when it is tried again.
        waiting = self._aside.waiting(now_ms)
        found = [tenant for tenant in {**days, **due} if tenant in park.tenant and f"{TENANT}{tenant}" not in waiting]
        computable = [main for main in balances if main in park.meter and f"{MAIN}{main}" not in waiting]
        works = [partial(of_tenant, tenant) for tenant in found]
        await in_turn([*works, *(partial(of_main, main) for main in computable)])
        await self._points.replace_all(tenants, "tenant")
        await self._points.replace_all(mains, "main")
        if months:
            await self._writer.flush()
            await self._write_longer(park, now_ms)

    async def _write_longer(self, park: Park, now_ms: int) -> None:
        """Compute and write what follows from stored days and months: years, balances of periods, the park itself."""
        years, self._years = self._years, {}
        found = [
            await self._figures.years_of_tenant(park, tenant, marked, now_ms)
            for tenant, marked in years.items()
            if tenant in park.tenant
        ]
        await self._points.replace_all(found, "tenant")
        marked_edges, self._edges = self._edges, {}
        days = {utility: marked for utility, marked in marked_edges.items() if utility in edges(park)}
        await self._points.replace_all(
            [await self._figures.of_edge(park, utility, marked, now_ms) for utility, marked in days.items()], "main"
        )
        of_park = {day for utility in park_utilities(park) for day in marked_edges.get(utility, ())}
        await self._points.replace_all(await self._figures.of_park(park, of_park, now_ms), "park")
        await self._writer.flush()
        balances, self._balance_months = self._balance_months, {}
        longer = [
            series
            for main, months in balances.items()
            if main in park.meter
            for series in await self._figures.balances(park, park.meter[main].utility, main, months, now_ms)
        ]
        for utility, marked in days.items():
            months = {day.replace(day=1) for day in marked}
            longer += await self._figures.balances(park, utility, EDGE, months, now_ms)
        await self._points.replace_all(longer, "main")

    async def write_tenants(self, park: Park, held: Held, now_ms: int) -> None:
        """Compute and write what is marked of tenants all of whose meters are at hand, where they are."""
        fields: list[SeriesPoints] = []
        for tenant in [tenant for tenant in self._days if tenant in park.tenant]:
            laid = at_hand(held, _ids(park, tenant, held))
            if laid is not None:
                days = _taken(self._days[tenant], laid.span, park, Period.DAY, now_ms)
                months = _taken(self._months.get(tenant, set()), laid.span, park, Period.MONTH, now_ms)
                with self._aside.guard(f"{TENANT}{tenant}", now_ms):
                    fields += await self._figures.of_tenant(park, tenant, Due(days, months, now_ms), laid)
                if laid.span.end - laid.span.start <= _KEPT_MS:
                    self._near[tenant] = laid
        await self._points.replace_all(fields, "tenant")

    async def write_mains(self, park: Park, held: Held, now_ms: int) -> None:
        """Compute and write what is marked of main meters all of whose meters are at hand, where they are."""
        fields: list[SeriesPoints] = []
        for main in [main for main in self._balances if main in held]:
            laid = at_hand(held, balanced(park, main, held[main][0]))
            if laid is not None:
                days = _taken(self._balances[main], laid.span, park, Period.DAY, now_ms)
                with self._aside.guard(f"{MAIN}{main}", now_ms):
                    fields.append(await self._figures.of_main(park, main, days, now_ms, laid))
        await self._points.replace_all(fields, "main")


def is_main(meter: Meter) -> bool:
    """Whether a meter bounds a balance, or once did."""
    return any(belonging.role is Role.MAIN for belonging in meter.belongs)


def points_of(park: Park, tenant: str) -> list[Meter]:
    """The meters that a tenant has, or ever had."""
    return [tenure.meter for tenure in park.points_of_tenant(tenant)]


def _taken(marked: set[date], span: Span, park: Park, period: Period, now_ms: int) -> set[date]:
    """Take those out of `marked` whose past part lies in a span."""
    taken = set()
    for day in marked:
        whole = past(period_span(park, period, day), now_ms)
        if span.start <= whole.start and whole.end <= span.end:
            taken.add(day)
    marked -= taken
    return taken


def _ids(park: Park, tenant: str, held: Held) -> list[str]:
    """The meters that a tenant's figures need over the time that is held."""
    spans = [span for span, _ in held.values()]
    if not spans:
        return []
    whole = Span(min(span.start for span in spans), max(span.end for span in spans))
    return [meter.id for meter in meters_of(park, tenant, whole)]

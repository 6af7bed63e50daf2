"""Keeps `efficiency` and `balance` true to the stored usage: what is marked is computed again, month by month."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import groupby

import numpy as np

from efficiency.balance import taps
from efficiency.intervals import ALWAYS_AFTER, QUARTER_MS, Span
from efficiency.inturn import in_turn
from efficiency.localtime import day_of, slots
from efficiency.measured import Held, Laid, at_hand, measured
from efficiency.parkwriter import ParkWriter
from efficiency.rollup import Fields, balance_fields, meters_of, period_span, tenant_fields
from efficiency.usagestore import UsageStore
from metering.errors import OperatorError
from metering.figures import Period
from metering.meters import Role
from metering.park import Park
from store.client import RejectedError, Store
from store.lines import point, series
from store.schema import BALANCE, EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE, tenant_database

_FEW_DAYS = 3
"""So many days are read one by one, more of them with their whole month."""


@dataclass(frozen=True, slots=True)
class _Figures:
    """Points of one series of figures, by instant; `tenant` has them in its own database, too."""

    measurement: str
    tags: dict[str, str]
    tenant: str | None
    points: dict[int, Fields]

    def valued(self) -> "_Figures":
        """Without points of which nothing is known."""
        known = {ms: fields for ms, fields in self.points.items() if fields}
        return _Figures(self.measurement, self.tags, self.tenant, known)


class Rollups:
    """Figures of one park that wait to be computed again."""

    def __init__(self, store: Store, park: str, usage: UsageStore, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._usage = usage
        self._writer = writer
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

    def mark_months(self, park: Park, since_ms: int, now_ms: int) -> None:
        """The months from the one that holds an instant to the present one may not have been computed."""
        first, last = (_local_day(park, ms) for ms in (since_ms, now_ms))
        for tenant in park.tenants:
            self._months.setdefault(tenant.id, set()).update(day.replace(day=1) for day in days_between(first, last))

    def oldest_month(self, park: Park) -> int:
        """Start of the oldest month that waits, ms; the end of time where none does."""
        waiting = [day for months in self._months.values() for day in months]
        return period_span(park, Period.MONTH, min(waiting)).start if waiting else ALWAYS_AFTER

    async def write(self, park: Park, now_ms: int, *, months: bool) -> None:
        """Compute and write what is marked, of what is in the store; `months` too, which read much."""
        days, self._days = self._days, {}
        due: dict[str, set[date]] = {}
        if months:
            due, self._months = self._months, {}
        balances, self._balances = self._balances, {}
        fields: list[_Figures] = []

        async def of_tenant(tenant: str) -> None:
            fields.extend(await self._tenant(park, tenant, days.get(tenant, set()), due.get(tenant, set()), now_ms))

        async def of_main(main: str) -> None:
            fields.append(await self._balance(park, main, balances[main], now_ms))

        works = [partial(of_tenant, tenant) for tenant in {**days, **due} if tenant in park.tenant]
        await in_turn([*works, *(partial(of_main, main) for main in balances if main in park.meter)])
        await self._replace(EFFICIENCY, "tenant", fields)
        await self._replace(BALANCE, "main", fields)

    async def write_tenants(self, park: Park, held: Held, now_ms: int) -> None:
        """Compute and write what is marked of tenants all of whose meters are at hand, where they are."""
        fields: list[_Figures] = []
        for tenant in [tenant for tenant in self._days if tenant in park.tenant]:
            laid = at_hand(held, [meter.id for meter in meters_of(park, tenant)])
            if laid is not None:
                days = _taken(self._days[tenant], laid.span, park, Period.DAY, now_ms)
                months = _taken(self._months.get(tenant, set()), laid.span, park, Period.MONTH, now_ms)
                fields += await self._tenant(park, tenant, days, months, now_ms, laid)
        await self._replace(EFFICIENCY, "tenant", fields)

    async def write_mains(self, park: Park, held: Held, now_ms: int) -> None:
        """Compute and write what is marked of main meters all of whose meters are at hand, where they are."""
        fields: list[_Figures] = []
        for main in [main for main in self._balances if main in held]:
            laid = at_hand(held, _balanced(park, main))
            if laid is not None:
                days = _taken(self._balances[main], laid.span, park, Period.DAY, now_ms)
                fields.append(await self._balance(park, main, days, now_ms, laid))
        await self._replace(BALANCE, "main", fields)

    async def _tenant(
        self, park: Park, tenant: str, days: set[date], due: set[date], now_ms: int, held: Laid | None = None
    ) -> list[_Figures]:
        ids = [meter.id for meter in meters_of(park, tenant)]
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}}
        for first in sorted({day.replace(day=1) for day in days} | due):
            of_month = sorted(day for day in days if day.replace(day=1) == first)
            month = period_span(park, Period.MONTH, first)
            loaded = held
            if held is None and (first in due or len(of_month) > _FEW_DAYS):
                loaded = await self._load(ids, _past(month, now_ms))
            for day in of_month:
                span = _past(period_span(park, Period.DAY, day), now_ms)
                laid = loaded or await self._load(ids, span)
                points[Period.DAY][span.start] = tenant_fields(park, park.tenant[tenant], laid.cut(span), Period.DAY)
            if loaded is not None and first in due:
                whole = loaded.cut(_past(month, now_ms))
                points[Period.MONTH][month.start] = tenant_fields(park, park.tenant[tenant], whole, Period.MONTH)
        return [
            _Figures(EFFICIENCY, {"park": park.id, "tenant": tenant, "period": period.value}, tenant, found)
            for period, found in points.items()
        ]

    async def _balance(self, park: Park, main: str, days: set[date], now_ms: int, held: Laid | None = None) -> _Figures:
        points: dict[int, Fields] = {}
        for _, of_month in groupby(sorted(days), key=lambda day: day.replace(day=1)):
            spans = [_past(period_span(park, Period.DAY, day), now_ms) for day in of_month]
            laid = held or await self._load(_balanced(park, main), Span(spans[0].start, spans[-1].end))
            for span in spans:
                if span.start < span.end:
                    points[span.start] = balance_fields(park, park.meter[main], laid.cut(span))
        tags = {"park": park.id, "utility": park.meter[main].utility.value, "main": main}
        return _Figures(BALANCE, tags, None, points)

    async def _load(self, ids: Sequence[str], span: Span) -> Laid:
        if not ids or span.start >= span.end:
            return Laid(span, {})
        stored = await self._usage.stored(ids, span)
        return Laid(span, {meter: measured(stored[meter], span) for meter in ids})

    async def _replace(self, measurement: str, owner: str, all_figures: Sequence[_Figures]) -> None:
        """Write points of a measurement that differ; one that loses a field is deleted first.

        `owner` is the tag that tells whose figures they are.
        """
        figures = [one.valued() for one in all_figures if one.measurement == measurement]
        instants = [ms for one in figures for ms in one.points]
        if not instants:
            return
        names = "|".join(sorted({one.tags[owner] for one in figures}))
        rows = await self._store.query(
            f'SELECT * FROM "{measurement}" WHERE "park" = \'{self._park}\' AND "{owner}" =~ /^({names})$/ '
            f"AND time >= {min(instants) * NS_PER_MS} AND time <= {max(instants) * NS_PER_MS}",
            OPERATOR_DATABASE,
        )
        stored: dict[tuple[str, ...], dict[int, Fields]] = {}
        for row in rows:
            tags = figures[0].tags
            key = tuple(row[name] for name in tags)
            stored.setdefault(key, {})[row["time"] // NS_PER_MS] = _fields(row, tags)
        for one in figures:
            await self._replace_one(one, stored.get(tuple(one.tags.values()), {}))

    async def _replace_one(self, figures: _Figures, before: Mapping[int, Fields]) -> None:
        changed = {ms: fields for ms, fields in figures.points.items() if before.get(ms) != fields}
        where = " AND ".join(f"\"{key}\" = '{value}'" for key, value in figures.tags.items())
        tenant = figures.tenant
        for ms, fields in changed.items():
            if before.get(ms, {}).keys() - fields.keys():
                await self._writer.flush()
                statement = f'DELETE FROM "{figures.measurement}" WHERE {where} AND time = {ms * NS_PER_MS}'
                for database in (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else [])):
                    await self._delete(statement, database)
        prefix = series(figures.measurement, figures.tags)
        lines = [point(prefix, fields, ms * NS_PER_MS) for ms, fields in changed.items()]
        if lines:
            await self._writer.add(lines, tenant)

    async def _delete(self, statement: str, database: str) -> None:
        """Delete where the database does; where not (3.x), an old value stays beside its completeness."""
        try:
            await self._store.query(statement, database)
        except (RejectedError, OperatorError):
            return


def _past(span: Span, now_ms: int) -> Span:
    """The part of a period whose quarter hours have ended."""
    return Span(span.start, max(span.start, min(span.end, now_ms // QUARTER_MS * QUARTER_MS)))


def _taken(marked: set[date], span: Span, park: Park, period: Period, now_ms: int) -> set[date]:
    """Take those out of `marked` whose past part lies in a span."""
    taken = set()
    for day in marked:
        past = _past(period_span(park, period, day), now_ms)
        if span.start <= past.start and past.end <= span.end:
            taken.add(day)
    marked -= taken
    return taken


def _balanced(park: Park, main: str) -> list[str]:
    """The meters of a balance."""
    return sorted({main, *(tap.meter.id for tap in taps(park, main))})


def _fields(row: Mapping[str, object], tags: Mapping[str, str]) -> Fields:
    return {
        name: float(value)
        for name, value in row.items()
        if name not in tags and name != "time" and isinstance(value, int | float)
    }


def _local_day(park: Park, ms: int) -> date:
    return day_of(int(slots(np.array([ms]), park.zone).day[0]))


def days_between(first: date, last: date) -> set[date]:
    """Every day from `first` to `last`."""
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}

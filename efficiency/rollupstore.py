"""Keeps `efficiency` and `balance` true to the stored usage: what is marked is computed again, month by month."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import partial

import numpy as np

from efficiency.balance import taps
from efficiency.intervals import ALWAYS_AFTER, QUARTER_MS, Span
from efficiency.inturn import in_turn
from efficiency.localtime import day_of, slots
from efficiency.parkwriter import ParkWriter
from efficiency.rollup import Fields, Measured, balance_fields, measured, meters_of, period_span, tenant_fields
from efficiency.usagepoints import Stored
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
        """Compute and write what is marked; `months` too, which read much. All usage must be in the store."""
        due = {**self._days, **(self._months if months else {})}
        works = [
            partial(
                self._tenant,
                park,
                tenant,
                self._days.pop(tenant, set()),
                self._months.pop(tenant, set()) if months else set(),
                now_ms,
                {},
            )
            for tenant in due
            if tenant in park.tenant
        ]
        mains = [partial(self._balance, park, main, now_ms) for main in self._balances if main in park.meter]
        await in_turn([*works, *mains])

    async def write_held(self, park: Park, tenant: str, span: Span, held: Mapping[str, Stored], now_ms: int) -> None:
        """Compute and write what is marked of a tenant and lies in a span, of what is at hand of its meters.

        `held` is what the store holds of them in that span, or will hold; nothing is done where a meter is missing.
        """
        if held.keys() >= {meter.id for meter in meters_of(park, tenant)}:
            days = {day for day in self._days.get(tenant, ()) if _holds(span, park, Period.DAY, day, now_ms)}
            months = {day for day in self._months.get(tenant, ()) if _holds(span, park, Period.MONTH, day, now_ms)}
            self._days.get(tenant, set()).difference_update(days)
            self._months.get(tenant, set()).difference_update(months)
            await self._tenant(park, tenant, days, months, now_ms, held)

    async def _tenant(
        self,
        park: Park,
        tenant: str,
        days: set[date],
        due: set[date],
        now_ms: int,
        held: Mapping[str, Stored],
    ) -> None:
        ids = [meter.id for meter in meters_of(park, tenant)]
        points: dict[Period, dict[int, Fields]] = {Period.DAY: {}, Period.MONTH: {}}
        for first in sorted({day.replace(day=1) for day in days} | due):
            of_month = sorted(day for day in days if day.replace(day=1) == first)
            month = period_span(park, Period.MONTH, first)
            loaded = None
            if first in due or len(of_month) > _FEW_DAYS:
                loaded = await self._load(ids, _past(month, now_ms), held)
            for day in of_month:
                span = _past(period_span(park, Period.DAY, day), now_ms)
                by_meter = _cut(loaded, month, span) if loaded is not None else await self._load(ids, span, held)
                points[Period.DAY][span.start] = tenant_fields(park, park.tenant[tenant], by_meter, Period.DAY)
            if loaded is not None and first in due:
                points[Period.MONTH][month.start] = tenant_fields(park, park.tenant[tenant], loaded, Period.MONTH)
        for period, found in points.items():
            tags = {"park": park.id, "tenant": tenant, "period": period.value}
            await self._replace(EFFICIENCY, tags, found, tenant)

    async def _balance(self, park: Park, main: str, now_ms: int) -> None:
        days = self._balances.pop(main)
        ids = sorted({main, *(tap.meter.id for tap in taps(park, main))})
        points: dict[int, Fields] = {}
        for first in sorted({day.replace(day=1) for day in days}):
            of_month = sorted(day for day in days if day.replace(day=1) == first)
            begin, end = (period_span(park, Period.DAY, day) for day in (of_month[0], of_month[-1]))
            whole = Span(begin.start, end.end)
            loaded = await self._load(ids, _past(whole, now_ms), {})
            for day in of_month:
                span = _past(period_span(park, Period.DAY, day), now_ms)
                if span.start < span.end:
                    points[span.start] = balance_fields(park, park.meter[main], _cut(loaded, whole, span))
        tags = {"park": park.id, "utility": park.meter[main].utility.value, "main": main}
        await self._replace(BALANCE, tags, points, None)

    async def _load(self, ids: Collection[str], span: Span, held: Mapping[str, Stored]) -> dict[str, Measured]:
        if not ids or span.start >= span.end:
            return {}
        stored = held or await self._usage.stored(ids, span)
        return {meter: measured(stored[meter], span) for meter in ids}

    async def _replace(
        self, measurement: str, tags: Mapping[str, str], points: Mapping[int, Fields], tenant: str | None
    ) -> None:
        """Write points that differ; one that loses a field is deleted first."""
        points = {ms: fields for ms, fields in points.items() if fields}
        if not points:
            return
        where = " AND ".join(f"\"{key}\" = '{value}'" for key, value in tags.items())
        rows = await self._store.query(
            f'SELECT * FROM "{measurement}" WHERE {where} AND time >= {min(points) * NS_PER_MS} '
            f"AND time <= {max(points) * NS_PER_MS}",
            OPERATOR_DATABASE,
        )
        before = {row["time"] // NS_PER_MS: _fields(row, tags) for row in rows}
        changed = {ms: fields for ms, fields in points.items() if before.get(ms) != fields}
        for ms, fields in changed.items():
            if before.get(ms, {}).keys() - fields.keys():
                await self._writer.flush()
                statement = f'DELETE FROM "{measurement}" WHERE {where} AND time = {ms * NS_PER_MS}'
                for database in (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else [])):
                    await self._delete(statement, database)
        prefix = series(measurement, tags)
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


def _holds(span: Span, park: Park, period: Period, day: date, now_ms: int) -> bool:
    """Whether the past part of a period lies in a span."""
    past = _past(period_span(park, period, day), now_ms)
    return span.start <= past.start and past.end <= span.end


def _cut(loaded: Mapping[str, Measured], month: Span, span: Span) -> dict[str, Measured]:
    part = slice((span.start - month.start) // QUARTER_MS, (span.end - month.start) // QUARTER_MS)
    return {meter: one.cut(part) for meter, one in loaded.items()} if span.start < span.end else {}


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

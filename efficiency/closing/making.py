"""Makes a month's statements from what is stored now, with obstacles and with corrections of earlier months.

Nothing is written here. Earlier months are made again with the present park file: any difference is a correction.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from efficiency.closing.account import UtilityAccount, account_of, flows_of
from efficiency.closing.allocation import Sharing
from efficiency.closing.billing import Billing
from efficiency.closing.correction import corrections, differing
from efficiency.closing.file import ClosedMonth, Restated, stated
from efficiency.closing.monthuse import MonthUse, month_span, points_of_month
from efficiency.closing.obstacle import Obstacle, faults_of
from efficiency.closing.registers import StretchReader
from efficiency.closing.statement import Correction, Statement
from efficiency.service.aside import SetAside
from efficiency.service.basis import parts_of
from efficiency.service.basisstore import load_basis
from efficiency.service.progress import Progress
from efficiency.stored.meteruse import MeterUse
from efficiency.stored.readings import RegisterReader
from efficiency.stored.usagestore import UsageStore
from efficiency.stored.writer import ParkWriter
from metering.instants import local_time
from metering.park import Park
from metering.words import text
from store.client import Store

Done = Callable[[int, int], None]
"""Called with how many of how many metering points are read."""


@dataclass(frozen=True, slots=True)
class MadeMonth:
    """The statements of a month, the flows at the park's edge, and what prevents closing it."""

    statements: tuple[Statement, ...]
    flows: tuple[UtilityAccount, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class NotYetStated:
    """Corrections of a closed month that are not stated yet, by tenant, and new obstacles to them."""

    corrections: Mapping[str, tuple[Correction, ...]]
    obstacles: tuple[Obstacle, ...] = ()


def made(month: MonthUse) -> MadeMonth:
    """Charge every tenant for a month, and allocate losses and common use. Pure."""
    billing = Billing(month)
    statements = [each for each in map(billing.statement, month.park.tenants) if each is not None]
    flows = flows_of(month, statements, billing)
    shares = Sharing(month, statements, billing).charges(flows)
    points = points_of_month(month.park, month.span)
    faults = [fault for point in points for fault in faults_of(month, month.passed(point))]
    return MadeMonth(
        tuple(each.with_more(shares.get(each.tenant, ())) for each in statements),
        flows,
        (*faults, *billing.obstacles),
    )


class MonthMaker:
    """Makes months of one park as of `now_ms`; `done` is called as points are read."""

    def __init__(self, store: Store, park: Park, now_ms: int, done: Done = lambda _done, _of: None) -> None:
        self._store = store
        self._park = park
        self._now_ms = now_ms
        self._done = done
        self._usage = UsageStore(store, park.id, ParkWriter(store, park.id))
        self._reader = RegisterReader(store, park.id)

    async def draft(self, first: date, closed: Sequence[ClosedMonth]) -> ClosedMonth:
        """The month as it would be closed now, following those that are closed."""
        found = made(await self.month(first, registers=True))
        restated, owed = [], dict[str, list[Correction]]()
        obstacles = [*[each async for each in self._unready(first)], *found.obstacles]
        for earlier in (each for each in closed if each.month < first):
            before = stated(closed, earlier.month)
            again = await self._again(earlier.month, before)
            if not again.statements:
                continue
            restated.append(Restated(month=earlier.month, statements=again.statements))
            obstacles += [each.of(earlier.month) for each in again.obstacles if each not in earlier.obstacles]
            for each in again.statements:
                old = before.get(each.tenant, Statement(tenant=each.tenant))
                owed.setdefault(each.tenant, []).extend(corrections(earlier.month, old, each))
        by_tenant = {each.tenant: each for each in found.statements}
        statements = [
            by_tenant.get(tenant, Statement(tenant=tenant)).with_more(corrections=owed.get(tenant, ()))
            for tenant in dict.fromkeys([*self._park.tenant, *owed])
            if tenant in by_tenant or tenant in owed
        ]
        return ClosedMonth(
            park=self._park.id,
            month=first,
            closed_at=local_time(self._now_ms, self._park.zone).replace(microsecond=0),
            obstacles=tuple(obstacles),
            statements=tuple(statements),
            account=account_of(found.flows, statements),
            restated=tuple(restated),
        )

    async def waiting(self, month: date, closed: Sequence[ClosedMonth]) -> NotYetStated:
        """The corrections of a closed month if the next one were closed now."""
        before = stated(closed, month)
        known = next(each.obstacles for each in closed if each.month == month)
        again = await self._again(month, before)
        owed = {
            each.tenant: corrections(month, before.get(each.tenant, Statement(tenant=each.tenant)), each)
            for each in again.statements
        }
        return NotYetStated(owed, tuple(each for each in again.obstacles if each not in known))

    async def _again(self, first: date, before: Mapping[str, Statement]) -> MadeMonth:
        """An earlier month, with only the statements that have changed; registers are read only for those."""
        found = made(await self.month(first))
        if any(differing(before, found.statements)):
            found = made(await self.month(first, registers=True))
        return replace(found, statements=tuple(differing(before, found.statements)))

    async def month(self, first: date, *, registers: bool = False) -> MonthUse:
        """What is stored of a month; with `registers`, also those at both ends of each point's time."""
        span = month_span(self._park, first)
        points = points_of_month(self._park, span)
        usage = await self._usage.stored({point.meter.id for point in points}, span)
        stretches = {}
        if registers:
            await self._reader.find_first([point.meter for point in points])
            reader = StretchReader(self._park, MeterUse(self._reader, self._now_ms, self._park.zone))
            for number, point in enumerate(points, 1):
                stretches[point.meter.id, point.span] = await reader.of(point)
                self._done(number, len(points))
        return MonthUse(self._park, first, usage, stretches)

    async def _unready(self, first: date) -> AsyncIterator[Obstacle]:
        """What the usage service still has to do for a month."""
        end = month_span(self._park, first).end
        cursor = await Progress(self._store, self._park.id).load()
        if cursor is None or min(cursor.computed, cursor.figures) < end:
            said = text(
                "the usage service has not computed the month to its end", "dịch vụ tính toán chưa tính hết tháng"
            )
            yield Obstacle(subject=self._park.id, text=said)
        basis, parts = await load_basis(self._store, self._park.id) or {}, parts_of(self._park, {})
        for part in sorted(part for part, content in parts.items() if basis.get(part) != content):
            said = text("not computed yet by the newest park file", "chưa tính lại theo tệp cấu hình mới nhất")
            yield Obstacle(subject=part.lstrip("."), text=said)
        aside = SetAside(self._store, self._park.id)
        await aside.load()
        for thing in aside.things:
            said = text("set aside by the usage service, see its log", "dịch vụ tính toán đang tạm gác, xem nhật ký")
            yield Obstacle(subject=thing.lstrip("."), text=said)

"""F24: allocates losses and common use to tenants, by the keys that the park file gives for the month.

The amount is what it cost the park (F23). It is shared, to the last dong, among the tenants who use the utility or whom
the key names. By area, by contract demand or in equal parts, a tenant counts for the days on which it was there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from efficiency.closing.account import EdgeFlow, UtilityAccount
from efficiency.closing.amounts import billed, shared, total
from efficiency.closing.billing import Billing
from efficiency.closing.monthuse import MonthUse, points_of_park
from efficiency.closing.statement import Allotted, Charge, ChargeKind, PointUse, Statement
from efficiency.stored.days import days_between
from efficiency.valuation.valued import REASON_TEXT, ValueReason
from metering.dated import at, value_on
from metering.months import next_month
from metering.park import Tenant
from metering.tariffs import AllocationKey, CostShare
from metering.words import text

UNIT = {AllocationKey.AREA: "m²", AllocationKey.CONTRACT_DEMAND: "kW", AllocationKey.EQUAL: "1"}
"""Unit of the weights; for use, it is the unit of the utility."""
_MISSING = {
    AllocationKey.AREA: REASON_TEXT[ValueReason.NO_FLOOR_AREA],
    AllocationKey.CONTRACT_DEMAND: text("the contract demand is not given", "chưa khai báo công suất đăng ký"),
}
_NOBODY = text(
    "no tenant has a weight by the key of allocation", "không doanh nghiệp nào có số liệu theo tiêu thức phân bổ"
)


@dataclass(frozen=True, slots=True)
class _Cost:
    """An amount that tenants share."""

    kind: ChargeKind
    share: CostShare
    account: UtilityAccount
    amount_vnd: int
    source: str


class Sharing:
    """Allocates the costs of one month; obstacles are added to those of `billing`."""

    def __init__(self, month: MonthUse, statements: Sequence[Statement], billing: Billing) -> None:
        self._month = month
        self._statements = statements
        self._billing = billing

    def charges(self, accounts: Iterable[UtilityAccount]) -> dict[str, list[Charge]]:
        """The charges of each tenant."""
        found: dict[str, list[Charge]] = {}
        for cost in (cost for account in accounts for cost in self._costs(account)):
            for tenant, charge in self._shares(cost).items():
                found.setdefault(tenant, []).append(charge)
        return found

    def _costs(self, account: UtilityAccount) -> Iterator[_Cost]:
        entry, flow = at(self._month.park.allocation.get(account.utility, ()), self._month.first), account.flow
        if entry is None or flow is None:
            return
        for kind, share in ((ChargeKind.LOSSES, entry.losses), (ChargeKind.COMMON, entry.common)):
            if share is not None:
                amount = flow.worth(flow.losses if kind is ChargeKind.LOSSES else self._common(flow, share))
                if amount is None:
                    self._billing.lacking(account.utility.value, REASON_TEXT[ValueReason.NO_PRICE])
                else:
                    yield _Cost(kind, share, account, amount, entry.source)

    def _common(self, flow: EdgeFlow, share: CostShare) -> float:
        """Common use: what the named meters measured while the park had them, or all of the park's own use."""
        if not share.meters:
            return flow.own
        points = (
            point for point in points_of_park(self._month.park, self._month.span) if point.meter.id in share.meters
        )
        return billed(sum(float(np.nansum(self._month.passed(point).hours.amount)) for point in points))

    def _shares(self, cost: _Cost) -> dict[str, Charge]:
        utility, last = cost.account.utility, next_month(self._month.first) - timedelta(days=1)
        weights = {tenant.id: self._weight(tenant, cost) for tenant in self._month.park.tenants}
        vat = at(self._month.park.tariffs.vat.get(utility, ()), last)
        every = total(weights.values())
        if vat is None or not every:
            self._billing.lacking(utility.value, REASON_TEXT[ValueReason.NO_VAT] if vat is None else _NOBODY)
            return {}
        return {
            tenant: Charge(
                kind=cost.kind,
                utility=utility,
                since=self._month.first,
                until=next_month(self._month.first),
                quantity=weights[tenant],
                unit=UNIT.get(cost.share.key, cost.account.unit),
                price=cost.amount_vnd / every,
                net_vnd=net,
                source=cost.source,
                vat=vat.value,
                vat_source=vat.source,
                share=Allotted(key=cost.share.key, weights=every, amount_vnd=cost.amount_vnd),
            )
            for tenant, net in shared(cost.amount_vnd, weights).items()
        }

    def _weight(self, tenant: Tenant, cost: _Cost) -> float:
        """A tenant's weight; zero if it does not use the utility, or is not named."""
        statement = next((each for each in self._statements if each.tenant == tenant.id), None)
        points = [each for each in statement.points if each.utility is cost.account.utility] if statement else []
        if not points or tenant.id not in (cost.share.tenants or self._month.park.tenant):
            return 0.0
        if cost.share.key is AllocationKey.USE:
            return total(each.quantity for each in points)
        entries = {AllocationKey.AREA: tenant.floor_area_m2, AllocationKey.CONTRACT_DEMAND: tenant.contract.demand_kw}
        last = next_month(self._month.first) - timedelta(days=1)
        days = sorted(days_between(self._month.first, last))
        there = [day for day in days if any(_holds(each, day) for each in points)]
        if cost.share.key is AllocationKey.EQUAL:
            return billed(len(there) / len(days))
        sizes = [value_on(entries[cost.share.key], day) for day in there]
        if None in sizes:
            self._billing.lacking(tenant.id, _MISSING[cost.share.key])
        return billed(sum(size or 0.0 for size in sizes) / len(days))


def _holds(point: PointUse, day: date) -> bool:
    """Whether the tenant had a point on any part of a day."""
    return point.since.date() <= day and (point.until - timedelta(milliseconds=1)).date() >= day

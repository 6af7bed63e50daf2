"""Which figures must be computed again: by subject, and by day, month and year.

A quarter hour enters figures once it is over. Until then each new reading changes it, so it is noted and marked only
when it has ended: figures are made four times an hour, and at once for readings that come late or are corrected.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from efficiency.stored.days import days_between
from efficiency.usage.intervals import ALWAYS_AFTER, QUARTER_MS
from efficiency.valuation.localtime import period_span
from metering.figures import Period
from metering.instants import local_day
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import Utility
from store.schema import EDGE


class Balance(NamedTuple):
    """The balance of a main meter, or of the edge of the park (`EDGE`), of one utility."""

    utility: Utility
    main: str


class OwnedUse(NamedTuple):
    """The use of a meter, and the tenant who has the meter; None for the park."""

    meter: str
    tenant: str | None


@dataclass(frozen=True, slots=True)
class MarkedDays:
    """Marked days of balances, by main meter, and of the park's own figures, by utility."""

    balances: Mapping[str, Collection[date]]
    edges: Mapping[Utility, Collection[date]]


@dataclass(slots=True)
class Pending:
    """Marked days, years, and months by their first day. `edges`: days of the park's own figures, by utility."""

    days: dict[str, set[date]] = field(default_factory=dict)
    months: dict[str, set[date]] = field(default_factory=dict)
    years: dict[str, set[int]] = field(default_factory=dict)
    balances: dict[str, set[date]] = field(default_factory=dict)
    edges: dict[Utility, set[date]] = field(default_factory=dict)
    balance_months: dict[Balance, set[date]] = field(default_factory=dict)
    park_months: set[date] = field(default_factory=set)
    _running: dict[int, set[OwnedUse]] = field(default_factory=dict)

    def use(self, park: Park, use: OwnedUse, dates: Collection[date]) -> None:
        """The use of a meter has changed on these days, while the tenant has, or had, the meter."""
        meter = park.meter[use.meter]
        if use.tenant is not None:
            self.tenant(use.tenant, dates)
        for main in {use.meter, *(belonging.parent for belonging in meter.belongs)}:
            if main is not None and is_main(park.meter[main]):
                self.main(park.meter[main], dates)
        self.edge(meter.utility, dates)

    def running(self, use: OwnedUse, start: int) -> None:
        """As `use`, for a quarter hour that is not over."""
        self._running.setdefault(start, set()).add(use)

    def ended(self, now_ms: int) -> dict[int, set[OwnedUse]]:
        """The quarter hours noted by `running` that have ended; each is returned once."""
        over = sorted(start for start in self._running if start + QUARTER_MS <= now_ms)
        return {start: self._running.pop(start) for start in over}

    def take_days(self) -> MarkedDays:
        """Take the marked days of balances and of the park's own figures; they are marked no more."""
        taken = MarkedDays(self.balances, self.edges)
        self.balances, self.edges = {}, {}
        return taken

    def tenant(self, tenant: str, dates: Collection[date]) -> None:
        """An input of a tenant's figures has changed on these days."""
        self.days.setdefault(tenant, set()).update(dates)
        self.months_of(tenant, dates)

    def months_of(self, tenant: str, dates: Collection[date]) -> None:
        """An input of a tenant's figures has changed for the months and years of these days."""
        self.months.setdefault(tenant, set()).update(day.replace(day=1) for day in dates)
        self.years.setdefault(tenant, set()).update(day.year for day in dates)

    def main(self, main: Meter, dates: Collection[date]) -> None:
        """An input of a main meter's balance has changed on these days."""
        self.balances.setdefault(main.id, set()).update(dates)
        self._balance_months(Balance(main.utility, main.id), dates)

    def edge(self, utility: Utility, dates: Collection[date]) -> None:
        """Some use of a utility has changed on these days."""
        self.edges.setdefault(utility, set()).update(dates)
        self._balance_months(Balance(utility, EDGE), dates)
        self.park_months.update(day.replace(day=1) for day in dates)

    def _balance_months(self, balance: Balance, dates: Iterable[date]) -> None:
        self.balance_months.setdefault(balance, set()).update(day.replace(day=1) for day in dates)

    def whole_months(self, park: Park, since_ms: int, now_ms: int) -> None:
        """Mark all months since an instant: they may not have been computed."""
        days = days_between(*(local_day(ms, park.zone) for ms in (since_ms, now_ms)))
        months = {day.replace(day=1) for day in days}
        for tenant in park.tenants:
            self.months_of(tenant.id, months)
        balances = [Balance(meter.utility, meter.id) for meter in park.meters if is_main(meter)]
        balances += [Balance(utility, EDGE) for utility in {meter.utility for meter in park.meters}]
        for balance in balances:
            self._balance_months(balance, months)
        self.park_months |= months

    def oldest_month(self, park: Park) -> int:
        """Start of the oldest waiting month, ms; `ALWAYS_AFTER` if none is waiting."""
        marked = (*self.months.values(), *self.balance_months.values(), self.park_months)
        waiting = [month for months in marked for month in months]
        return period_span(park, Period.MONTH, min(waiting)).start if waiting else ALWAYS_AFTER


def is_main(meter: Meter) -> bool:
    """Whether a meter bounds a balance, or once did."""
    return any(belonging.role is Role.MAIN for belonging in meter.belongs)

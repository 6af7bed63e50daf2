"""What a tenant's baselines expected over a report's period: sums over days that count, and the CUSUM at the end."""

from dataclasses import dataclass

from efficiency.baseline.model import enpi
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import where
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from store.client import Row, Store
from store.schema import BASELINE, OPERATOR_DATABASE


@dataclass(frozen=True, slots=True)
class BaselineSums:
    """One baseline; `meter` is None where it is of all that the tenant takes. `outside`: days with a driver beyond."""

    name: str
    meter: str | None
    utility: Utility
    versions: tuple[int, ...]
    expected: float
    actual: float
    saving: float
    cusum: float
    days: int
    outside: int

    @property
    def enpi(self) -> float | None:
        """F7 over the period."""
        return enpi(self.actual, self.expected)

    @property
    def unit(self) -> str:
        """Unit of the amounts."""
        return UTILITIES[self.utility].unit


async def baseline_sums(store: Store, park: Park, period: ReportPeriod, tenant: str) -> tuple[BaselineSums, ...]:
    """All baselines of a tenant and its meters that expected anything of the period, in order of their names."""
    rows = await store.query(
        f'SELECT "expected","actual","saving","cusum","out_of_range","version" FROM "{BASELINE}" '
        f'WHERE {where(park, period)} AND "tenant" = \'{tenant}\' GROUP BY "baseline","meter","utility"',
        OPERATOR_DATABASE,
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["baseline"], []).append(row)
    return tuple(_sums(name, days) for name, days in sorted(found.items()))


def _sums(name: str, days: list[Row]) -> BaselineSums:
    def total(field: str) -> float:
        return sum(float(day[field]) for day in days)

    return BaselineSums(
        name,
        days[0]["meter"] or None,
        Utility(days[0]["utility"]),
        tuple(sorted({round(day["version"]) for day in days})),
        total("expected"),
        total("actual"),
        total("saving"),
        float(max(days, key=lambda day: int(day["time"]))["cusum"]),
        len(days),
        round(total("out_of_range")),
    )

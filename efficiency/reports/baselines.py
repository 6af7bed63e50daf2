"""What a tenant's baselines expected over a report's period: sums over days that count, and the CUSUM at the end."""

from dataclasses import dataclass

from efficiency.baseline.days import LEVERS, own_figures
from efficiency.baseline.sources import OUTPUT, SHIFT_HOURS
from efficiency.baseline.weather import TEMPERATURE, base_of
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import Figures, owner, within
from efficiency.reports.words import TEXTS
from efficiency.stored.fields import Fields
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from metering.words import UTILITY, Language, inside
from store.answers import Row
from store.client import Store
from store.schema import BASELINE, NS_PER_MS, OPERATOR_DATABASE
from store.select import select

_FIELDS = (
    "expected",
    "actual",
    "saving",
    "cusum",
    "out_of_range",
    "version",
    "spread",
    "fitted",
    "adjustment",
    "adjustment_band",
    *LEVERS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSums:
    """The sums of one baseline; `meter` is None if the baseline covers all that the tenant uses.

    `outside`: days on which a driver was out of range. `adjusted`: the non-routine adjustments included in what was
    expected. `figures` are named like those of a tenant's own baseline, in `unit`.
    """

    name: str
    meter: str | None
    utility: Utility
    versions: tuple[int, ...]
    drivers: tuple[str, ...]
    adjusted: float
    figures: Figures
    actual: float
    days: int
    outside: int

    @property
    def unit(self) -> str:
        """Unit of the amounts."""
        return UTILITIES[self.utility].unit


def driver_text(name: str, park: Park, language: Language) -> str:
    """A driver's label."""
    base = base_of(name)
    if base is not None:
        return language.say(TEXTS[f"driver_{name[:3]}"]).format(base=language.exact(base))
    if name in {TEMPERATURE, SHIFT_HOURS}:
        return language.say(TEXTS[f"driver_{name}"])
    if name == OUTPUT or name in set(Utility):
        return language.say(inside(UTILITY[Utility.PRODUCTION if name == OUTPUT else Utility(name)]))
    return language.say(park.meter[name].name) if name in park.meter else name


async def baseline_sums(store: Store, park: Park, period: ReportPeriod, tenant: str) -> tuple[BaselineSums, ...]:
    """The baselines of a tenant and its meters that cover any day of the period, in order of their names."""
    condition = within(park, period, owner(tenant))
    rows = await store.query(
        select(BASELINE, (*_FIELDS, "drivers"), condition, ("baseline", "meter", "utility")), OPERATOR_DATABASE
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["baseline"], []).append(row)
    return tuple(_sums(name, days) for name, days in sorted(found.items()))


def _sums(name: str, days: list[Row]) -> BaselineSums:
    points = {int(row["time"]) // NS_PER_MS: _fields(row) for row in days}
    return BaselineSums(
        name=name,
        meter=days[0]["meter"] or None,
        utility=Utility(days[0]["utility"]),
        versions=tuple(sorted({round(day["version"]) for day in days})),
        drivers=tuple(dict.fromkeys(name for day in days for name in (day["drivers"] or "").split(",") if name)),
        adjusted=sum(float(day["adjustment"] or 0.0) for day in days),
        figures=own_figures(points, len(days), known=True),
        actual=sum(float(day["actual"]) for day in days),
        days=len(days),
        outside=round(sum(float(day["out_of_range"]) for day in days)),
    )


def _fields(row: Row) -> Fields:
    return {name: float(row[name]) for name in _FIELDS if row[name] is not None}

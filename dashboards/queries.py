"""How pages query the store: the rows for the choices at the head of a page, and the common statements.

Only InfluxQL that 1.6, 2.x and 3.x share. `PageScope` is what a page may and should show: the operator's pages filter
by park and tenant; a tenant's own page has its own database and no filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.influxql import InfluxQL
from metering.figures import Period
from metering.quantities import Utility, figure_of
from store.schema import BALANCE, EDGE, EFFICIENCY, METER_STATUS, USAGE

BILLING = "\"role\" = 'billing'"
"""A tenant's uppermost meter of a utility: may be added up over tenants without counting twice."""

SUBS = "\"role\" = 'sub'"
GENERATION = "\"role\" = 'generation'"
QUARTERS_PER_HOUR = 4


@dataclass(frozen=True, slots=True)
class PageScope:
    """Which choices filter the rows."""

    park: bool = True
    tenant: bool = True
    period: str = Period.DAY

    def where(self, *conditions: str) -> str:
        """`WHERE` with the choices, the conditions and the range of time."""
        own = (
            *(('"park" =~ /^$park$/',) if self.park else ()),
            *(('"tenant" =~ /^$tenant$/',) if self.tenant else ()),
        )
        return "WHERE " + " AND ".join((*own, *conditions, "$timeFilter"))


def group(*tags: str) -> str:
    """`GROUP BY` tags; nothing where there are none."""
    return " GROUP BY " + ", ".join(f'"{tag}"' for tag in tags) if tags else ""


def of(utility: Utility) -> str:
    """Condition on the utility."""
    return f"\"utility\" = '{utility.value}'"


LONG_MS = 3_600_000
NEWEST_ROWS = "ORDER BY time DESC LIMIT 200"
"""For tables of events: as many as anybody scrolls through."""

SHORT = f"$__interval_ms < {LONG_MS}"
LONG = f"$__interval_ms >= {LONG_MS}"
"""Which of two queries a panel uses: over a long range (eleven days and more) the stored days of tenants, else quarter
hours of meters. A constant condition that is false costs the database nothing."""

WHOLE_DAYS = "time < now() - 1d"
"""Excludes the running day, which would look like a drop: days are stamped at their start."""

_HOURS_A_DAY = 24


def _of_a_day(utility: Utility) -> str:
    """What a tenant took over its fence in a day."""
    return "grid_kwh" if utility is Utility.ELECTRICITY else figure_of(utility)


def _rate_of_a_day(utility: Utility) -> str:
    """The same per hour, added up over tenants."""
    if utility is Utility.ELECTRICITY:
        return 'sum("mean_demand_kw")'
    return f'sum("{figure_of(utility)}") / {_HOURS_A_DAY}'


def rates(scope: PageScope, utility: Utility, *tags: str, zone: str, alias: str | None = None) -> tuple[InfluxQL, ...]:
    """Mean of what tenants use per hour (kW, m³/h): of quarter hours, or over a long range of days."""
    named = alias or f"$tag_{tags[0]}"
    where = scope.where(LONG, f"\"period\" = '{Period.DAY}'", WHOLE_DAYS)
    tagged = "".join(f', "{tag}"' for tag in tags)
    by = f"GROUP BY time(1d){tagged} fill(none) tz('{zone}')"
    days = f'SELECT {_rate_of_a_day(utility)} FROM "{EFFICIENCY}" {where} {by}'
    return rate(scope, utility, *tags, also=(SHORT,), alias=named), InfluxQL(days, named, ref="B")


def totals(scope: PageScope, utility: Utility, alias: str) -> tuple[InfluxQL, ...]:
    """What tenants used over the whole range: of quarter hours, or over a long range of days."""
    where = scope.where(LONG, f"\"period\" = '{Period.DAY}'")
    days = f'SELECT sum("{_of_a_day(utility)}") AS "total" FROM "{EFFICIENCY}" {where}'
    return total(scope, "amount", utility=utility, also=(SHORT,), alias=alias), InfluxQL(days, alias, ref="B")


def of_usage_or_days(scope: PageScope, how: str, field: str, *conditions: str) -> tuple[InfluxQL, ...]:
    """A function of a field that quarter hours and days both have, over the whole range."""
    where = scope.where(LONG, f"\"period\" = '{Period.DAY}'")
    fine = f'SELECT {how}("{field}") FROM "{USAGE}" {scope.where(SHORT, *conditions)}'
    return InfluxQL(fine, field), InfluxQL(f'SELECT {how}("{field}") FROM "{EFFICIENCY}" {where}', field, ref="B")


def rate(
    scope: PageScope,
    utility: Utility,
    *tags: str,
    only: str = BILLING,
    also: tuple[str, ...] = (),
    alias: str | None = None,
) -> InfluxQL:
    """Mean of what is used per hour (kW, m³/h), from quarter hours of usage.

    Each meter's mean over the interval, added up over meters: the mean is over quarter hours that exist, so neither the
    first nor the last interval of a chart drops. A quarter hour that a band's edge splits counts as two; the edges of
    tariffs fall on quarter hours.
    """
    tagged = "".join(f', "{tag}"' for tag in tags)
    meters = tagged if "meter" in tags else f'{tagged}, "meter"'
    found = (
        f'SELECT mean("amount") * {QUARTERS_PER_HOUR} AS "rate" FROM "{USAGE}" '
        f"{scope.where(*also, of(utility), only)} GROUP BY time($__interval){meters}"
    )
    statement = f"{found} fill(null)"
    if meters != tagged:
        outer = f"GROUP BY time($__interval){tagged} fill(null)"
        statement = f'SELECT sum("rate") FROM ({found}) WHERE $timeFilter {outer}'
    return InfluxQL(statement, alias or (f"$tag_{tags[0]}" if tags else None))


def total(
    scope: PageScope,
    field: str,
    *tags: str,
    utility: Utility | None = None,
    only: str = BILLING,
    also: tuple[str, ...] = (),
    divide: float = 1,
    alias: str | None = None,
) -> InfluxQL:
    """Sum of a field of usage over the whole range."""
    conditions = (*also, *((of(utility),) if utility else ()), only)
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    statement = f'SELECT sum("{field}"){scaled} AS "total" FROM "{USAGE}" {scope.where(*conditions)}{group(*tags)}'
    return InfluxQL(statement, alias or (f"$tag_{tags[0]}" if tags else None))


def per_day(scope: PageScope, field: str, *tags: str, utility: Utility, zone: str) -> InfluxQL:
    """Sum of a field of usage per local day."""
    tagged = "".join(f', "{tag}"' for tag in tags)
    statement = (
        f'SELECT sum("{field}") FROM "{USAGE}" {scope.where(of(utility), BILLING)} '
        f"GROUP BY time(1d){tagged} fill(none) tz('{zone}')"
    )
    return InfluxQL(statement, f"$tag_{tags[0]}" if tags else None)


def figure(
    scope: PageScope,
    name: str,
    *tags: str,
    also: tuple[str, ...] = (),
    divide: float = 1,
    alias: str | None = None,
    ref: str = "A",
) -> InfluxQL:
    """A stored figure, each period one point."""
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    where, by = scope.where(*also, _period(scope)), tags or ("tenant",)
    statement = f'SELECT "{name}"{scaled} AS "{name}" FROM "{EFFICIENCY}" {where}{group(*by)}'
    return InfluxQL(statement, alias or f"$tag_{by[0]}", ref=ref)


def by_day(scope: PageScope, name: str, *, zone: str) -> InfluxQL:
    """A stored figure of each whole day by tenant, with a gap on a day that has none."""
    where = scope.where(WHOLE_DAYS, _period(scope))
    by = f"GROUP BY time(1d), \"tenant\" fill(null) tz('{zone}')"
    return InfluxQL(f'SELECT last("{name}") FROM "{EFFICIENCY}" {where} {by}', "$tag_tenant")


def summed(
    scope: PageScope,
    name: str,
    *,
    zone: str,
    divide: float = 1,
    alias: str,
    ref: str = "A",
    running: bool = False,
) -> InfluxQL:
    """A stored figure that may be added up, over the chosen tenants, per local day; `running`: cumulated."""
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    where, by = scope.where(_period(scope)), "GROUP BY time(1d) fill(none)"
    if running:  # of a subquery: openGemini answers cumulative_sum(sum(...)) with nothing
        added = f'SELECT sum("{name}"){scaled} AS "added" FROM "{EFFICIENCY}" {where} {by}'
        return InfluxQL(f"SELECT cumulative_sum(\"added\") FROM ({added}) tz('{zone}')", alias, ref=ref)
    return InfluxQL(f'SELECT sum("{name}"){scaled} FROM "{EFFICIENCY}" {where} {by} tz(\'{zone}\')', alias, ref=ref)


def newest(
    scope: PageScope, *names: str, also: tuple[str, ...] = (), divide: Mapping[str, float] | None = None
) -> InfluxQL:
    """The newest of each figure, one row a tenant; those named in `divide` in a larger unit."""
    scales = divide or {}
    fields = ", ".join(
        f'last("{name}"){f" / {scales[name]:.0f}" if name in scales else ""} AS "{name}"' for name in names
    )
    return InfluxQL(
        f'SELECT {fields} FROM "{EFFICIENCY}" {scope.where(*also, _period(scope))} GROUP BY "tenant"', form="table"
    )


def ranked(question: InfluxQL, tag: str, value: str) -> InfluxQL:
    """Rows of a value by a tag, with the tag again as `id`: its own column shows a name, a link needs the id."""
    rows = f'SELECT "{value}" AS "{value}", "{tag}" AS "id" FROM ({question.query}) GROUP BY "{tag}"'
    return InfluxQL(rows, form="table")


def _period(scope: PageScope) -> str:
    if scope.period.startswith("$"):
        return f'"period" =~ /^{scope.period}$/'
    return f"\"period\" = '{scope.period}'"


def tags_of(tag: str, *conditions: str) -> str:
    """Statement of the values that a tag of the meters has."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f'SHOW TAG VALUES FROM "{METER_STATUS}" WITH KEY = "{tag}"{where}'


OF_DAYS = f"\"period\" = '{Period.DAY}'"
AT_MAINS = f"\"main\" != '{EDGE}'"
AT_EDGE = f"\"main\" = '{EDGE}'"
"""Conditions on balances: those of days; of single main meters; of the park's edge, which is all of them together."""


def balance(expression: str, alias: str, condition: str) -> InfluxQL:
    """An expression over the fields of a day's balance, each whole day one point."""
    where = PageScope(tenant=False).where(condition, OF_DAYS, WHOLE_DAYS)
    return InfluxQL(f'SELECT {expression} FROM "{BALANCE}" {where} GROUP BY "utility", "main"', alias)


def edge(*names: str, period: Period, by: tuple[str, ...] = (), also: tuple[str, ...] = ()) -> InfluxQL:
    """Sums of the park's numbers over the stored days, or the newest of a longer period, one row per utility."""
    how = "sum" if period is Period.DAY else "last"
    fields = ", ".join(f'{how}("{name}") AS "{name}"' for name in names)
    where = PageScope(tenant=False).where(AT_EDGE, f"\"period\" = '{period}'", *also)
    return InfluxQL(f'SELECT {fields} FROM "{BALANCE}" {where}{group(*by)}', form="table")

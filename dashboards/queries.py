"""How pages ask the store: which rows belong to the choices at the head of a page, and the few shapes of statements.

Only InfluxQL that 1.6, 2.x and 3.x share. `Scope` is what a page is allowed and asked to show: the operator's pages
filter by park and tenant, a tenant's own page has a database to itself and filters by nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.influxql import Format, InfluxQL
from metering.figures import Period
from metering.quantities import Utility
from store.schema import BALANCE, EFFICIENCY, METER_STATUS, USAGE

BILLING = "\"role\" = 'billing'"
"""A tenant's uppermost meter of a utility: what may be added up over tenants without counting twice."""

SUBS = "\"role\" = 'sub'"
GENERATION = "\"role\" = 'generation'"
QUARTERS_PER_HOUR = 4


@dataclass(frozen=True, slots=True)
class Scope:
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


def rate(
    scope: Scope, utility: Utility, *tags: str, only: str = BILLING, alias: str | None = None, ref: str = "A"
) -> InfluxQL:
    """Mean of what is used per hour (kW, m³/h), from quarter hours of usage.

    Each meter's mean over the interval, added up over meters: the mean is of quarter hours that exist, so neither the
    first nor the last interval of a chart droops. A quarter hour that a band's edge cuts in two counts as two; edges of
    tariffs lie on quarter hours.
    """
    tagged = "".join(f', "{tag}"' for tag in tags)
    meters = tagged if "meter" in tags else f'{tagged}, "meter"'
    inner = (
        f'SELECT mean("amount") * {QUARTERS_PER_HOUR} AS "rate" FROM "{USAGE}" '
        f"{scope.where(of(utility), only)} GROUP BY time($__interval){meters}"
    )
    outer = f"GROUP BY time($__interval){tagged} fill(null)"
    statement = f'SELECT sum("rate") FROM ({inner}) WHERE $timeFilter {outer}'
    return InfluxQL(statement, alias or (f"$tag_{tags[0]}" if tags else None), ref=ref)


def total(
    scope: Scope,
    field: str,
    *tags: str,
    utility: Utility | None = None,
    only: str = BILLING,
    divide: float = 1,
    alias: str | None = None,
    ref: str = "A",
    form: Format = "time_series",
    name: str = "total",
) -> InfluxQL:
    """Sum of a field of usage over the whole range."""
    conditions = (*((of(utility),) if utility else ()), only)
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    statement = f'SELECT sum("{field}"){scaled} AS "{name}" FROM "{USAGE}" {scope.where(*conditions)}{group(*tags)}'
    return InfluxQL(statement, alias or (f"$tag_{tags[0]}" if tags else None), form, ref)


def per_interval(
    scope: Scope, field: str, *tags: str, utility: Utility, zone: str, only: str = BILLING, every: str = "1d"
) -> InfluxQL:
    """Sum of a field of usage per local day."""
    tagged = "".join(f', "{tag}"' for tag in tags)
    statement = (
        f'SELECT sum("{field}") FROM "{USAGE}" {scope.where(of(utility), only)} '
        f"GROUP BY time({every}){tagged} fill(none) tz('{zone}')"
    )
    return InfluxQL(statement, f"$tag_{tags[0]}" if tags else None)


def figure(
    scope: Scope, name: str, *tags: str, divide: float = 1, alias: str | None = None, ref: str = "A"
) -> InfluxQL:
    """A stored figure, each period one point."""
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    where, by = scope.where(_period(scope)), tags or ("tenant",)
    statement = f'SELECT "{name}"{scaled} AS "{name}" FROM "{EFFICIENCY}" {where}{group(*by)}'
    return InfluxQL(statement, alias or f"$tag_{by[0]}", ref=ref)


def summed(
    scope: Scope,
    name: str,
    *,
    zone: str,
    divide: float = 1,
    alias: str,
    every: str = "1d",
    ref: str = "A",
    running: bool = False,
) -> InfluxQL:
    """A stored figure that may be added up, over the chosen tenants, per local day; `running`: cumulated."""
    scaled = f" / {divide:.0f}" if divide != 1 else ""
    added = f'cumulative_sum(sum("{name}"))' if running else f'sum("{name}")'
    statement = (
        f'SELECT {added}{scaled} FROM "{EFFICIENCY}" {scope.where(_period(scope))} '
        f"GROUP BY time({every}) fill(none) tz('{zone}')"
    )
    return InfluxQL(statement, alias, ref=ref)


def newest(scope: Scope, *names: str, divide: Mapping[str, float] | None = None) -> InfluxQL:
    """The newest of each figure, one row a tenant; those named in `divide` in a larger unit."""
    scales = divide or {}
    fields = ", ".join(
        f'last("{name}"){f" / {scales[name]:.0f}" if name in scales else ""} AS "{name}"' for name in names
    )
    return InfluxQL(
        f'SELECT {fields} FROM "{EFFICIENCY}" {scope.where(_period(scope))} GROUP BY "tenant"', form="table"
    )


def _period(scope: Scope) -> str:
    if scope.period.startswith("$"):
        return f'"period" =~ /^{scope.period}$/'
    return f"\"period\" = '{scope.period}'"


def tags_of(tag: str, *conditions: str, measurement: str = METER_STATUS) -> str:
    """Statement of the values that a tag has."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{tag}"{where}'


def balance(expression: str, alias: str, condition: str) -> InfluxQL:
    """An expression over the fields of a day's balance, each day one point."""
    statement = (
        f'SELECT {expression} FROM "{BALANCE}" WHERE "park" =~ /^$park$/ AND {condition} AND $timeFilter '
        'GROUP BY "utility", "main"'
    )
    return InfluxQL(statement, alias)

"""Conditions of alert queries: literal, because a rule sees no variables, and grouped by tags, each series one alert."""

import re
from collections.abc import Iterable

from metering.park import Park
from store.schema import EFFICIENCY

MINUTE, HOUR, DAY_S = 60, 3600, 86_400


def where(park: Park, *conditions: str) -> str:
    """`WHERE` of one park."""
    return "WHERE " + " AND ".join((f"\"park\" = '{park.id}'", *conditions, "$timeFilter"))


def one_of(tag: str, values: Iterable[str]) -> str:
    """Condition that a tag has one of these values."""
    return f'"{tag}" =~ /^({"|".join(re.escape(value) for value in sorted(values))})$/'


def figure(park: Park, expression: str, period: str, *conditions: str) -> str:
    """An expression over the stored figures of tenants."""
    found = where(park, f"\"period\" = '{period}'", *conditions)
    return f'SELECT {expression} FROM "{EFFICIENCY}" {found} GROUP BY "tenant"'

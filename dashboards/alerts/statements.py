"""Statements of alert questions, for one park each: grouped by tags, as each series is one alert.

A rule has no variables of a page. `{park}` and other places in braces are filled in for each rule.
"""

import re
from collections.abc import Iterable

from store.schema import EFFICIENCY
from store.select import ONE_OF

MINUTE, HOUR, DAY_S = 60, 3600, 86_400


PARK, TENANT, METER, GATEWAY = (f"\"{tag}\" = '{{{tag}}}'" for tag in ("park", "tenant", "meter", "gateway"))
"""Conditions on a tag: the subject of the rule."""


def statement(what: str, measurement: str, *conditions: str, by: str = "") -> str:
    """A statement over the points of one park that fulfil the conditions."""
    found = f'SELECT {what} FROM "{measurement}" WHERE {" AND ".join((PARK, *conditions, "$timeFilter"))}'
    return f"{found} GROUP BY {by}" if by else found


def one_of(tag: str, values: Iterable[str]) -> str:
    """Condition that a tag has one of these values."""
    return f'"{tag}" =~ {ONE_OF.format("|".join(re.escape(value) for value in sorted(values)))}'


def figure(what: str, period: str, *conditions: str) -> str:
    """An expression over the stored figures of tenants."""
    return statement(what, EFFICIENCY, f"\"period\" = '{period}'", *conditions, by='"tenant"')

"""Conditions of alert queries: literal, because a rule sees no variables, and grouped by tags, each series one alert."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from metering.instants import Span, midnight_ms
from metering.meters import Belonging, Meter
from metering.park import Park
from store.schema import EFFICIENCY

MINUTE, HOUR, DAY_S = 60, 3600, 86_400


def where(park: Park, *conditions: str) -> str:
    """`WHERE` of one park."""
    return "WHERE " + " AND ".join((f"\"park\" = '{park.id}'", *conditions, "$timeFilter"))


def had_by(park: Park, meter: Meter, day: date) -> Belonging | None:
    """Who has a metering point when a day ends; None where it is not there on that day."""
    span = Span(midnight_ms(day, park.zone), midnight_ms(day + timedelta(days=1), park.zone))
    return next(reversed(meter.belongings_in(span)), None)


def one_of(tag: str, values: Iterable[str]) -> str:
    """Condition that a tag has one of these values."""
    return f'"{tag}" =~ /^({"|".join(re.escape(value) for value in sorted(values))})$/'


def figure(park: Park, expression: str, period: str, *conditions: str) -> str:
    """An expression over the stored figures of tenants."""
    found = where(park, f"\"period\" = '{period}'", *conditions)
    return f'SELECT {expression} FROM "{EFFICIENCY}" {found} GROUP BY "tenant"'

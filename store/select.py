"""InfluxQL for every room except `dashboards`, which writes Grafana's queries: nobody else builds a statement.

Instants are milliseconds since the epoch. InfluxDB stores 64-bit nanoseconds (from 1677 to 2262) and rejects a
statement with any other time: such an instant is clipped to that range.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from store.schema import NS_PER_MS

EARLIEST_NS: Final = -(2**63) + 2
LATEST_NS: Final = 2**63 - 2
"""The latest time that InfluxDB accepts."""

_QUOTED = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n"})
_NAMED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Of(NamedTuple):
    """A function of a field, such as `sum`; its column is called `name`, or as the field."""

    function: str
    field: str
    name: str = ""


def ns(ms: int) -> int:
    """An instant in nanoseconds, clipped to InfluxDB's range."""
    return min(max(ms * NS_PER_MS, EARLIEST_NS), LATEST_NS)


ONE_OF: Final = "/^(({})$)/"
"""A regular expression that one of some values meets as a whole, and no other does.

Not `/^(...)$/`: openGemini 1.5.2 takes both ends away, and then any value that begins so, where there are more than
twenty alternatives.
"""


def text(value: str) -> str:
    """A text in quotes."""
    return f"'{value.translate(_QUOTED)}'"


def name(identifier: str) -> str:
    """A measurement, tag or field in quotes."""
    return f'"{identifier.translate(_NAMED)}"'


def where(
    tags: Mapping[str, str | Collection[str]],
    since: int | None = None,
    before: int | None = None,
    also: Iterable[str] = (),
) -> str:
    """A condition: each tag has its value, or one of its values; `since` <= time < `before`, in ms.

    `also`: further conditions, such as those of `differs`.
    """
    found = [f"{name(tag)} {_equals(value)}" for tag, value in tags.items()]
    found += also
    if since is not None and ns(since) > EARLIEST_NS:
        found.append(f"time >= {ns(since)}")
    if before is not None and ns(before) < LATEST_NS:
        found.append(f"time < {ns(before)}")
    return " AND ".join(found)


def _equals(value: str | Collection[str]) -> str:
    if isinstance(value, str):
        return f"= {text(value)}"
    if len(value) == 1:
        return f"= {text(*value)}"  # found by the index; a regular expression is tried on every value of the tag
    either = "|".join(re.escape(each).replace("/", r"\/") for each in value)
    return f"=~ {ONE_OF.format(either)}"


def differs(field: str, value: str) -> str:
    """The condition that a tag or field differs from a value."""
    return f"{name(field)} != {text(value)}"


def either(field: str, values: Iterable[str]) -> str:
    """The condition that a field has one of some values; for a tag, `where` is faster."""
    return "(" + " OR ".join(f"{name(field)} = {text(value)}" for value in values) + ")"


def earlier(than_ns: int) -> str:
    """The condition that a point is earlier than another one, ns."""
    return f"time < {than_ns}"


def exceeds(field: str, number: float) -> str:
    """The condition that a field is above a number."""
    return f"{name(field)} > {number!r}"


def select(
    measurement: str,
    fields: Iterable[str | Of],
    condition: str = "",
    by: Iterable[str] = (),
    *,
    every: str | None = None,
    zone: str | None = None,
    newest: int = 0,
    oldest: int = 0,
) -> str:
    """A query for fields, or for all fields and tags (`*`), of the points that meet a condition, grouped `by` tags.

    `every`: a length of time such as `1d`, in local time of `zone`, whose values become one. `newest`, `oldest`: per
    group, only so many of the last points, last one first, or of the first; 0 for all in their order.
    """
    parts = [f"SELECT {','.join(map(_column, fields))} FROM {name(measurement)}"]
    if condition:
        parts.append(f"WHERE {condition}")
    groups = [*([f"time({every})"] if every else []), *map(name, by)]
    if groups:
        parts.append(f"GROUP BY {','.join(groups)}")
    if every:
        parts.append("fill(none)")
    if newest:
        parts.append(f"ORDER BY time DESC LIMIT {int(newest)}")
    if oldest:
        parts.append(f"LIMIT {int(oldest)}")
    if zone is not None:
        parts.append(f"tz({text(zone)})")
    return " ".join(parts)


def _column(field: str | Of) -> str:
    if isinstance(field, Of):
        return f"{field.function}({name(field.field)}) AS {name(field.name or field.field)}"
    return "*" if field == "*" else name(field)


def delete(measurement: str, condition: str) -> str:
    """Deletes the points that meet a condition on tags and time; see `Store.delete`."""
    return f"DELETE FROM {name(measurement)} WHERE {condition}"

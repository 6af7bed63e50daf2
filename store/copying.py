"""Copies databases from one server to another, measurement by measurement and day by day, and compares the counts.

For moving to another server: InfluxDB 1.x, 2.x and openGemini alike. Progress is noted in a file after each day, so
that an interrupted copy continues there. Copying twice changes nothing: a point overwrites itself. A server that is
busy is asked again for some minutes.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from metering.errors import OperatorError, UnavailableError
from running.patience import Patience
from store.answers import RejectedError, Row
from store.client import Store
from store.lines import FieldValue, point, series

DAY_NS: Final = 86_400_000_000_000
ROWS: Final = 50_000
"""Rows per query."""

LINES: Final = 10_000
"""Lines per write."""

APPEARS_S: Final = 30.0
"""How long written points may take to appear: openGemini shows new series seconds after it took them."""

_TRIES = 12
_T = TypeVar("_T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copied:
    """One measurement of a database on both sides, counted field by field."""

    database: str
    measurement: str
    points: int
    source: Mapping[str, int]
    target: Mapping[str, int]


class CopyJournal:
    """How far each measurement is copied, kept in a file that survives a crash."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._until: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        except ValueError as error:
            raise OperatorError(f"{file}: not a journal of `ecopark store copy`; name another file") from error

    def until(self, database: str, measurement: str) -> int | None:
        """Everything before this instant (ns) is copied."""
        return self._until.get(f"{database}/{measurement}")

    def note(self, database: str, measurement: str, until_ns: int) -> None:
        """Note how far it is copied."""
        self._until[f"{database}/{measurement}"] = until_ns
        beside = self._file.with_name(self._file.name + ".new")
        beside.write_text(json.dumps(self._until))
        beside.replace(self._file)


async def _patiently(work: Callable[[], Awaitable[_T]]) -> _T:
    """What `work` returns, which is repeated while a server is busy: hours of copying must not be lost."""
    return await Patience("copying", log, asyncio.get_running_loop().time).repeat(work, _TRIES)


async def _rows(store: Store, statement: str, database: str) -> list[Row]:
    return await _patiently(partial(store.query, statement, database))


async def databases(store: Store, prefix: str) -> list[str]:
    """Databases (buckets) of Ecopark on a server: `prefix` itself and `prefix_...`."""
    rows = await _rows(store, "SHOW DATABASES", "")
    names = [str(row["name"]) for row in rows]
    return sorted(name for name in names if name == prefix or name.startswith(f"{prefix}_"))


async def measurements(store: Store, database: str) -> list[str]:
    """Measurements of a database."""
    return [str(row["name"]) for row in await _rows(store, "SHOW MEASUREMENTS", database)]


async def make_database(store: Store, name: str) -> None:
    """Create the database where the server lets us; where it does not (2.x), it must already exist.

    Raises `OperatorError` where it does not exist and cannot be created.
    """
    try:
        await store.create_database(name)
    except (RejectedError, OperatorError, UnavailableError) as error:
        try:
            await _rows(store, "SHOW MEASUREMENTS", name)
        except (RejectedError, OperatorError) as missing:
            raise OperatorError(
                f"the target has no database (bucket) {name!r} and makes none by InfluxQL ({error}); create it first"
            ) from missing


@dataclass(frozen=True, slots=True)
class _Whole:
    database: str
    measurement: str
    types: Mapping[str, str]
    """Types of the fields: float, integer, string, boolean."""


async def copy_measurement(
    source: Store,
    target: Store,
    database: str,
    measurement: str,
    *,
    journal: CopyJournal,
    progress: Callable[[int, float], None],
) -> Copied:
    """Copy one measurement and count both sides.

    `progress` gets the points copied so far and how much of the time is done, 0 to 1.
    """
    fields = await _rows(source, f'SHOW FIELD KEYS FROM "{measurement}"', database)
    whole = _Whole(database, measurement, {str(row["fieldKey"]): str(row["fieldType"]) for row in fields})
    first, last = await _edge(source, whole, "ASC"), await _edge(source, whole, "DESC")
    copied = 0
    if first is not None and last is not None:
        start = max(first, journal.until(database, measurement) or first)
        begin = start - start % DAY_NS
        while begin <= last:
            async for rows in _day(source, whole, begin):
                lines = [_line(whole, row) for row in rows]
                for at in range(0, len(lines), LINES):
                    await _patiently(partial(target.write, lines[at : at + LINES], database))
                copied += len(lines)
                progress(copied, (begin - first) / max(last - first, 1))
            following = await _edge(source, whole, "ASC", begin + DAY_NS)  # years without a point are skipped
            begin = last + 1 if following is None else following - following % DAY_NS
            if begin <= last:
                journal.note(database, measurement, begin)
    progress(copied, 1.0)
    return await _counted(source, target, whole, copied)


async def _edge(store: Store, whole: _Whole, order: str, since: int | None = None) -> int | None:
    """The instant of the first or last point, or of the first one since an instant."""
    condition = "" if since is None else f" WHERE time >= {since}"
    rows = await _rows(
        store, f'SELECT * FROM "{whole.measurement}"{condition} ORDER BY time {order} LIMIT 1', whole.database
    )
    return int(rows[0]["time"]) if rows else None


async def _day(store: Store, whole: _Whole, begin: int) -> AsyncIterator[list[Row]]:
    """Points of a day in portions that never split an instant."""
    since, end = begin, begin + DAY_NS
    while since < end:
        rows = await _rows(
            store,
            f'SELECT * FROM "{whole.measurement}" WHERE time >= {since} AND time < {end} LIMIT {ROWS}',
            whole.database,
        )
        if len(rows) < ROWS:
            if rows:
                yield rows
            return
        newest = int(rows[-1]["time"])
        if int(rows[0]["time"]) == newest:
            yield await _rows(store, f'SELECT * FROM "{whole.measurement}" WHERE time = {newest}', whole.database)
            since = newest + 1
        else:
            yield [row for row in rows if int(row["time"]) < newest]
            since = newest


def _line(whole: _Whole, row: Row) -> str:
    """A row as a line: columns that are fields with their type, all others as tags."""
    values = {name: value for name, value in row.items() if value is not None and name != "time"}
    tags = {name: str(value) for name, value in values.items() if name not in whole.types}
    fields = {name: _typed(value, whole.types[name]) for name, value in values.items() if name in whole.types}
    return point(series(whole.measurement, tags), fields, int(row["time"]))


def _typed(value: float | str | bool, kind: str) -> FieldValue:
    match kind:
        case "float":
            return float(value)
        case "integer":
            return int(value)
        case "boolean":
            return bool(value)
        case _:
            return str(value)


async def _counted(source: Store, target: Store, whole: _Whole, points: int) -> Copied:
    """The counts of both sides, once they are equal or the target has had time to show what it took."""
    ours = await _counts(source, whole)
    deadline = asyncio.get_running_loop().time() + APPEARS_S
    theirs = await _counts(target, whole)
    while theirs != ours and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.5)
        theirs = await _counts(target, whole)
    return Copied(whole.database, whole.measurement, points, ours, theirs)


async def _counts(store: Store, whole: _Whole) -> dict[str, int]:
    rows = await _rows(store, f'SELECT count(*) FROM "{whole.measurement}"', whole.database)
    counted = rows[0] if rows else {}
    return {name: int(counted.get(f"count_{name}") or 0) for name in sorted(whole.types)}


def summary(copied: Iterable[Copied]) -> list[str]:
    """One sentence for each measurement whose counts differ."""
    return [
        f"{one.database}.{one.measurement}: {name} {one.source[name]} here, {one.target.get(name, 0)} there"
        for one in copied
        for name in one.source
        if one.source[name] != one.target.get(name, 0)
    ]

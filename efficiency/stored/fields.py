"""Stores points that are computed again and again: writes what differs, deletes what no longer has a value."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from efficiency.stored.writer import ParkWriter
from metering.figures import reasons_field
from store.client import Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import select, where

Fields = dict[str, float | str]

TEXTS = (reasons_field(""), "_en", "_vi")
"""How names of text fields end. A query for all fields returns tags, too, which are also texts."""

Points = Mapping[int, Fields]
"""Fields by instant, ms."""


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series; those of a `tenant` are also in its own database. No fields means no point."""

    measurement: str
    tags: Mapping[str, str]
    tenant: str | None
    points: Points


class PointStore:
    """Series of one park, in the operator's database and, if they are a tenant's, in the tenant's."""

    def __init__(self, store: Store, park: str, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._writer = writer

    async def stored(self, measurement: str, tags: Mapping[str, str], first: int, last: int) -> dict[int, Fields]:
        """What is stored of the series with these tags from `first` to `last`, ms, both included."""
        found = await self.stored_of_many(measurement, tags, first, last)
        return found.get(tuple(tags.values()), {})

    async def stored_of_many(
        self, measurement: str, tags: Mapping[str, str | Collection[str]], first: int, last: int
    ) -> dict[tuple[str, ...], dict[int, Fields]]:
        """As `stored`, for many series at once, by the values of these tags; a tag may have several values."""
        statement = select(measurement, ["*"], where(tags, first, last + 1))
        rows = await self._store.query(statement, OPERATOR_DATABASE)
        found: dict[tuple[str, ...], dict[int, Fields]] = {}
        for row in rows:
            found.setdefault(tuple(row[name] or "" for name in tags), {})[row["time"] // NS_PER_MS] = _fields(
                row, [*tags]
            )
        return found

    async def oldest(self, measurement: str, tags: Mapping[str, str]) -> list[int]:
        """The instant (ms) of the oldest stored point of some series, as a list; empty if there is none."""
        rows = await self._store.query(select(measurement, ["*"], where(tags), oldest=1), OPERATOR_DATABASE)
        return [row["time"] // NS_PER_MS for row in rows]

    async def replace_all(self, all_series: Iterable[SeriesPoints]) -> None:
        """Store the points of each series at their instants, with the writer's next `flush`.

        What is stored of series with the same measurement and period is read at once.
        """
        alike: dict[tuple[str, str | None], list[SeriesPoints]] = {}
        for one in all_series:
            if one.points:
                alike.setdefault((one.measurement, one.tags.get("period")), []).append(one)
        for some in alike.values():
            instants = [ms for one in some for ms in one.points]
            tags = {name: sorted({one.tags[name] for one in some}) for name in some[0].tags}
            before = await self.stored_of_many(some[0].measurement, tags, min(instants), max(instants))
            for one in some:
                await self.replace(one, before.get(tuple(one.tags.values()), {}))

    async def replace(self, new: SeriesPoints, before: Points) -> None:
        """Store one series' new points in place of `before`, with the writer's next `flush`.

        A point that loses a field is deleted and written again.
        """
        changed = {ms: fields for ms, fields in new.points.items() if before.get(ms, {}) != fields}
        for ms, fields in changed.items():
            if before.get(ms, {}).keys() - fields.keys():
                await self.delete(new.measurement, new.tags, new.tenant, ms)
        prefix = series(new.measurement, new.tags)
        lines = [point(prefix, fields, ms * NS_PER_MS) for ms, fields in changed.items() if fields]
        if lines:
            await self._writer.add(lines, new.tenant)

    async def delete(
        self, measurement: str, tags: Mapping[str, str], tenant: str | None, at_ms: int | None = None
    ) -> None:
        """Delete a series, or only its point at an instant; it stays if the database cannot delete."""
        await self._writer.flush()
        databases = (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else []))
        condition = where(tags) if at_ms is None else where(tags, at_ms, at_ms + 1)
        await self._store.delete(measurement, condition, databases)


def _fields(row: Mapping[str, object], tags: Sequence[str]) -> Fields:
    return {
        name: value if isinstance(value, str) else float(value)
        for name, value in row.items()
        if name not in tags
        and name != "time"
        and (isinstance(value, int | float) or (isinstance(value, str) and name.endswith(TEXTS)))
    }

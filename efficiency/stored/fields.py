"""Points that are computed again and again: what differs is written, what has no value any more is taken away."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from efficiency.stored.writer import ParkWriter
from metering.figures import reasons_field
from store.client import Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import select, where

Fields = dict[str, float | str]

TEXTS = reasons_field("")
"""How the names of the fields end that are texts; a tag that nobody asked for is a text, too."""

Points = Mapping[int, Fields]
"""Fields by instant, ms."""


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series; `tenant` has them in its own database, too. An instant without fields has no point."""

    measurement: str
    tags: Mapping[str, str]
    tenant: str | None
    points: Points


class PointStore:
    """Series of one park, for the operator and, where they are a tenant's, for the tenant too."""

    def __init__(self, store: Store, park: str, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._writer = writer

    async def stored(self, measurement: str, tags: Mapping[str, str], first: int, last: int) -> dict[int, Fields]:
        """What is stored of the series with these tags from `first` to `last`, ms, both included."""
        found = await self._stored(measurement, tags, list(tags), first, last)
        return found.get(tuple(tags.values()), {})

    async def _stored(
        self, measurement: str, tags: Mapping[str, str | Collection[str]], names: Sequence[str], first: int, last: int
    ) -> dict[tuple[str, ...], dict[int, Fields]]:
        """The same of many series, by the values of the tags that `names` names."""
        statement = select(measurement, ["*"], where(tags, first, last + 1))
        rows = await self._store.query(statement, OPERATOR_DATABASE)
        found: dict[tuple[str, ...], dict[int, Fields]] = {}
        for row in rows:
            found.setdefault(tuple(row[name] for name in names), {})[row["time"] // NS_PER_MS] = _fields(row, names)
        return found

    async def oldest(self, measurement: str, tags: Mapping[str, str]) -> list[int]:
        """The instant of the oldest point that is stored of some series, ms; none where nothing is."""
        rows = await self._store.query(select(measurement, ["*"], where(tags), oldest=1), OPERATOR_DATABASE)
        return [row["time"] // NS_PER_MS for row in rows]

    async def replace_all(self, all_series: Sequence[SeriesPoints], owner: str) -> None:
        """Make each series, all of one measurement, hold its points at their instants, with the writer's next `flush`.

        `owner` is the tag that tells them apart, or most of them: what is stored is read of all at once.
        """
        instants = [ms for one in all_series for ms in one.points]
        if not instants:
            return
        tags = {"park": self._park, owner: sorted({one.tags[owner] for one in all_series})}
        one = all_series[0]
        before = await self._stored(one.measurement, tags, list(one.tags), min(instants), max(instants))
        for one in all_series:
            await self.replace(one, before.get(tuple(one.tags.values()), {}))

    async def replace(self, new: SeriesPoints, before: Points) -> None:
        """Make one series hold its new points where it holds `before`, with the writer's next `flush`.

        A point that loses a field is deleted and written anew.
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
        """Delete a series, or only its point at an instant. Where the database does not delete, it stays."""
        await self._writer.flush()
        databases = (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else []))
        condition = where(tags) if at_ms is None else where(tags, at_ms, at_ms + 1)
        await self._store.delete(measurement, condition, databases)


def number(value: float | str) -> float:
    """A field that is a number."""
    return float(value)


def _fields(row: Mapping[str, object], tags: Sequence[str]) -> Fields:
    return {
        name: value if isinstance(value, str) else float(value)
        for name, value in row.items()
        if name not in tags
        and name != "time"
        and (isinstance(value, int | float) or (isinstance(value, str) and name.endswith(TEXTS)))
    }

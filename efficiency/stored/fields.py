"""Points that are computed again and again: what differs is written, what has no value any more is taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from efficiency.stored.writer import ParkWriter
from metering.errors import OperatorError
from store.client import RejectedError, Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, tenant_database

Fields = dict[str, float]

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
        """What stands there of the series with these tags from `first` to `last`, ms, both included."""
        found = await self._stored(measurement, _where(tags), list(tags), first, last)
        return found.get(tuple(tags.values()), {})

    async def _stored(
        self, measurement: str, where: str, tags: Sequence[str], first: int, last: int
    ) -> dict[tuple[str, ...], dict[int, Fields]]:
        """The same of many series, by the values of their tags."""
        rows = await self._store.query(
            f'SELECT * FROM "{measurement}" WHERE {where} '
            f"AND time >= {first * NS_PER_MS} AND time <= {last * NS_PER_MS}",
            OPERATOR_DATABASE,
        )
        found: dict[tuple[str, ...], dict[int, Fields]] = {}
        for row in rows:
            found.setdefault(tuple(row[name] for name in tags), {})[row["time"] // NS_PER_MS] = _fields(row, tags)
        return found

    async def replace_all(self, all_series: Sequence[SeriesPoints], owner: str) -> None:
        """Make each series, all of one measurement, hold its points at their instants, with the writer's next `flush`.

        `owner` is the tag that tells them apart, or most of them: what stands there is read of all at once.
        """
        instants = [ms for one in all_series for ms in one.points]
        if not instants:
            return
        names = "|".join(sorted({one.tags[owner] for one in all_series}))
        where = f'"park" = \'{self._park}\' AND "{owner}" =~ /^({names})$/'
        one = all_series[0]
        before = await self._stored(one.measurement, where, list(one.tags), min(instants), max(instants))
        for one in all_series:
            await self.replace(one, before.get(tuple(one.tags.values()), {}))

    async def replace(self, new: SeriesPoints, before: Points) -> None:
        """Make one series hold its new points where it holds `before`, with the writer's next `flush`.

        A point that loses a field is deleted and written anew.
        """
        changed = {ms: fields for ms, fields in new.points.items() if before.get(ms, {}) != fields}
        for ms, fields in changed.items():
            if before.get(ms, {}).keys() - fields.keys():
                await self.delete(new.measurement, new.tags, new.tenant, f" AND time = {ms * NS_PER_MS}")
        prefix = series(new.measurement, new.tags)
        lines = [point(prefix, fields, ms * NS_PER_MS) for ms, fields in changed.items() if fields]
        if lines:
            await self._writer.add(lines, new.tenant)

    async def delete(self, measurement: str, tags: Mapping[str, str], tenant: str | None, when: str = "") -> None:
        """Delete where the database does; where not (3.x), an old value stays."""
        await self._writer.flush()
        for database in (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else [])):
            try:
                await self._store.query(f'DELETE FROM "{measurement}" WHERE {_where(tags)}{when}', database)
            except (RejectedError, OperatorError):
                return


def _where(tags: Mapping[str, str]) -> str:
    return " AND ".join(f"\"{key}\" = '{value}'" for key, value in tags.items())


def _fields(row: Mapping[str, object], tags: Sequence[str]) -> Fields:
    return {
        name: float(value)
        for name, value in row.items()
        if name not in tags and name != "time" and isinstance(value, int | float)
    }

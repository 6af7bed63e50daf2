"""Points that are computed again and again: what differs is written, what has no value any more is taken away."""

from collections.abc import Mapping

from efficiency.rollup import Fields
from efficiency.usagestore import UsageStore
from metering.errors import OperatorError
from store.client import RejectedError, Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, tenant_database

Points = Mapping[int, Fields]
"""Fields by instant, ms."""


class PointStore:
    """Series of one park, for the operator and, where they are a tenant's, for the tenant too."""

    def __init__(self, store: Store, park: str, usage: UsageStore) -> None:
        self._store = store
        self._park = park
        self._usage = usage

    async def stored(self, measurement: str, tags: Mapping[str, str], first: int, last: int) -> dict[int, Fields]:
        """What stands there of the series with these tags from `first` to `last`, ms, both included."""
        rows = await self._store.query(
            f'SELECT * FROM "{measurement}" WHERE {_where(tags)} '
            f"AND time >= {first * NS_PER_MS} AND time <= {last * NS_PER_MS}",
            OPERATOR_DATABASE,
        )
        return {row["time"] // NS_PER_MS: _fields(row, tags) for row in rows}

    async def replace(
        self, measurement: str, tags: Mapping[str, str], before: Points, after: Points, tenant: str | None
    ) -> None:
        """Make the series hold `after` where it holds `before`; an instant without fields has no point.

        A point that loses a field is deleted and written anew.
        """
        changed = {ms: fields for ms, fields in after.items() if before.get(ms, {}) != fields}
        for ms, fields in changed.items():
            if before.get(ms, {}).keys() - fields.keys():
                await self.delete(measurement, tags, tenant, f" AND time = {ms * NS_PER_MS}")
        prefix = series(measurement, tags)
        lines = [point(prefix, fields, ms * NS_PER_MS) for ms, fields in changed.items() if fields]
        if lines:
            await self._usage.write_lines(lines)
            if tenant is not None:
                await self._usage.tenant_lines(tenant, lines)

    async def delete(self, measurement: str, tags: Mapping[str, str], tenant: str | None, when: str = "") -> None:
        """Delete where the database does; where not (3.x), an old value stays."""
        for database in (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else [])):
            try:
                await self._store.query(f'DELETE FROM "{measurement}" WHERE {_where(tags)}{when}', database)
            except (RejectedError, OperatorError):
                return


def _where(tags: Mapping[str, str]) -> str:
    return " AND ".join(f"\"{key}\" = '{value}'" for key, value in tags.items())


def _fields(row: Mapping[str, object], tags: Mapping[str, str]) -> Fields:
    return {
        name: float(value)
        for name, value in row.items()
        if name not in tags and name != "time" and isinstance(value, int | float)
    }

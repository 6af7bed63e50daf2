"""The stored usage of a park: what differs is written, what no longer holds is removed, what changed says since when.

A value that changed after its interval had been complete gets `revised`. A point that must go (its band, role or tenant
changed), or that loses a field, cannot be overwritten: its meter's stretch is deleted and written whole. InfluxDB 1.x
and 2.x delete in InfluxQL; 3.x does not delete, so there what no longer holds is overwritten with zeros, which leaves
every sum right.
"""

from collections.abc import Collection, Iterable

import numpy as np

from efficiency.stored.usage import Content, Difference, SeriesKey, StoredUsage, lines_of, mask_of, zeros
from efficiency.stored.writer import ParkWriter
from efficiency.usage.intervals import EVER, QUARTER_MS, Span, Times
from efficiency.valuation.rows import NUMBERS
from store.client import Store
from store.lines import series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE, tenant_database
from store.select import exceeds, select, where

_SERIES = ("tenant", "utility", "role", "band")
"""Tags that tell the series of a meter apart."""
_NEVER = np.array([[-1, 0]])
"""Starts and revisions of a series that is not there."""


class UsageStore:
    """Reads `usage` of one park and, through `writer`, writes it."""

    def __init__(self, store: Store, park: str, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._writer = writer
        self._written = 0

    async def stored(self, meters: Collection[str], span: Span) -> dict[str, StoredUsage]:
        """What is stored of some meters, by meter."""
        if not meters:
            return {}
        statement = select(USAGE, (*NUMBERS, "rule"), self._where(meters, span), ("meter", *_SERIES))
        tables = await self._store.tables(statement, OPERATOR_DATABASE)
        contents: dict[str, dict[SeriesKey, Content]] = {}
        for table in tables:
            tags = table.tags
            key = (tags["tenant"], tags["utility"], tags["role"], tags["band"])
            numbers = np.stack([table.fields[name].astype(np.float64) for name in NUMBERS], axis=1)
            masks = np.array([mask_of(str(text)) for text in table.fields["rule"].tolist()], dtype=np.int64)
            contents.setdefault(tags["meter"], {})[key] = Content(table.times, numbers, masks)
        return {meter: StoredUsage(contents.get(meter, {})) for meter in meters}

    async def replace(
        self, meter: str, new: StoredUsage, before: StoredUsage, now_ms: int, *, everything: bool = False
    ) -> dict[str, Times]:
        """Make the store hold `new` where it held `before`, with the writer's next `flush`.

        Returns the starts that changed by the tenant who has, or had, the meter then (empty where none). `everything`:
        tenants' databases, which may have less than the operator's, get what did not change too.
        """
        after = new.content
        plan = Difference(before, after)
        changed, revised = plan.changed, plan.revised(now_ms)
        if leaving := plan.leaving:
            span = Span(min(leaving), max(leaving) + QUARTER_MS)
            kept = await self._revised(meter, span)
            if await self._delete(meter, span, {key[0] for key in (*before.content, *after)}):
                for key, content in after.items():
                    inside = (content.start >= span.start) & (content.start < span.end)
                    old = kept.get(key, _NEVER)
                    since = old[np.minimum(np.searchsorted(old[:, 0], content.start), len(old) - 1)]
                    known = inside & (since[:, 0] == content.start) & (revised[key] == 0)
                    revised[key] = np.where(known, since[:, 1], revised[key])
                    changed[key] = changed[key] | inside
            else:
                for key, content in plan.gone.items():
                    await self._write(meter, key, zeros(content), np.zeros(len(content.start), dtype=np.int64))
                after = plan.overwriting()
        for key, content in after.items():
            chosen = changed[key]
            if chosen.any():
                await self._write(meter, key, content.where(chosen), revised[key][chosen])
            if everything and not chosen.all():
                rest = content.where(~chosen)
                await self._write(meter, key, rest, np.zeros(len(rest.start), dtype=np.int64), operator=False)
        return plan.starts()

    async def _revised(self, meter: str, span: Span) -> dict[SeriesKey, Times]:
        """Start and instant of revision of what stands in a span, as two columns."""
        statement = select(USAGE, ["revised"], self._where([meter], span), _SERIES)
        tables = await self._store.tables(statement, OPERATOR_DATABASE)
        return {
            (table.tags["tenant"], table.tags["utility"], table.tags["role"], table.tags["band"]): np.stack(
                (table.times, table.fields["revised"].astype(np.int64)), axis=1
            )
            for table in tables
        }

    async def gap_starts(self, meter: str, span: Span) -> list[int]:
        """Starts of the quarter hours of long gaps that are stored in a span."""
        condition = self._where([meter], span, also=[exceeds("estimated", 0)])
        rows = await self._store.query(select(USAGE, ("rule", "estimated"), condition), OPERATOR_DATABASE)
        long = ("gap_shaped", "gap_linear")
        return sorted(
            {row["time"] // NS_PER_MS for row in rows if any(rule in (row["rule"] or "").split(",") for rule in long)}
        )

    async def forget(self, meter: str, tenants: Iterable[str]) -> None:
        """Take away all that is stored of a meter."""
        await self._delete(meter, EVER, tenants)

    def taken(self) -> int:
        """Points written since the last time that this was asked."""
        count, self._written = self._written, 0
        return count

    async def _write(
        self, meter: str, key: SeriesKey, content: Content, revised: Times, *, operator: bool = True
    ) -> None:
        tenant, utility, role, band = key
        tags = {"park": self._park, "tenant": tenant, "utility": utility, "meter": meter, "role": role, "band": band}
        lines = lines_of(series(USAGE, tags), content, revised)
        self._written += len(lines) if operator else 0
        await self._writer.add(lines, tenant, operator=operator)

    async def _delete(self, meter: str, span: Span, tenants: Iterable[str]) -> bool:
        """Delete a stretch everywhere; whether this database deletes at all."""
        await self._writer.flush()
        owners = [tenant_database(self._park, each) for each in tenants if each and self._writer.has_database(each)]
        return await self._store.delete(USAGE, self._where([meter], span), (OPERATOR_DATABASE, *owners))

    def _where(self, meters: Collection[str], span: Span, also: Iterable[str] = ()) -> str:
        return where({"park": self._park, "meter": meters}, span.start, span.end, also)

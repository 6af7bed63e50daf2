"""Stores the usage of a park: writes what differs, deletes what is obsolete, and marks what was revised.

A value that changes after its quarter hour was complete gets `revised`. A point that must go (its band, role or tenant
changed) or that loses a field cannot be overwritten: the span around it is deleted for its meter and written again.
InfluxDB 1.x and 2.x delete in InfluxQL. InfluxDB 3 cannot delete, so obsolete points are overwritten with zeros there,
which leaves every sum right.

What was recently read or written of each meter stays in memory: all that was written since the last `trim`, and after
it `KEPT_MS` (20 kB a meter). Without that, a cycle would read the running hours of every meter before it writes them,
and all quarter hours of a day before it makes figures. docs/notes/performance.md says what it saves.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from efficiency.stored.usage import Difference, SeriesKey, SeriesRows, StoredUsage, joined, lines_of, mask_of, zeros
from efficiency.stored.writer import ParkWriter
from efficiency.usage.intervals import DAY_MS, EVER, QUARTER_MS, Span, Times, starts_in
from efficiency.valuation.rows import NUMBERS, Rows
from store.client import Store
from store.lines import series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE, tenant_database
from store.select import exceeds, select, where

KEPT_MS = 2 * DAY_MS
"""How much of each meter is kept in memory, up to the end of what was written last."""

_ROWS_AT_ONCE = 20_000
"""How many rows are turned into lines at once: as text they take several times as much memory."""


class _Revisions(NamedTuple):
    """When rows of a series were revised (ms), by their starts."""

    start: Times
    revised: Times

    def of(self, starts: Times) -> Times:
        """When rows with these starts were revised; 0 for never."""
        place = np.minimum(np.searchsorted(self.start, starts), len(self.start) - 1)
        return np.where(self.start[place] == starts, self.revised[place], 0)


_NEVER = _Revisions(np.array([-1]), np.array([0]))
"""The revisions of a series that is not there."""


@dataclass(frozen=True, slots=True)
class KnownUsage:
    """What is stored of a meter in a span, or will be once everything is written."""

    span: Span
    usage: StoredUsage


class UsageStore:
    """Reads the `usage` of one park, and writes it through `writer`.

    No other process may write different usage meanwhile.
    """

    def __init__(self, store: Store, park: str, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._writer = writer
        self._written = 0
        self._memory: dict[str, KnownUsage] = {}
        self._prefixes: dict[tuple[str, SeriesKey], str] = {}

    def knows(self, meters: Collection[str], span: Span) -> bool:
        """Whether all that is stored of some meters in a span is in memory."""
        return all(
            (part := self._memory.get(meter)) is not None
            and part.span.start <= span.start
            and span.end <= part.span.end
            for meter in meters
        )

    def at_hand(self, meter: str, span: Span) -> KnownUsage | None:
        """What is stored of a meter in the part of a span that is in memory; None where there is no such part."""
        known = self._memory.get(meter)
        if known is None or not known.span.overlaps(span):
            return None
        part = known.span.within(span)
        return KnownUsage(part, known.usage.within(part))

    @property
    def size(self) -> int:
        """How many quarter hours are in memory."""
        return sum(each.span.end - each.span.start for each in self._memory.values()) // QUARTER_MS

    def trim(self, meters: Collection[str] | None = None) -> None:
        """Keep at most `KEPT_MS` of these meters, or of all meters, in memory."""
        for meter in self._memory.keys() if meters is None else self._memory.keys() & meters:
            part = self._memory[meter]
            since = part.span.end - KEPT_MS
            if part.span.start < since:
                span = Span(since, part.span.end)
                self._memory[meter] = KnownUsage(span, _copied(part.usage.within(span)))

    async def stored(self, meters: Collection[str], span: Span) -> dict[str, StoredUsage]:
        """What is stored of some meters in a span, by meter; only what is not in memory is read."""
        known = {
            meter: part
            for meter in meters
            if (part := self._memory.get(meter)) is not None and part.span.overlaps(span)
        }
        unknown = [meter for meter in meters if meter not in known]
        for meter, usage in (await self._read(unknown, span)).items():
            known[meter] = KnownUsage(span, usage)
            if meter not in self._memory and span.end - span.start <= KEPT_MS:
                self._memory[meter] = known[meter]
        await self._complete(known, {m: each for m, each in known.items() if span.start < each.span.start}, span.start)
        await self._complete(known, {m: each for m, each in known.items() if each.span.end < span.end}, span.end)
        return {meter: part.usage.within(span) for meter, part in known.items()}

    async def _complete(self, known: dict[str, KnownUsage], some: Mapping[str, KnownUsage], edge: int) -> None:
        """Read what lies between an edge and what is known of some meters."""
        if not some:
            return
        gaps = {
            meter: Span(edge, each.span.start) if edge < each.span.start else Span(each.span.end, edge)
            for meter, each in some.items()
        }
        hull = Span(min(gap.start for gap in gaps.values()), max(gap.end for gap in gaps.values()))
        for meter, usage in (await self._read(gaps, hull)).items():
            before, gap = some[meter], gaps[meter]
            span = Span(min(gap.start, before.span.start), max(gap.end, before.span.end))
            known[meter] = KnownUsage(span, before.usage.with_part(gap, usage.within(gap)))
            if self._memory.get(meter) is before and span.end - span.start <= KEPT_MS:
                self._memory[meter] = known[meter]

    async def _read(self, meters: Collection[str], span: Span) -> dict[str, StoredUsage]:
        if not meters or span.start >= span.end:
            return {meter: StoredUsage() for meter in meters}
        statement = select(USAGE, (*NUMBERS, "rule"), self._where(meters, span), ("meter", *SeriesKey._fields))
        tables = await self._store.tables(statement, OPERATOR_DATABASE)
        contents: dict[str, dict[SeriesKey, Rows]] = {}
        for table in tables:
            tags = table.tags
            key = SeriesKey(*(tags[name] for name in SeriesKey._fields))
            numbers = np.stack([table.fields[name].astype(np.float64) for name in NUMBERS], axis=1)
            masks = np.array([mask_of(str(text)) for text in table.fields["rule"].tolist()], dtype=np.int64)
            contents.setdefault(tags["meter"], {})[key] = Rows(table.times, numbers, masks)
        return {meter: StoredUsage(contents.get(meter, {})) for meter in meters}

    def _remember(self, meter: str, span: Span, usage: StoredUsage) -> None:
        """Keep what a span holds, joined with what is known right before and after it."""
        part = self._memory.get(meter)
        if part is not None and part.span.start <= span.end and span.start <= part.span.end:
            usage = part.usage.with_part(span, usage)
            span = Span(min(span.start, part.span.start), max(span.end, part.span.end))
        self._memory[meter] = KnownUsage(span, usage)

    async def replace(
        self,
        meter: str,
        window: Span,
        new: StoredUsage,
        before: StoredUsage,
        now_ms: int,
        *,
        everything: bool = False,
    ) -> dict[str, Times]:
        """Store `new` in a window in place of `before`, with the writer's next `flush`.

        Returns the starts that changed, by the tenant who has or had the meter then (empty for none). `everything`:
        tenants' databases, which may have less than the operator's, also get what did not change.
        """
        after = new.series
        plan = Difference(before, after)
        changed, revised = plan.changed, plan.revised(now_ms)
        self._remember(meter, window, new)
        if leaving := plan.leaving:
            span = Span(min(leaving), max(leaving) + QUARTER_MS)
            kept = await self._revised(meter, span)
            if await self._delete(meter, span, {key.tenant for key in (*before.series, *after)}):
                for key, rows in after.items():
                    inside = starts_in(rows.start, span)
                    before_that = kept.get(key, _NEVER).of(rows.start)
                    revised[key] = np.where(inside & (revised[key] == 0), before_that, revised[key])
                    changed[key] = changed[key] | inside
            else:
                self._memory.pop(meter, None)
                for key, rows in plan.gone.items():
                    await self._write(SeriesRows.of_one(meter, key, zeros(rows)))
                after = plan.overwriting()
        for key, rows in after.items():
            chosen = changed[key]
            if chosen.any():
                await self._write(SeriesRows.of_one(meter, key, rows.where(chosen), revised[key][chosen]))
            if everything and not chosen.all():
                await self._write(SeriesRows.of_one(meter, key, rows.where(~chosen)), operator=False)
        return plan.starts()

    async def add(self, some: Mapping[str, StoredUsage], window: Span) -> None:
        """Write the use of meters in a window of which nothing is stored, with the writer's next `flush`."""
        by_tenant: dict[str, list[tuple[str, Rows]]] = {}
        for meter, usage in some.items():
            self._remember(meter, window, usage)
            for key, rows in usage.series.items():
                by_tenant.setdefault(key.tenant, []).append((self._prefix(meter, key), rows))
        for tenant, parts in by_tenant.items():
            prefixes = [prefix for prefix, rows in parts for _ in range(len(rows.start))]
            rows = joined([rows for _, rows in parts])
            never = np.zeros(_ROWS_AT_ONCE, dtype=np.int64)
            for first in range(0, len(prefixes), _ROWS_AT_ONCE):
                part = slice(first, first + _ROWS_AT_ONCE)
                await self._write_lines(prefixes[part], rows.where(part), never[: len(prefixes[part])], tenant)

    async def overwrite(self, meters: Collection[str], some: SeriesRows, window: Span) -> None:
        """Write rows that add to or overwrite what is stored, with the writer's next `flush`.

        What is stored of `meters` before `window` must be in memory; nothing else of them may be stored in the window.
        """
        for of_tenant in some.by_tenant().values():
            await self._write(of_tenant)
        for place, (meter, key) in enumerate(zip(some.meters, some.keys, strict=True)):
            part = self._memory[meter]
            usage = part.usage.with_row(key, some.rows.where(slice(place, place + 1)))
            self._memory[meter] = KnownUsage(part.span, usage)
        for meter in meters:
            part = self._memory[meter]
            if part.span.end < window.end:
                self._memory[meter] = KnownUsage(Span(part.span.start, window.end), part.usage)

    async def _revised(self, meter: str, span: Span) -> dict[SeriesKey, _Revisions]:
        """When what is stored in a span was revised."""
        statement = select(USAGE, ["revised"], self._where([meter], span), SeriesKey._fields)
        tables = await self._store.tables(statement, OPERATOR_DATABASE)
        return {
            SeriesKey(*(table.tags[name] for name in SeriesKey._fields)): _Revisions(
                table.times, table.fields["revised"].astype(np.int64)
            )
            for table in tables
        }

    async def gap_starts(self, meter: str, span: Span) -> list[int]:
        """Starts of stored quarter hours in a span that are part of a long gap."""
        condition = self._where([meter], span, also=[exceeds("estimated", 0)])
        rows = await self._store.query(select(USAGE, ("rule", "estimated"), condition), OPERATOR_DATABASE)
        long = ("gap_shaped", "gap_linear")
        return sorted(
            {row["time"] // NS_PER_MS for row in rows if any(rule in (row["rule"] or "").split(",") for rule in long)}
        )

    async def forget(self, meter: str, tenants: Iterable[str]) -> None:
        """Delete all that is stored of a meter."""
        self._memory.pop(meter, None)
        await self._delete(meter, EVER, tenants)

    def newly_written(self) -> int:
        """Points written since the last call."""
        count, self._written = self._written, 0
        return count

    async def _write(self, some: SeriesRows, *, operator: bool = True) -> None:
        """Write rows that are all of one tenant, or of none."""
        prefixes = [self._prefix(meter, key) for meter, key in zip(some.meters, some.keys, strict=True)]
        await self._write_lines(prefixes, some.rows, some.revised, some.keys[0].tenant, operator=operator)

    async def _write_lines(
        self, prefixes: Sequence[str], rows: Rows, revised: Times, tenant: str, *, operator: bool = True
    ) -> None:
        lines = lines_of(prefixes, rows, revised)
        self._written += len(lines) if operator else 0
        await self._writer.add(lines, tenant, operator=operator)

    def _prefix(self, meter: str, key: SeriesKey) -> str:
        prefix = self._prefixes.get((meter, key))
        if prefix is None:
            prefix = series(USAGE, {"park": self._park, "meter": meter, **key._asdict()})
            self._prefixes[meter, key] = prefix
        return prefix

    async def _delete(self, meter: str, span: Span, tenants: Iterable[str]) -> bool:
        """Delete a span of a meter everywhere; returns whether this database can delete."""
        await self._writer.flush()
        owners = [tenant_database(self._park, each) for each in tenants if each and self._writer.has_database(each)]
        return await self._store.delete(USAGE, self._where([meter], span), (OPERATOR_DATABASE, *owners))

    def _where(self, meters: Collection[str], span: Span, also: Iterable[str] = ()) -> str:
        return where({"park": self._park, "meter": meters}, span.start, span.end, also)


def _copied(usage: StoredUsage) -> StoredUsage:
    """A copy of the arrays, so that the memory of what was cut off is freed."""
    return StoredUsage(
        {key: Rows(rows.start.copy(), rows.numbers.copy(), rows.rules.copy()) for key, rows in usage.series.items()}
    )

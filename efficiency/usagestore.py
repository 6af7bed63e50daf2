"""The stored usage of a park: what differs is written, what no longer holds is removed, what changed says since when.

A value that changed after its interval had been complete gets `revised`. A point that must go (its band, role or tenant
changed), or that loses a field, cannot be overwritten: its meter's stretch is deleted and written whole. InfluxDB 1.x
and 2.x delete in InfluxQL; 3.x does not delete, so there what no longer holds is overwritten with zeros, which leaves
every sum right.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from efficiency.intervals import QUARTER_MS, Span
from efficiency.worth import BAND_NAMES, NUMBERS, Place, Rows, rule_text
from metering.errors import OperatorError
from store.client import RejectedError, Row, Store
from store.lines import series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE, tenant_database

LINES_AT_ONCE = 2500
_WORTH = tuple(NUMBERS.index(name) for name in ("amount", "cost_vnd", "co2e_kg", "toe"))

log = logging.getLogger(__name__)

Key = tuple[str | None, str, str, str, int]
"""Tenant, utility, role, band, start (ms)."""

Content = tuple[tuple[float | None, ...], str]
"""Numbers as in `NUMBERS`, and the rules."""


@dataclass(slots=True)
class Stored:
    """Points of one meter that are in the store: content, and when it was revised."""

    content: dict[Key, Content] = field(default_factory=dict)
    revised: dict[Key, int] = field(default_factory=dict)

    def within(self, span: Span) -> "Stored":
        """Those that start in a span."""
        return Stored(
            {key: content for key, content in self.content.items() if span.start <= key[4] < span.end},
            {key: at for key, at in self.revised.items() if span.start <= key[4] < span.end},
        )


class UsageStore:
    """Reads and writes `usage` of one park, for the operator and for each tenant that has a database."""

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self._tenants: dict[str, bool] = {}
        self._deletes = True
        self._pending: dict[tuple[str | None, bool], list[str]] = {}
        self._written = 0

    async def stored(self, meters: Collection[str], span: Span) -> dict[str, Stored]:
        """What stands there of some meters, by meter."""
        found = {meter: Stored() for meter in meters}
        if not meters:
            return found
        fields = ",".join(f'"{name}"' for name in (*NUMBERS, "rule", "revised"))
        rows = await self._store.query(
            f'SELECT {fields} FROM "{USAGE}" WHERE {self._where(meters, span)} '
            'GROUP BY "meter","tenant","utility","role","band"',
            OPERATOR_DATABASE,
        )
        for row in rows:
            of_meter, start = found[row["meter"]], row["time"] // NS_PER_MS
            key = (row["tenant"] or None, row["utility"], row["role"], row["band"], start)
            of_meter.content[key] = (tuple(_number(row.get(name)) for name in NUMBERS), row["rule"] or "")
            if row.get("revised") is not None:
                of_meter.revised[key] = int(row["revised"])
        return found

    async def replace(
        self, meter: str, place: Place, rows: Rows, before: Stored, now_ms: int, *, everything: bool = False
    ) -> list[int]:
        """Make the store hold `rows` where it held `before`, with the next `flush`; returns the starts that changed.

        `everything`: tenants' databases, which may have less than the operator's, get what did not change too.
        """
        after = _contents(place, rows)
        same_worth = {key: content for key, content in before.content.items() if key in after}
        changed = {key: content for key, content in after.items() if before.content.get(key) != content}
        gone = [key for key in before.content if key not in after]
        lost = [key for key in changed if key in same_worth and _loses(same_worth[key], changed[key])]
        complete = {(key[4]) for key, content in before.content.items() if content[0][1] == 1}
        revised = {
            key: now_ms
            for key, content in changed.items()
            if key[4] in complete and (key not in same_worth or _worth(content) != _worth(same_worth[key]))
        }
        if gone or lost:
            starts = [key[4] for key in (*gone, *lost)]
            span = Span(min(starts), max(starts) + QUARTER_MS)
            inside = {key: content for key, content in after.items() if span.start <= key[4] < span.end}
            tenants = {key[0] for key in before.content} | {place.tenant}
            if await self._delete(meter, span, tenants):
                changed |= inside
                revised = {key: at for key, at in before.revised.items() if key in inside} | revised
            else:
                await self._write(meter, {key: _zeros(before.content[key]) for key in gone}, {})
                changed |= {key: _filled(changed[key], same_worth[key]) for key in lost}
        await self._write(meter, changed, revised)
        if everything:
            await self._write(meter, {key: after[key] for key in after.keys() - changed.keys()}, {}, operator=False)
        return sorted({key[4] for key in (*changed, *gone)})

    async def gap_starts(self, meter: str, span: Span) -> list[int]:
        """Starts of the quarter hours of long gaps that are stored in a span."""
        rows = await self._store.query(
            f'SELECT "rule","estimated" FROM "{USAGE}" WHERE {self._where([meter], span)} AND "estimated" > 0',
            OPERATOR_DATABASE,
        )
        long = ("gap_shaped", "gap_linear")
        return sorted(
            {row["time"] // NS_PER_MS for row in rows if any(rule in (row["rule"] or "").split(",") for rule in long)}
        )

    async def tenant_lines(self, tenant: str, lines: Sequence[str]) -> None:
        """Write lines to a tenant's database, making it where it is missing and the account may; else say so once."""
        database = tenant_database(self._park, tenant)
        if self._tenants.get(tenant, True):
            try:
                await self.write_lines(lines, database)
            except OperatorError as missing:
                try:
                    await self._store.create_database(database)
                    await self.write_lines(lines, database)
                except (OperatorError, RejectedError) as error:
                    self._tenants[tenant] = False
                    log.error(  # noqa: TRY400 (the operator's, no traceback)
                        "%s has no figures of its own: %s (%s); make its database and start anew",
                        tenant,
                        missing,
                        error,
                    )
            else:
                self._tenants[tenant] = True

    async def write_lines(self, lines: Sequence[str], database: str = OPERATOR_DATABASE) -> None:
        """Write lines, as many at once as the database likes."""
        for first in range(0, len(lines), LINES_AT_ONCE):
            await self._store.write(lines[first : first + LINES_AT_ONCE], database)

    def taken(self) -> int:
        """Points written since the last time that this was asked."""
        count, self._written = self._written, 0
        return count

    async def flush(self) -> None:
        """Write what was collected."""
        pending, self._pending = self._pending, {}
        await self.write_lines([line for (_, operator), lines in pending.items() if operator for line in lines])
        for (tenant, _), lines in pending.items():
            if tenant is not None:
                await self.tenant_lines(tenant, lines)

    async def _write(
        self, meter: str, contents: Mapping[Key, Content], revised: Mapping[Key, int], *, operator: bool = True
    ) -> None:
        by_tenant: dict[str | None, list[str]] = {}
        prefixes: dict[tuple[str | None, str, str, str], str] = {}
        for key, (numbers, rules) in contents.items():
            prefix = prefixes.get(key[:4])
            if prefix is None:
                prefix = prefixes[key[:4]] = self._series(meter, key)
            fields = [f"{name}={value!r}" for name, value in zip(NUMBERS, numbers, strict=True) if value is not None]
            since = f",revised={revised[key]}i" if key in revised else ""
            line = f'{prefix} {",".join(fields)},rule="{rules}"{since} {key[4]}000000'
            by_tenant.setdefault(key[0], []).append(line)
        for tenant, lines in by_tenant.items():
            self._pending.setdefault((tenant, operator), []).extend(lines)
            self._written += len(lines) if operator else 0
        if sum(map(len, self._pending.values())) >= LINES_AT_ONCE:
            await self.flush()

    def _series(self, meter: str, key: Key) -> str:
        tenant, utility, role, band, _ = key
        tags = {"park": self._park, "tenant": tenant, "utility": utility, "meter": meter, "role": role, "band": band}
        return series(USAGE, tags)

    async def _delete(self, meter: str, span: Span, tenants: Iterable[str | None]) -> bool:
        """Delete a stretch everywhere; whether this database deletes at all."""
        if not self._deletes:
            return False
        await self.flush()
        statement = f'DELETE FROM "{USAGE}" WHERE {self._where([meter], span)}'
        try:
            await self._store.query(statement, OPERATOR_DATABASE)
        except RejectedError as error:
            self._deletes = False
            log.warning("this database does not delete (%s); what no longer holds is set to zero", error)
            return False
        for tenant in tenants:
            if tenant is not None and self._tenants.get(tenant, True):
                try:
                    await self._store.query(statement, tenant_database(self._park, tenant))
                except (OperatorError, RejectedError) as error:
                    log.info("nothing was deleted of %s: %s", tenant, error)
        return True

    def _where(self, meters: Collection[str], span: Span) -> str:
        name = f'"meter" =~ /^({"|".join(meters)})$/'
        if len(meters) == 1:
            (only,) = meters
            name = f"\"meter\" = '{only}'"
        times = f"time >= {span.start * NS_PER_MS} AND time <= {span.end * NS_PER_MS - 1}"
        return f"\"park\" = '{self._park}' AND {name} AND {times}"


def _contents(place: Place, rows: Rows) -> dict[Key, Content]:
    tenant, utility, role = place.tenant, place.utility, place.role
    return {
        (tenant, utility, role, BAND_NAMES[band], start): (
            # NaN differs from itself
            tuple(value if value == value else None for value in numbers),  # noqa: PLR0124
            rule_text(mask),
        )
        for start, band, numbers, mask in zip(
            rows.start.tolist(), rows.band.tolist(), rows.numbers.tolist(), rows.rules.tolist(), strict=True
        )
    }


def _number(value: Row | float | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _worth(content: Content) -> tuple[float | None, ...]:
    return tuple(content[0][place] for place in _WORTH)


def _loses(before: Content, after: Content) -> bool:
    return any(old is not None and new is None for old, new in zip(before[0], after[0], strict=True))


def _zeros(content: Content) -> Content:
    return tuple(None if value is None else 0.0 for value in content[0]), "superseded"


def _filled(after: Content, before: Content) -> Content:
    numbers = (0.0 if new is None and old is not None else new for old, new in zip(before[0], after[0], strict=True))
    return tuple(numbers), after[1]

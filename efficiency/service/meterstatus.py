"""Writes, for every current meter, the seconds since its last reading, and how many are allowed.

A meter is heard when any of its quantities arrives, not only its counter. The usage service decides, so that several
ingesters cannot disagree. A tenant sees its own meters.
"""

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

from metering.errors import OperatorError
from metering.instants import local_day
from metering.meters import Meter
from metering.park import Park
from metering.quantities import UTILITIES
from store.client import Store
from store.lines import point, series
from store.schema import METER_STATUS, NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import select, where

LOOK_BACK_MS = 3_600_000
"""The newest reading is looked for in this time first, and among all that is stored only if there is none."""


class MeterStatus:
    """Writes `meter_status`; remembers the last reading of each meter that it has seen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[tuple[str, str], int] = {}

    async def write(self, park: Park, now_ms: int) -> None:
        """One point for every meter of the park, stamped with the minute."""
        there = [(meter, had) for meter in park.meters if (had := meter.belonging_at(now_ms)) is not None]
        await self._look(park, [meter for meter, _ in there], now_ms - LOOK_BACK_MS)
        quiet = [meter for meter, _ in there if self._last.get((park.id, meter.id), 0) < now_ms - LOOK_BACK_MS]
        await self._look(park, quiet, None)
        today = local_day(now_ms, park.zone)
        minute = now_ms // 60_000 * 60_000
        lines: dict[str | None, list[str]] = {}
        for meter, had in there:
            tags = {"park": park.id, "tenant": had.tenant, "utility": meter.utility.value, "meter": meter.id}
            last = self._last.get((park.id, meter.id))
            allowed = park.silent_after_s(meter, had.tenant, today)
            fields: dict[str, float | bool] = {"heard": last is not None, "silent_after_s": float(allowed)}
            if last is not None:
                fields["seconds_since_last"] = max(now_ms - last, 0) / 1000
            own = lines.setdefault(had.tenant, [])
            own.append(point(series(METER_STATUS, tags), fields, minute * NS_PER_MS))
        if lines:
            await self._store.write(list(chain.from_iterable(lines.values())), OPERATOR_DATABASE)
        for tenant, own in lines.items():
            if tenant is not None:
                with suppress(OperatorError):  # `ParkWriter` creates the database, or logs that it cannot
                    await self._store.write(own, tenant_database(park.id, tenant))

    def last(self, park: Park, gateway: str) -> int | None:
        """The newest reading of all meters of a gateway, ms, as of the last `write`; None if there was none."""
        seen = [self._last.get((park.id, meter.id)) for meter in park.meters_of(gateway)]
        return max((ms for ms in seen if ms is not None), default=None)

    async def _look(self, park: Park, meters: Sequence[Meter], since_ms: int | None) -> None:
        """Find the newest reading of each meter, whichever of its quantities it has."""
        for utility, spec in UTILITIES.items():
            names = [meter.id for meter in meters if meter.utility is utility]
            if not names:
                continue
            condition = where({"park": park.id, "meter": names}, since_ms)
            rows = await self._store.query(
                select(utility.value, spec.quantities, condition, ["meter"], newest=1), OPERATOR_DATABASE
            )
            for row in rows:
                key, ms = (park.id, row["meter"]), row["time"] // NS_PER_MS
                self._last[key] = max(ms, self._last.get(key, ms))

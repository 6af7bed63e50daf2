"""Who is silent: for every meter of the park file the seconds since its last reading, from what the database holds.

One service says it for all, so that several ingesters cannot disagree. A tenant sees its own meters.
"""

from contextlib import suppress
from itertools import chain

from efficiency.valuation.rows import place_of
from metering.errors import OperatorError
from metering.park import Park
from metering.quantities import UTILITIES
from store.client import Store
from store.lines import point, series
from store.schema import METER_STATUS, NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import Of, select, where

LOOK_BACK_MS = 3_600_000
"""Who has a reading within this is not looked for in all that is stored."""


class MeterStatus:
    """Writes `meter_status`; remembers the last reading of each meter that it has seen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[tuple[str, str], int] = {}

    async def write(self, park: Park, now_ms: int) -> None:
        """One point for every meter of the park, stamped with the minute."""
        await self._look(park, now_ms - LOOK_BACK_MS)
        if any((park.id, meter.id) not in self._last for meter in park.meters):
            await self._look(park, None)
        minute = now_ms // 60_000 * 60_000
        lines: dict[str | None, list[str]] = {}
        for meter in park.meters:
            place = place_of(park, meter, now_ms)
            tags = {"park": park.id, "tenant": place.tenant, "utility": place.utility, "meter": meter.id}
            last = self._last.get((park.id, meter.id))
            fields: dict[str, float | bool] = {"heard": last is not None}
            if last is not None:
                fields["seconds_since_last"] = max(now_ms - last, 0) / 1000
            own = lines.setdefault(place.tenant, [])
            own.append(point(series(METER_STATUS, tags), fields, minute * NS_PER_MS))
        if lines:
            await self._store.write(list(chain.from_iterable(lines.values())), OPERATOR_DATABASE)
        for tenant, own in lines.items():
            if tenant is not None:
                with suppress(
                    OperatorError
                ):  # who writes the tenant's usage makes its database, or says that it cannot
                    await self._store.write(own, tenant_database(park.id, tenant))

    def last(self, park: Park, gateway: str) -> int | None:
        """The newest reading of all meters of a gateway, ms, as of the last `write`; None where there was none."""
        seen = [self._last.get((park.id, meter.id)) for meter in park.meters_of(gateway)]
        return max((ms for ms in seen if ms is not None), default=None)

    async def _look(self, park: Park, since_ms: int | None) -> None:
        for utility, spec in UTILITIES.items():
            rows = await self._store.query(
                select(utility.value, [Of("last", spec.counter)], where({"park": park.id}, since_ms), ["meter"]),
                OPERATOR_DATABASE,
            )
            for row in rows:
                key, ms = (park.id, row["meter"]), row["time"] // NS_PER_MS
                self._last[key] = max(ms, self._last.get(key, ms))

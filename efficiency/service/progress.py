"""How far the usage of a park is computed, stored in the database so that the service needs no disk.

`USAGE_CURSOR` says up to which time of writing `arrivals` are processed, and up to which instant readings are. A
restarted service continues from there. The clocks of ingesters may differ from ours by `SKEW_MS`, so arrivals written
that long before the cursor are read again; those already processed are skipped.
"""

from dataclasses import dataclass

from efficiency.usage.intervals import Span
from metering.instants import FUTURE_MS
from store.client import Store
from store.lines import point, series
from store.schema import ARRIVALS, NS_PER_MS, OPERATOR_DATABASE, USAGE_CURSOR
from store.select import ns, select, where

SKEW_MS = FUTURE_MS


@dataclass(frozen=True, slots=True)
class Cursor:
    """`arrivals` written before this time (ns) are processed, and readings up to `computed` (ms).

    The `figures` of all months before the one of this instant (ms) are computed.
    """

    arrivals: int
    computed: int
    figures: int


class Progress:
    """Cursor and arrivals of one park."""

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self._seen: dict[tuple[str, str, int], int] = {}

    async def load(self) -> Cursor | None:
        """The newest cursor; None if nothing was ever computed."""
        rows = await self._store.query(
            select(USAGE_CURSOR, ("arrivals", "computed", "figures"), where({"park": self._park}), newest=1),
            OPERATOR_DATABASE,
        )
        return Cursor(*(int(rows[0][name]) for name in ("arrivals", "computed", "figures"))) if rows else None

    async def save(self, cursor: Cursor, now_ms: int) -> None:
        """Store the cursor."""
        fields = {"arrivals": cursor.arrivals, "computed": cursor.computed, "figures": cursor.figures}
        line = point(series(USAGE_CURSOR, {"park": self._park}), fields, now_ms * NS_PER_MS)
        await self._store.write([line], OPERATOR_DATABASE)

    async def arrivals(self, since_ns: int) -> dict[str, list[Span]]:
        """The spans of readings that arrived since the cursor, by meter; each is returned once."""
        after = since_ns // NS_PER_MS - SKEW_MS
        rows = await self._store.query(
            select(ARRIVALS, ("first", "last", "instance"), where({"park": self._park}, after), ["meter"]),
            OPERATOR_DATABASE,
        )
        self._seen = {key: at for key, at in self._seen.items() if at >= ns(after)}
        found: dict[str, list[Span]] = {}
        for row in rows:
            key = (row["meter"], row["instance"], row["time"])
            if key not in self._seen:
                self._seen[key] = row["time"]
                found.setdefault(row["meter"], []).append(Span(row["first"], row["last"] + 1))
        return found

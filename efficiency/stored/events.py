"""Keeps `events` of meters and of the park as they are found: new ones are written, those found no longer taken away.

Those of gateways and of what cannot be computed are kept by `efficiency.service`.
"""

from collections.abc import Sequence

from efficiency.stored.writer import ParkWriter
from efficiency.usage.events import Event
from metering.model import Localized
from store.client import Store
from store.lines import point, series
from store.schema import EVENTS, GATEWAY_OFFLINE, NOT_COMPUTED, NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import differs, select, where

PARK = ""
"""In place of a meter: what happened to the park."""


class EventStore:
    """Events of one park."""

    def __init__(self, store: Store, park: str, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._writer = writer
        self._known: dict[str, list[Event]] | None = None

    async def load(self) -> None:
        """Read what stands there, once: events are few, and whoever else computes finds the same."""
        if self._known is not None:
            return
        rows = await self._store.query(
            select(
                EVENTS,
                ("text_en", "text_vi"),
                where({"park": self._park}, also=[differs("kind", GATEWAY_OFFLINE), differs("kind", NOT_COMPUTED)]),
                ("meter", "kind"),
            ),
            OPERATOR_DATABASE,
        )
        self._known = {}
        for row in rows:
            event = Event(row["time"] // NS_PER_MS, row["kind"], Localized(en=row["text_en"], vi=row["text_vi"]))
            self._known.setdefault(row["meter"], []).append(event)

    def known(self, meter: str) -> list[Event]:
        """What stands there of a meter in order of time, after `load`; of the park under `PARK`."""
        return sorted((self._known or {}).get(meter, ()), key=lambda event: (event.at, event.kind))

    async def replace(self, meter: str, tenant: str | None, before: Sequence[Event], after: Sequence[Event]) -> None:
        """Make the store hold `after` where it holds `before`."""
        there = {(event.at, event.kind) for event in after}
        for event in before:
            if (event.at, event.kind) not in there:
                await self._delete(meter, tenant, event)
        lines = [
            point(
                series(EVENTS, {"park": self._park, "tenant": tenant, "meter": meter, "kind": event.kind}),
                {"text_en": event.text.en, "text_vi": event.text.vi},
                event.at * NS_PER_MS,
            )
            for event in after
            if event not in before
        ]
        if lines:
            await self._writer.add(lines, tenant)
        rest = [event for event in self.known(meter) if event not in before and event not in after]
        if self._known is not None:
            self._known[meter] = [*rest, *after]

    async def _delete(self, meter: str, tenant: str | None, event: Event) -> None:
        """Where the database does not delete, an event that was taken for one stays."""
        await self._writer.flush()
        databases = (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else []))
        tags = {"park": self._park, "meter": meter, "kind": event.kind}
        await self._store.delete(EVENTS, where(tags, event.at, event.at + 1), databases)

"""Stores `events` of meters and of the park: writes those that are new, deletes those that are no longer found.

`efficiency.service` writes the events of gateways and of what cannot be computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from efficiency.stored.writer import ParkWriter
from efficiency.usage.events import Event
from metering.model import Localized
from store.client import Store
from store.lines import point, series
from store.schema import EVENTS, GATEWAY_OFFLINE, NOT_COMPUTED, NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import differs, select, where

PARK = ""
"""In place of a meter: the park itself."""


@dataclass(frozen=True, slots=True)
class OwnedEvent:
    """An event and the tenant who had the meter then."""

    event: Event
    tenant: str | None


class EventStore:
    """Events of one park."""

    def __init__(self, store: Store, park: str, writer: ParkWriter) -> None:
        self._store = store
        self._park = park
        self._writer = writer
        self._known: dict[str, list[OwnedEvent]] | None = None

    async def load(self) -> None:
        """Read what is stored, once: events are few, and another process would find the same."""
        if self._known is not None:
            return
        rows = await self._store.query(
            select(
                EVENTS,
                ("text_en", "text_vi"),
                where({"park": self._park}, also=[differs("kind", GATEWAY_OFFLINE), differs("kind", NOT_COMPUTED)]),
                ("meter", "kind", "tenant"),
            ),
            OPERATOR_DATABASE,
        )
        self._known = {}
        for row in rows:
            event = Event(row["time"] // NS_PER_MS, row["kind"], Localized(en=row["text_en"], vi=row["text_vi"]))
            self._known.setdefault(row["meter"], []).append(OwnedEvent(event, row["tenant"] or None))

    def known(self, meter: str) -> list[OwnedEvent]:
        """The stored events of a meter, or of the park (`PARK`), in order of time; call `load` before."""
        return sorted((self._known or {}).get(meter, ()), key=lambda owned: (owned.event.at, owned.event.kind))

    async def replace(self, meter: str, before: Sequence[OwnedEvent], after: Sequence[OwnedEvent]) -> None:
        """Store `after` in place of `before`."""
        kept = {(owned.event.at, owned.event.kind, owned.tenant) for owned in after}
        for owned in before:
            if (owned.event.at, owned.event.kind, owned.tenant) not in kept:
                await self._delete(meter, owned)
        for owned in after:
            if owned not in before:
                event = owned.event
                tags = {"park": self._park, "tenant": owned.tenant, "meter": meter, "kind": event.kind}
                fields = {"text_en": event.text.en, "text_vi": event.text.vi}
                await self._writer.add([point(series(EVENTS, tags), fields, event.at * NS_PER_MS)], owned.tenant)
        rest = [owned for owned in self.known(meter) if owned not in before and owned not in after]
        if self._known is not None:
            self._known[meter] = [*rest, *after]

    async def _delete(self, meter: str, owned: OwnedEvent) -> None:
        """Delete an event; it stays if the database cannot delete."""
        await self._writer.flush()
        event, tenant = owned.event, owned.tenant
        databases = (OPERATOR_DATABASE, *([tenant_database(self._park, tenant)] if tenant else []))
        tags = {"park": self._park, "meter": meter, "kind": event.kind, "tenant": tenant or ""}
        await self._store.delete(EVENTS, where(tags, event.at, event.at + 1), databases)

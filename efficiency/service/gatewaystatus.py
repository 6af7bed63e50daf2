"""Which gateways are silent: an event that begins when a gateway was last heard and ends when it is heard again.

A gateway is heard whenever a reading of one of its meters arrives, new or old: a gateway that sends its backlog is
there. It is silent when it was last heard longer ago than its meters may be silent. The event remains even if a backlog
later fills the gap. It is written again, with its end, when the gateway is heard.
"""

from dataclasses import dataclass

from efficiency.service.meterstatus import LOOK_BACK_MS, MeterStatus
from efficiency.usage.events import lasted
from metering.instants import local_day
from metering.model import Localized
from metering.park import Gateway, Park
from store.client import Store
from store.lines import point, series
from store.schema import ARRIVALS, EVENTS, GATEWAY_OFFLINE, NS_PER_MS, OPERATOR_DATABASE
from store.select import Of, select, where


@dataclass(frozen=True, slots=True)
class _Silence:
    """From when a gateway was last heard (ms) to when it was heard again; None if it is still silent."""

    begin: int
    end: int | None


class GatewayStatus:
    """Writes `gateway_offline` events. After a restart it continues from the events in the database."""

    def __init__(self, store: Store, meters: MeterStatus) -> None:
        self._store = store
        self._meters = meters
        self._known: dict[str, dict[str, _Silence]] = {}

    async def write(self, park: Park, now_ms: int) -> None:
        """Write which gateways have fallen silent, and which are heard again. Call `MeterStatus.write` before."""
        if park.id not in self._known:
            self._known[park.id] = await self._load(park.id)
        known = self._known[park.id]
        news: dict[str, _Silence] = {}
        patience = _patience_ms(park, now_ms)
        read = [each for each in park.gateways if each.id in patience and self._meters.last(park, each.id) is not None]
        # Further back than any gateway may be silent: a silence begins with the last arrival before it.
        arrived = await self._arrived(park, now_ms - max(patience.values(), default=0) - LOOK_BACK_MS)
        for gateway in read:
            heard = [
                self._meters.last(park, gateway.id),
                *(arrived.get(each.id) for each in park.meters_of(gateway.id)),
            ]
            before = known.get(gateway.id)
            found = _judged(before, max(ms for ms in heard if ms is not None), now_ms, patience[gateway.id])
            if found is not None and found != before:
                news[gateway.id] = found
        if news:
            lines = [_line(park, gateway, news[gateway.id]) for gateway in park.gateways if gateway.id in news]
            await self._store.write_kept(lines, OPERATOR_DATABASE)
            known |= news

    async def _arrived(self, park: Park, since_ms: int) -> dict[str, int]:
        """When an old reading last arrived from each meter, ms."""
        condition = where({"park": park.id}, since_ms)
        rows = await self._store.query(select(ARRIVALS, [Of("last", "last")], condition, ["meter"]), OPERATOR_DATABASE)
        return {row["meter"]: row["time"] // NS_PER_MS for row in rows}

    async def _load(self, park: str) -> dict[str, _Silence]:
        rows = await self._store.query(
            select(
                EVENTS,
                ("text_en", "end"),
                where({"park": park, "kind": GATEWAY_OFFLINE}),
                ["gateway"],
                newest=1,
            ),
            OPERATOR_DATABASE,
        )
        return {row["gateway"]: _Silence(row["time"] // NS_PER_MS, row["end"]) for row in rows}


def _judged(before: _Silence | None, heard: int, now_ms: int, patience_ms: int) -> _Silence | None:
    """The newest silence of a gateway that was last heard at `heard`; None if it was never silent."""
    if before is not None and before.end is None:
        return before if heard <= before.begin else _Silence(before.begin, now_ms)
    # The readings that ended a silence may be old.
    since = heard if before is None or before.end is None else max(heard, before.end)
    return _Silence(heard, None) if now_ms - since > patience_ms else before


def _patience_ms(park: Park, now_ms: int) -> dict[str, int]:
    """How long each gateway may be silent: the shortest time for which one of its meters may be."""
    today = local_day(now_ms, park.zone)
    allowed: dict[str, int] = {}
    for meter in park.meters:
        had = meter.belonging_at(now_ms)
        if had is not None:
            ms = park.silent_after_s(meter, had.tenant, today) * 1000
            allowed[meter.gateway] = min(ms, allowed.get(meter.gateway, ms))
    return allowed


def _line(park: Park, gateway: Gateway, silence: _Silence) -> str:
    tags = {"park": park.id, "gateway": gateway.id, "kind": GATEWAY_OFFLINE}
    fields: dict[str, str | int] = {}
    if silence.end is None:
        said = Localized(
            en=f"Gateway {gateway.name.en} has not been heard since.",
            vi=f"Thiết bị thu thập (gateway) {gateway.name.vi} mất kết nối từ lúc này.",
        )
    else:
        took = lasted(silence.end - silence.begin)
        said = Localized(
            en=f"Gateway {gateway.name.en} was not heard for {took.en}.",
            vi=f"Thiết bị thu thập (gateway) {gateway.name.vi} mất kết nối trong {took.vi}.",
        )
        fields["end"] = silence.end
    fields |= {"text_en": said.en, "text_vi": said.vi}
    return point(series(EVENTS, tags), fields, silence.begin * NS_PER_MS)

"""Which gateways are not heard: told as an event that begins with the last reading and ends when there are new ones.

A gateway is not heard when all its meters have been silent for longer than anybody allows them, as in the alert. What
it had kept may come later and leave no gap, yet it was not heard. An event is told again, complete, when it is over.
"""

from dataclasses import dataclass

from efficiency.service.meterstatus import MeterStatus
from efficiency.usage.events import lasted
from metering.model import Localized
from metering.park import Gateway, Park
from store.client import Store
from store.lines import point, series
from store.schema import EVENTS, GATEWAY_OFFLINE, NS_PER_MS, OPERATOR_DATABASE
from store.select import select, where


@dataclass(frozen=True, slots=True)
class _Silence:
    """From the last reading, ms, to when something was heard again, or None."""

    begin: int
    end: int | None


class GatewayStatus:
    """Writes `gateway_offline` of gateways; what was written stands in the database, so a restart changes nothing."""

    def __init__(self, store: Store, meters: MeterStatus) -> None:
        self._store = store
        self._meters = meters
        self._known: dict[str, dict[str, _Silence]] = {}

    async def write(self, park: Park, now_ms: int) -> None:
        """Say which gateways are not heard since when, and which are again; `meters` must have looked before."""
        if park.id not in self._known:
            self._known[park.id] = await self._load(park.id)
        known = self._known[park.id]
        news: dict[str, _Silence] = {}
        for gateway in park.gateways:
            last = self._meters.last(park, gateway.id)
            if last is None:
                continue
            before = known.get(gateway.id)
            found = _judged(before, last, now_ms, _patience_ms(park, gateway))
            if found is not None and found != before:
                news[gateway.id] = found
        if news:
            lines = [_line(park, gateway, news[gateway.id]) for gateway in park.gateways if gateway.id in news]
            await self._store.write_kept(lines, OPERATOR_DATABASE)
            known |= news

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


def _judged(before: _Silence | None, last: int, now_ms: int, patience_ms: int) -> _Silence | None:
    """The newest silence of a gateway whose last reading was at `last`; None where there never was one."""
    if before is not None and before.end is None:
        return before if last <= before.begin else _Silence(before.begin, now_ms)
    # While it sends what it had kept its newest reading may be old, though it is heard.
    heard = last if before is None or before.end is None else max(last, before.end)
    return _Silence(last, None) if now_ms - heard > patience_ms else before


def _patience_ms(park: Park, gateway: Gateway) -> int:
    meters = park.meters_of(gateway.id)
    allowed = min(park.thresholds_of(meter.tenant).silent_s for meter in meters)
    return max(allowed, 2 * min(meter.interval_s for meter in meters)) * 1000


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

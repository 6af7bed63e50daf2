"""Silent gateways: one event for each silence, open while it lasts, complete when it is over."""

from efficiency.service.gatewaystatus import GatewayStatus
from efficiency.service.meterstatus import MeterStatus
from efficiency.usage.intervals import HOUR_MS
from ingest.arrivals import ArrivalSource, Extent, Trace
from store.answers import Row
from store.client import Store
from store.schema import GATEWAY_OFFLINE, NS_PER_MS, OPERATOR_DATABASE
from tests.efficiency.conftest import Field

MINUTE_MS = 60_000
QUIET, OTHER = "gw-west", "gw-east"


class Watch:
    """Checks each minute, as the service does; it can be restarted."""

    def __init__(self, store: Store, field: Field) -> None:
        self.store = store
        self.field = field
        self.restart()

    def restart(self) -> None:
        self.meters = MeterStatus(self.store)
        self.gateways = GatewayStatus(self.store, self.meters)

    async def look(self, now_ms: int) -> list[Row]:
        await self.meters.write(self.field.park, now_ms)
        await self.gateways.write(self.field.park, now_ms)
        fields = '"gateway","tenant","meter","end","text_en","text_vi"'
        return await self.store.query(
            f'SELECT {fields} FROM "events" WHERE "kind" = \'{GATEWAY_OFFLINE}\' ORDER BY time', OPERATOR_DATABASE
        )

    async def read(self, gateway: str, first: int, last: int) -> None:
        """The gateway's readings from `first` up to `last`."""
        await self.field.write(self.store, [meter.id for meter in self.field.park.meters_of(gateway)], first, last)

    async def deliver(self, gateway: str, first: int, last: int, now_ms: int) -> None:
        """The gateway sends its backlog; the ingester notes the arrival."""
        await self.read(gateway, first, last)
        late = {
            ArrivalSource(self.field.park.id, meter.id): Extent(first, last - 1)
            for meter in self.field.park.meters_of(gateway)
        }
        await self.store.write(Trace("ingest-1").lines(late, now_ms), OPERATOR_DATABASE)


async def test_a_lasting_silence_is_an_event_that_is_completed_when_it_ends(
    song_xanh_field: Field, store: Store
) -> None:
    field, watch = song_xanh_field, Watch(store, song_xanh_field)
    began = field.ms(days=2)
    await watch.read(QUIET, began - HOUR_MS, began)
    await watch.read(OTHER, began - HOUR_MS, began + 3 * HOUR_MS)
    assert await watch.look(began + 14 * MINUTE_MS) == []
    (row,) = await watch.look(began + 17 * MINUTE_MS)
    assert (row["gateway"], row["meter"], row["tenant"], row["end"]) == (QUIET, None, None, None)
    assert row["time"] // NS_PER_MS == began - MINUTE_MS
    assert row["text_en"] == "Gateway West row of factories has not been heard since."
    assert row["text_vi"] == "Thiết bị thu thập (gateway) Dãy nhà máy phía Tây mất kết nối từ lúc này."
    assert await watch.look(began + 40 * MINUTE_MS) == [row]
    watch.restart()
    assert await watch.look(began + 50 * MINUTE_MS) == [row]
    again = began + 79 * MINUTE_MS
    await watch.read(QUIET, began, began + 10 * MINUTE_MS)  # its backlog comes, oldest first
    (row,) = await watch.look(again)
    assert (row["time"] // NS_PER_MS, row["end"]) == (began - MINUTE_MS, again)
    assert row["text_en"] == "Gateway West row of factories was not heard for 1 h 20 min."
    assert row["text_vi"].endswith("mất kết nối trong 1 giờ 20 phút.")
    assert await watch.look(again + MINUTE_MS) == [row]
    watch.restart()
    assert await watch.look(again + 2 * MINUTE_MS) == [row]


async def test_a_second_silence_is_another_event_and_one_silent_meter_is_none(
    song_xanh_field: Field, store: Store
) -> None:
    field, watch = song_xanh_field, Watch(store, song_xanh_field)
    began = field.ms(days=2)
    one, *others = [meter.id for meter in field.park.meters_of(QUIET)]
    await field.write(store, [one, *others], began - HOUR_MS, began)
    await watch.look(began + HOUR_MS)
    await field.write(store, others, began + HOUR_MS, began + 2 * HOUR_MS)
    (first,) = await watch.look(began + 2 * HOUR_MS)
    assert first["end"] == began + 2 * HOUR_MS
    assert await watch.look(began + 2 * HOUR_MS + 10 * MINUTE_MS) == [first]
    rows = await watch.look(began + 3 * HOUR_MS)
    assert rows[0] == first
    assert [row["time"] // NS_PER_MS for row in rows[1:]] == [began + 2 * HOUR_MS - MINUTE_MS]


async def test_a_gateway_that_delivers_its_backlog_is_not_silent(song_xanh_field: Field, store: Store) -> None:
    """While a history of days arrives the newest reading is old; that is no silence until nothing more comes."""
    field, watch = song_xanh_field, Watch(store, song_xanh_field)
    began, now = field.ms(days=2), field.ms(days=4)
    for _ in range(5):
        await watch.deliver(QUIET, began, began + 5 * MINUTE_MS, now)
        assert await watch.look(now + 14 * MINUTE_MS) == []
        watch.restart()
        began, now = began + 5 * MINUTE_MS, now + 14 * MINUTE_MS
    heard = now - 14 * MINUTE_MS
    rows = await watch.look(heard + 16 * MINUTE_MS)
    assert [(row["time"] // NS_PER_MS, row["end"]) for row in rows] == [(heard, None)]
    watch.restart()
    assert await watch.look(heard + 3 * HOUR_MS) == rows
    again = heard + 4 * HOUR_MS
    await watch.deliver(QUIET, began, began + 5 * MINUTE_MS, again - MINUTE_MS)
    rows = await watch.look(again)
    assert [(row["time"] // NS_PER_MS, row["end"]) for row in rows] == [(heard, again)]
    assert await watch.look(again + 10 * MINUTE_MS) == rows

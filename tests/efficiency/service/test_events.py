"""Events: one for each occurrence, at its instant, the same when computed again, deleted when no longer found."""

from itertools import accumulate

from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS, Span
from metering.instants import midnight_ms
from proving.demo.plan import SEED
from proving.plant.events import FIELD_EVENTS, FieldEvent, Reset, Rollover, Spike, Stuck, Swap
from proving.plant.plant import Plant
from store.answers import Row
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series, tenant_database
from tests.efficiency.conftest import START, Field

GAP = "sm-brewery"
MINUTE_MS = 60_000


async def events(store: Store, database: str = OPERATOR_DATABASE) -> list[Row]:
    rows = await store.query('SELECT "tenant","meter","kind","text_en","text_vi" FROM "events"', database)
    return sorted(rows, key=lambda row: (row["meter"] or "", row["time"], row["kind"]))


async def test_a_gap_and_a_swap_are_one_event_each_and_a_filled_gap_is_none(
    song_xanh_field: Field, store: Store
) -> None:
    field = song_xanh_field
    swap = next(event for event in FIELD_EVENTS if isinstance(event, Swap))
    at = field.plant.at(swap)
    now = max(at, field.ms(days=1)) + 6 * HOUR_MS
    await field.write(store, [swap.meter], at - 6 * HOUR_MS, now)
    gap = (now - 14 * HOUR_MS, now - 11 * HOUR_MS)
    await field.write(store, [GAP], now - 24 * HOUR_MS, gap[0])
    await field.write(store, [GAP], gap[1], now)
    usage = ParkUsage(store, field.park)
    await usage.begin(now)
    await usage.cycle(now)
    found = await events(store)
    of_swap = [row for row in found if row["meter"] == swap.meter and row["kind"] == "swap"]
    assert [row["time"] // NS_PER_MS for row in of_swap] == [at]
    assert "chỉ số tháo" in of_swap[0]["text_vi"]
    told = [row for row in found if row["meter"] == GAP and row["kind"] == "gap"]
    assert [row["text_en"] for row in told if row["time"] // NS_PER_MS <= gap[0]]
    tenant = field.park.meter[GAP].belongs[-1].tenant
    assert tenant is not None
    there = await events(store, tenant_database(field.park.id, tenant))
    assert there == [row for row in found if row["tenant"] == tenant]
    again = ParkUsage(store, field.park)
    await again.begin(now)
    await again.recompute(_day(now), field.park.meters, now)
    assert await events(store) == found
    await field.write(store, [GAP], *gap)
    await again.recompute(_day(now), [field.park.meter[GAP]], now)
    assert await events(store) == [row for row in found if row not in told]


HAPPENED: dict[type[FieldEvent], tuple[str, str, str]] = {
    Reset: ("reset", "The counter was reset: it went from ", "Bộ đếm bị đặt lại: chỉ số từ "),
    Rollover: ("rollover", "The counter rolled over; ", "Bộ đếm quay vòng; lượng đếm qua thời điểm này là "),
    Spike: ("spike", "Spike: 1 reading set aside", "Giá trị đột biến: đã loại 1 lần đọc"),
    Stuck: (
        "stuck",
        "The register stood still and then caught up, 2 h ",
        "Đồng hồ đứng số rồi nhảy bù, tổng cộng 2 giờ ",
    ),
}
"""Kind of the event of what happens on the plant's first day, and how its texts begin."""


async def test_what_happened_to_a_register_is_one_event_and_none_when_it_is_corrected(
    song_xanh_field: Field, store: Store
) -> None:
    field = song_xanh_field
    first = {kind: next(event for event in FIELD_EVENTS if type(event) is kind) for kind in HAPPENED}
    meters = [event.meter for event in first.values()]
    start, now = field.ms(), field.ms(hours=15)
    await field.write(store, meters, start, now)
    usage = ParkUsage(store, field.park)
    await usage.begin(now)
    await usage.cycle(now)
    for kind, event in first.items():
        name, english, vietnamese = HAPPENED[kind]
        rows = [row for row in await events(store) if (row["meter"], row["kind"]) == (event.meter, name)]
        assert len(rows) == 1, name
        # The reading that shows it; a register stands still from the reading on that is repeated.
        step = field.park.meter[event.meter].interval_s * 1000
        assert rows[0]["time"] // NS_PER_MS == -(-field.plant.at(event) // step) * step, name
        assert rows[0]["text_en"].startswith(english)
        assert rows[0]["text_vi"].startswith(vietnamese)
        assert rows[0]["tenant"] == field.park.meter[event.meter].belongs[-1].tenant
    there = await events(store)
    again = ParkUsage(store, field.park)
    await again.begin(now)
    await again.recompute(Span(start, now), field.park.meters, now)
    assert await events(store) == there
    field.plant = Plant(field.park, seed=SEED, start=START, events=())
    await field.write(store, meters, start, now)
    await again.recompute(Span(start, now), [field.park.meter[meter] for meter in meters], now)
    left = {(row["meter"], row["kind"]) for row in await events(store)}
    assert left & {(event.meter, HAPPENED[kind][0]) for kind, event in first.items()} == set()


async def test_equal_use_is_one_event_at_the_first_of_its_quarter_hours(song_xanh_field: Field, store: Store) -> None:
    field, meter = song_xanh_field, song_xanh_field.park.meter["wm-packaging"]
    begin, end = field.ms(hours=2), field.ms(hours=4)
    steady = [0.625 if begin <= ms < end else 0.25 + 0.0625 * (ms // QUARTER_MS % 5) for ms in _minutes(field)]
    series = reading_series(field.park.id, meter)
    shown = accumulate(steady, initial=1000.0)
    await store.write(
        [f"{series} volume_m3={value!r} {ms}000000" for ms, value in zip(_minutes(field), shown, strict=False)],
        OPERATOR_DATABASE,
    )
    now = field.ms(hours=6)
    usage = ParkUsage(store, field.park)
    await usage.begin(now)
    await usage.cycle(now)
    (row,) = [row for row in await events(store) if row["meter"] == meter.id]
    assert (row["kind"], row["time"] // NS_PER_MS) == ("stuck", begin)
    assert row["text_en"].startswith("The meter may be stuck: 9.375 m³ in each of")
    assert row["text_vi"].startswith("Đồng hồ có thể bị đứng số: 9,375 m³ trong nhiều")


def _minutes(field: Field) -> range:
    return range(field.ms(), field.ms(hours=6), MINUTE_MS)


async def test_a_new_tariff_is_an_event_on_its_first_day_and_none_when_the_park_file_takes_it_back(
    song_xanh_field: Field, store: Store
) -> None:
    field, now = song_xanh_field, song_xanh_field.ms()
    usage = ParkUsage(store, field.park)
    await usage.begin(now)
    await usage.cycle(now)
    (row,) = await events(store)
    tariff = field.park.tariffs.electricity
    assert tariff is not None
    assert (row["kind"], row["meter"], row["tenant"]) == ("tariff", None, None)
    assert row["time"] // NS_PER_MS == midnight_ms(tariff.bands[1].since, field.park.zone)
    assert row["text_en"].startswith("A new electricity tariff holds (")
    assert row["text_vi"].startswith("Áp dụng biểu giá điện mới (")
    before = tariff.model_copy(update={"bands": tariff.bands[:1]})
    usage.park = field.park.model_copy(
        update={"tariffs": field.park.tariffs.model_copy(update={"electricity": before})}
    )
    await usage.cycle(now + MINUTE_MS)
    assert await events(store) == []


def _day(now: int) -> Span:
    return Span(now - 2 * DAY_MS, now)

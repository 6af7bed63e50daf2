"""Registers as they were read: those of a meter together, each reading with its state."""

from efficiency.stored.readings import RegisterReader
from efficiency.usage.intervals import ALWAYS_AFTER, DAY_MS, Span
from efficiency.usage.line import CALIBRATING, FAULT, MEASURING
from store.client import Store
from store.schema import OPERATOR_DATABASE, reading_series
from tests.efficiency.conftest import Field

MINUTE_MS = 60_000


async def test_a_state_that_says_measuring_is_as_none_at_all(song_xanh_field: Field, store: Store) -> None:
    park, start = song_xanh_field.park, song_xanh_field.ms()
    meter = park.meter["ww-outfall"]
    states = ["", ',state="measuring"', ',state="calibrating"', ',state="fault"', ',state="measuring"', ""]
    series = reading_series(park.id, meter)
    await store.write(
        [f"{series} volume_m3={n}.5{state} {start + n * MINUTE_MS}000000" for n, state in enumerate(states)],
        OPERATOR_DATABASE,
    )
    # What was calibrating is found to have measured: the corrected reading says so.
    await store.write([f'{series} volume_m3=2.5,state="measuring" {start + 2 * MINUTE_MS}000000'], OPERATOR_DATABASE)
    await store.write([f"{series} ph=7.1 {start + 9 * MINUTE_MS}000000"], OPERATOR_DATABASE)
    reader = RegisterReader(store, park.id)
    found = await reader.load([meter], Span(start, start + 10 * MINUTE_MS), start + 20 * MINUTE_MS)
    readings = found["volume_m3"][meter.id]
    assert readings.values.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert readings.states.tolist() == [MEASURING, MEASURING, MEASURING, FAULT, MEASURING, MEASURING]
    await store.write([f'{series} volume_m3=1.5,state="calibrating" {start + MINUTE_MS}000000'], OPERATOR_DATABASE)
    found = await reader.load([meter], Span(start, start + 10 * MINUTE_MS), start + 20 * MINUTE_MS)
    assert found["volume_m3"][meter.id].states.tolist()[1] == CALIBRATING


async def test_all_registers_of_a_meter_come_at_once_and_each_has_its_own_readings(
    song_xanh_field: Field, store: Store
) -> None:
    park, start = song_xanh_field.park, song_xanh_field.ms()
    meters = [park.meter["em-textile"], park.meter["pv-park"]]
    both, energy = (reading_series(park.id, meter) for meter in meters)
    await store.write(
        [
            f"{both} energy_kwh=1.0,reactive_kvarh=5.0 {start}000000",
            f"{both} energy_kwh=2.0 {start + MINUTE_MS}000000",
            f"{both} reactive_kvarh=6.0 {start + 2 * MINUTE_MS}000000",
            f"{energy} energy_kwh=7.0 {start}000000",
        ],
        OPERATOR_DATABASE,
    )
    reader = RegisterReader(store, park.id)
    found = await reader.load(meters, Span(start, start + 10 * MINUTE_MS), start + 20 * MINUTE_MS)
    assert found["energy_kwh"]["em-textile"].values.tolist() == [1.0, 2.0]
    assert found["reactive_kvarh"]["em-textile"].times.tolist() == [start, start + 2 * MINUTE_MS]
    assert found["energy_kwh"]["pv-park"].values.tolist() == [7.0]
    assert "pv-park" not in found["reactive_kvarh"]


async def test_readings_say_where_none_come_after_them(song_xanh_field: Field, store: Store) -> None:
    park, start = song_xanh_field.park, song_xanh_field.ms()
    ended, back, goes_on = (park.meter[name] for name in ("em-textile", "pv-park", "em-brewery"))
    span = Span(start, start + 60 * MINUTE_MS)

    def lines(name: str, first: int, last: int) -> list[str]:
        head = reading_series(park.id, park.meter[name])
        return [f"{head} energy_kwh={n}.0 {start + n * MINUTE_MS}000000" for n in range(first, last)]

    written = lines(ended.id, 0, 30) + lines(back.id, 0, 30) + lines(goes_on.id, 0, 90)
    week = 7 * DAY_MS // MINUTE_MS
    await store.write(written + lines(back.id, week, week + 1), OPERATOR_DATABASE)
    reader = RegisterReader(store, park.id)
    found = (await reader.load([ended, back, goes_on], span, start + 30 * DAY_MS))["energy_kwh"]
    assert {name: readings.span.end for name, readings in found.items()} == {
        ended.id: ALWAYS_AFTER,
        back.id: span.end,
        goes_on.id: span.end,
    }

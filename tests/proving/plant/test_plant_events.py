from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
import pytest

from metering.park import Park
from proving.plant.clock import HOUR_MS, MINUTE_MS, instant
from proving.plant.counters import Array
from proving.plant.events import (
    FIELD_EVENTS,
    Delayed,
    FieldEvent,
    Gap,
    LeakAtNight,
    Reset,
    Rollover,
    Spike,
    Stuck,
    Swap,
)
from proving.plant.plant import Plant
from tests.proving.plant.ledger import PlantLedger

Event = TypeVar("Event", bound=FieldEvent)


def of(kind: type[Event]) -> list[Event]:
    return [event for event in FIELD_EVENTS if isinstance(event, kind)]


def series(plant: Plant, meter: str, first: int, last: int, step: int = MINUTE_MS) -> Array:
    counter = plant.park.meter[meter].counter
    return plant.columns(meter, np.arange(first, last, step, dtype=np.int64))[counter]


def test_every_kind_happens_on_the_first_day_and_all_happen_within_thirty() -> None:
    for kind in (Rollover, Reset, Swap, Stuck, Gap, Spike, LeakAtNight, Delayed):
        assert any(event.after < timedelta(days=1) for event in of(kind)), kind
    assert all(event.after < timedelta(days=30) for event in FIELD_EVENTS)
    assert sum(event.after >= timedelta(days=29) for event in FIELD_EVENTS) >= 3


def test_every_event_is_of_a_meter_of_the_demo_park(song_xanh: Park) -> None:
    assert {event.meter for event in FIELD_EVENTS} <= song_xanh.meter.keys()


@pytest.mark.parametrize("event", of(Rollover), ids=lambda event: event.meter)
def test_a_counter_rolls_over_at_its_instant(plant: Plant, event: Rollover) -> None:
    at = plant.at(event)
    register = plant.park.meter[event.meter].instruments[-1].registers[plant.park.meter[event.meter].counter]
    assert register.rollover is not None
    before, after = (
        series(plant, event.meter, at - 2 * HOUR_MS, at),
        series(plant, event.meter, at + 1000, at + HOUR_MS),
    )
    assert before[-1] > 0.999 * register.rollover
    assert after[0] < 0.001 * register.rollover
    assert (np.diff(before) >= 0).all()
    assert (np.diff(after) >= 0).all()


@pytest.mark.parametrize("event", of(Reset), ids=lambda event: event.meter)
def test_a_reset_sets_all_counters_to_zero(plant: Plant, event: Reset) -> None:
    at = plant.at(event)
    before, after = plant.registers(event.meter, at - 1), plant.registers(event.meter, at)
    assert before is not None
    assert after is not None
    for name, quantity in plant.park.meter[event.meter].quantities.items():
        if quantity.counter:
            assert before[name] > 0.0 == after[name]


@pytest.mark.parametrize("event", of(Swap), ids=lambda event: event.meter)
def test_use_across_a_swap_is_known_from_its_closing_and_opening(plant: Plant, event: Swap) -> None:
    at = plant.at(event)
    at -= at % (15 * MINUTE_MS)
    begin, end = (plant.registers(event.meter, when) for when in (at, at + 15 * MINUTE_MS))
    assert begin is not None
    assert end is not None
    counter, swap = plant.park.meter[event.meter].counter, plant.exchanges()[event.meter]
    old, new = swap.old_ratio, swap.new_ratio
    used = (swap.closing - begin[counter]) * old + (end[counter] - swap.opening) * new
    true = np.diff(plant.counters.true(event.meter, counter, np.array([at, at + 15 * MINUTE_MS], dtype=np.int64)))[0]
    step = plant.park.meter[event.meter].instruments[-1].registers[counter].resolution
    assert used == pytest.approx(true, abs=4 * max(old, new) * step)


@pytest.mark.parametrize("event", of(Stuck), ids=lambda event: event.meter)
def test_a_stuck_meter_stands_still_and_catches_up(plant: Plant, event: Stuck) -> None:
    span = plant.span(event)
    begin, end = span.start, span.end
    assert len(set(series(plant, event.meter, begin, end).tolist())) == 1
    after = series(plant, event.meter, end, end + 1)[0]
    assert after > series(plant, event.meter, begin, begin + 1)[0]
    assert after == series(without(plant, event), event.meter, end, end + 1)[0]


@pytest.mark.parametrize("event", of(Spike), ids=lambda event: event.meter)
def test_a_spike_affects_one_reading(plant: Plant, event: Spike) -> None:
    span = plant.span(event)
    begin, end = span.start, span.end
    step = plant.park.meter[event.meter].interval_s * 1000
    sampled = np.arange(begin - begin % step - step, end + 2 * step, step, dtype=np.int64)
    counter = plant.park.meter[event.meter].counter
    shown, calm = (each.columns(event.meter, sampled)[counter] for each in (plant, without(plant, event)))
    assert np.count_nonzero(np.abs(shown - calm) > 1.0) == 1
    assert np.max(shown - calm) == pytest.approx(event.by, rel=1e-6)


@pytest.mark.parametrize("event", of(Gap), ids=lambda event: event.meter)
def test_a_meter_in_a_gap_does_not_answer(plant: Plant, event: Gap) -> None:
    span = plant.span(event)
    begin, end = span.start, span.end
    assert plant.registers(event.meter, begin) is plant.registers(event.meter, end - 1) is None
    assert plant.registers(event.meter, begin - 1) is not None
    assert plant.registers(event.meter, end) is not None


def test_a_leak_runs_at_night_only(song_xanh: Park, plant: Plant, start: datetime) -> None:
    calm = Plant(song_xanh, seed=7, start=start, events=())
    window = start + timedelta(days=21), start + timedelta(days=22)
    more = PlantLedger(plant, *window).meter("wm-steel") - PlantLedger(calm, *window).meter("wm-steel")
    quarters = 6 * 4
    assert np.count_nonzero(more > 1.4) == pytest.approx(quarters, abs=1)
    assert np.count_nonzero(np.abs(more) > 1e-6) == pytest.approx(quarters, abs=1)


def without(plant: Plant, event: FieldEvent) -> Plant:
    others = [other for other in FIELD_EVENTS if other != event]
    return Plant(plant.park, seed=plant.seed, start=instant(plant.start_ms), events=others)

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from metering.instants import Span
from proving.plant.events import Delayed, Gap
from proving.plant.history import BATCH, count, history, samples
from proving.plant.malformed import malformed
from proving.plant.plant import Plant
from tests.proving.plant.ledger import PlantLedger
from wire.messages import Message, Reason

DAYS = timedelta(days=2)


def readings(plant: Plant, gateway: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    return [reading for batch in history(plant, gateway, start, end) for reading in batch]


@pytest.mark.parametrize("gateway", ["gw-substation", "gw-east", "gw-west", "gw-water"])
def test_history_is_what_the_meters_show_on_the_wire(plant: Plant, start: datetime, gateway: str) -> None:
    batches = list(history(plant, gateway, start, start + DAYS))
    assert all(0 < len(batch) <= BATCH for batch in batches)
    for batch in batches[:: len(batches) // 9]:
        Message.model_validate({"id": "b-1", "readings": batch})
        for reading in batch[::50]:
            assert plant.registers(reading["meter"], reading["ts"]) == reading["values"]
    seen = [(reading["meter"], reading["ts"]) for batch in batches for reading in batch]
    assert len(seen) == len(set(seen)) == count(plant, gateway, start, start + DAYS)


def test_every_meter_is_read_at_whole_multiples_of_its_interval_but_in_a_gap(plant: Plant, start: datetime) -> None:
    taken: dict[str, list[int]] = {}
    for reading in readings(plant, "gw-east", start, start + DAYS):
        taken.setdefault(reading["meter"], []).append(reading["ts"])
    assert taken.keys() == {meter.id for meter in plant.park.meters_of("gw-east")}
    gaps = {event.meter: plant.span(event) for event in plant.events if isinstance(event, Gap)}
    for meter, instants in taken.items():
        step = plant.park.meter[meter].interval_s * 1000
        assert all(instant % step == 0 for instant in instants)
        gap = gaps.get(meter, Span(0, 0))
        assert not any(gap.start <= instant < gap.end for instant in instants)
        missing = [earlier for earlier, later in pairwise(sorted(instants)) if later - earlier > step]
        assert len(missing) == (1 if meter in gaps else 0)


def test_windows_put_together_give_the_whole(plant: Plant, start: datetime) -> None:
    middle, end = start + timedelta(hours=17, minutes=13), start + DAYS
    parts = readings(plant, "gw-water", start, middle) + readings(plant, "gw-water", middle, end)
    whole = readings(plant, "gw-water", start, end)
    assert sorted(parts, key=order) == sorted(whole, key=order)


def order(reading: dict[str, Any]) -> tuple[int, str]:
    return reading["ts"], reading["meter"]


def test_late_readings_come_when_they_are_late(plant: Plant, start: datetime) -> None:
    event = next(event for event in plant.events if isinstance(event, Delayed))
    span = plant.span(event)
    begin, end = span.start, span.end
    arrives = end + round(event.delay.total_seconds() * 1000)
    newest = 0
    late = 0
    for reading in readings(plant, plant.park.meter[event.meter].gateway, start, start + DAYS):
        if reading["meter"] == event.meter and begin <= reading["ts"] < end:
            late += 1
            assert newest >= arrives - 60_000
        else:
            assert reading["ts"] >= newest
            newest = reading["ts"]
    assert late == (end - begin) // 300_000


def test_readings_that_would_come_after_the_end_come_last(plant: Plant, start: datetime) -> None:
    event = next(event for event in plant.events if isinstance(event, Delayed))
    end = plant.span(event).end
    stop = start + timedelta(milliseconds=end - plant.start_ms)
    gateway = plant.park.meter[event.meter].gateway
    assert readings(plant, gateway, start, stop)[-1]["meter"] == event.meter


def test_history_before_the_plant_began_is_refused(plant: Plant, start: datetime) -> None:
    with pytest.raises(ValueError, match="the plant starts only at"):
        next(history(plant, "gw-east", start - timedelta(days=1), start))


def test_registers_and_ledger_agree_within_the_resolution(plant: Plant, start: datetime) -> None:
    begin, end = start + timedelta(days=2, hours=1), start + timedelta(days=3)
    ledger = PlantLedger(plant, begin, end)
    for meter in plant.park.meters:
        register = meter.instruments[-1].registers[meter.counter]
        true = ledger.meter(meter.id)
        edges = np.append(ledger.quarters, ledger.quarters[-1:] + 900_000)
        multiplier = meter.instruments[-1].multiplier
        used = np.diff(plant.columns(meter.id, edges)[meter.counter]) * multiplier
        assert np.abs(used - true).max() <= 1.001 * register.resolution * multiplier, meter.id


def test_the_dozen_malformed_messages_cover_every_reason_but_the_store_s(plant: Plant) -> None:
    messages = malformed(plant.park, plant.start_ms)
    assert len(messages) == len({message.payload + message.gateway.encode() for message in messages}) == 12
    assert {message.reason for message in messages} == set(Reason) - {Reason.STORE_REJECTED}


def test_a_meter_that_is_read_by_hand_is_read_in_the_morning_of_the_first_day_and_then_by_its_interval(
    plant: Plant,
) -> None:
    meter = plant.park.meter["wm-nursery"]
    at = plant.start_ms + 9 * 3_600_000 + 20 * 60_000
    month = [at + number * meter.interval_s * 1000 for number in range(3)]
    assert samples(plant, meter, plant.start_ms, month[2]).tolist() == month[:2]
    assert samples(plant, meter, at + 1, month[2] + 1).tolist() == month[1:]
    shown = [plant.registers(meter.id, ms) for ms in month[:2]]
    assert all(one is not None and one["volume_m3"] == round(one["volume_m3"]) for one in shown), "whole m³"

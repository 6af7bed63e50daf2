from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from metering.meters import Role
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility
from metering.tariffs import Band
from proving.plant.clock import LocalDays, instant
from proving.plant.demopark import demo_park_text
from proving.plant.events import Swap
from proving.plant.load import LoadModel
from proving.plant.plant import Plant


def test_the_demo_park_has_the_size_of_a_park(song_xanh: Park) -> None:
    assert len(song_xanh.tenants) == 10
    assert len(song_xanh.gateways) == 6
    assert 75 <= len(song_xanh.meters) <= 95
    assert {meter.utility for meter in song_xanh.meters} == set(Utility)
    assert any(meter.belongs[-1].role is Role.GENERATION for meter in song_xanh.meters)


def test_every_meter_on_modbus_has_an_id_of_its_own(song_xanh: Park) -> None:
    for gateway in song_xanh.gateways:
        devices = [meter.modbus["device"] for meter in song_xanh.meters_of(gateway.id) if meter.modbus is not None]
        assert len(devices) == len(set(devices))


def test_every_tenant_has_an_intake_a_product_and_a_contract(song_xanh: Park) -> None:
    for tenant in song_xanh.tenants:
        own = [meter for meter in song_xanh.meters if meter.belongs[-1].tenant == tenant.id]
        assert {Utility.ELECTRICITY, Utility.WATER, Utility.PRODUCTION} <= {meter.utility for meter in own}
        assert tenant.contract.demand_kw
        assert tenant.shifts


def test_the_bands_change_with_decision_963(song_xanh: Park) -> None:
    tariff = song_xanh.tariffs.electricity
    assert tariff is not None
    before, after = (
        [
            hours.band(datetime(2026, month, day, hour, tzinfo=song_xanh.zone), song_xanh.calendar)
            for hour in (10, 18, 23, 5)
        ]
        for hours, month, day in zip(tariff.bands, (3, 7), (11, 8), strict=True)
    )
    assert before == [Band.PEAK, Band.PEAK, Band.OFF_PEAK, Band.NORMAL]
    assert after == [Band.NORMAL, Band.PEAK, Band.NORMAL, Band.OFF_PEAK]


def test_every_weak_source_is_marked(song_xanh_file: Path) -> None:
    text = song_xanh_file.read_text(encoding="utf-8")
    sources = [line.partition("source:")[2] for line in text.splitlines() if "source:" in line]
    assert sources
    assert all(any(mark in source for mark in ("[A]", "[B]", "[C]", "[D]", "[invented]")) for source in sources)


def test_the_demo_s_park_file_tells_of_each_swap(plant: Plant, song_xanh_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "park.yaml"
    file.write_text(demo_park_text(song_xanh_file.read_text(encoding="utf-8"), plant), encoding="utf-8")
    demo = load_park(file)
    for event in (event for event in plant.events if isinstance(event, Swap)):
        old, new = demo.meter[event.meter].instruments
        counter = demo.meter[event.meter].counter
        happens = plant.at(event)
        before, after = plant.registers(event.meter, happens - 1), plant.registers(event.meter, happens)
        assert before is not None
        assert after is not None
        assert old.until_ms == new.since_ms == happens
        assert old.closing[counter] == pytest.approx(before[counter], abs=0.1)
        assert new.opening[counter] == after[counter] == event.opening
    assert {meter.id for meter in demo.meters if any(pair[1].opening for pair in pairwise(meter.instruments))} == set(
        plant.exchanges()
    )


def test_a_park_file_without_the_swapped_meter_is_noticed(plant: Plant) -> None:
    with pytest.raises(ValueError, match="has no line `- id: em-pharma-hvac`"):
        demo_park_text("meters: []\n", plant)


def test_swaps_in_the_park_file_do_not_change_what_the_plant_shows(
    plant: Plant, song_xanh_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "park.yaml"
    file.write_text(demo_park_text(song_xanh_file.read_text(encoding="utf-8"), plant), encoding="utf-8")
    again = Plant(load_park(file), seed=7, start=instant(plant.start_ms))
    later = plant.start_ms + round(timedelta(days=3).total_seconds() * 1000)
    assert again.registers("em-pharma-hvac", later) == plant.registers("em-pharma-hvac", later)


def test_firms_nearly_stand_still_on_the_parks_holidays(song_xanh: Park) -> None:
    start = datetime(2026, 2, 1, tzinfo=song_xanh.zone)
    model = LoadModel(song_xanh, 7, LocalDays.of(song_xanh.zone, start))
    row = model.index["em-textile"]

    def used(day: int) -> float:
        number = LocalDays.of(song_xanh.zone, start).day(int(start.replace(day=day).timestamp() * 1000))
        return float(model.day(number).net[row].sum())

    workday, tet = used(11), used(18)  # two Wednesdays, the second within Tet, whose days are of no fixed date
    assert tet < workday / 2

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.instants import milliseconds
from metering.meters import Role
from metering.park import Park
from metering.quantities import Utility
from proving.plant.clock import DAY_MS, QUARTER_MS
from proving.plant.counters import Array
from proving.plant.events import FIELD_EVENTS, LeakAtNight
from proving.plant.plant import Plant
from tests.proving.plant.ledger import PlantLedger, outermost, quarter_hours

DAY = timedelta(days=1)


def test_the_same_seed_gives_the_same_plant_and_another_seed_another(plant: Plant, start: datetime) -> None:
    twin = Plant(plant.park, seed=7, start=start)
    other = Plant(plant.park, seed=8, start=start)
    at = plant.start_ms + 5 * DAY_MS
    assert all(twin.registers(meter, at) == plant.registers(meter, at) for meter in plant.park.meter)
    assert all(other.registers(meter, at) != plant.registers(meter, at) for meter in plant.park.meter)


@settings(max_examples=25)
@given(st.data())
def test_what_a_meter_shows_does_not_depend_on_what_was_asked_before(
    song_xanh_plants: list[Plant], data: st.DataObject
) -> None:
    asked, fresh = song_xanh_plants
    meter = data.draw(st.sampled_from(sorted(asked.park.meter)))
    offsets = data.draw(st.lists(st.integers(0, 12 * DAY_MS), min_size=1, max_size=5))
    together = asked.columns(meter, np.array([asked.start_ms + offset for offset in offsets], dtype=np.int64))
    for position, offset in enumerate(offsets):
        alone = fresh.columns(meter, np.array([asked.start_ms + offset], dtype=np.int64))
        assert {name: values[position] for name, values in together.items()} == {
            name: values[0] for name, values in alone.items()
        }


@pytest.fixture(scope="module")
def song_xanh_plants(song_xanh: Park, start: datetime) -> list[Plant]:
    return [Plant(song_xanh, seed=3, start=start) for _ in range(2)]


def test_a_day_of_flows_is_the_same_for_a_plant_that_began_earlier(song_xanh: Park, start: datetime) -> None:
    early = Plant(song_xanh, seed=7, start=start - 40 * DAY, events=())
    late = Plant(song_xanh, seed=7, start=start, events=())
    day = late.days.day(late.start_ms) + 3
    assert np.array_equal(early.load.day(day).net, late.load.day(day).net)


def test_an_instant_before_the_plant_s_first_day_is_refused(plant: Plant) -> None:
    with pytest.raises(ValueError, match="before the plant's first day"):
        plant.registers("em-grid", plant.start_ms - 2 * DAY_MS)


@pytest.fixture(scope="module")
def week(plant: Plant, start: datetime) -> PlantLedger:
    return PlantLedger(plant, start, start + 7 * DAY)


def net(plant: Plant, ledger: PlantLedger, meters: Iterable[str]) -> float:
    """What the meters took in, less what they gave back."""
    total = 0.0
    for name in meters:
        meter = plant.park.meter[name]
        used = float(ledger.meter(name).sum())
        if "energy_export_kwh" in meter.instruments[-1].registers:
            used -= float(ledger.meter(name, "energy_export_kwh").sum())
        total += -used if meter.belongs[-1].role is Role.GENERATION else used
    return total


def test_every_main_meter_carries_its_sub_meters_and_small_losses(plant: Plant, week: PlantLedger) -> None:
    for parent in plant.park.parents:
        children = [tenure.meter for tenure in plant.park.children(parent)]
        above = net(plant, week, [parent])
        below = net(plant, week, [child.id for child in children])
        assert 0.0 <= above - below <= 0.02 * above, parent


@pytest.mark.parametrize(
    ("meter", "source", "between"),
    [
        ("ww-textile", "wm-textile", (0.8, 0.9)),
        ("ww-brewery", "wm-brewery", (0.6, 0.7)),
        ("gm-boiler", "sm-header", (70.0, 82.0)),
        ("em-chiller", "cm-main", (1 / 5.5, 1 / 3.5)),
        ("em-compressor", "am-main", (0.09, 0.13)),
        ("ww-outfall", "ww-inlet", (0.8, 0.88)),
    ],
)
def test_what_belongs_together_is_in_proportion(
    week: PlantLedger, meter: str, source: str, between: tuple[float, float]
) -> None:
    lowest, highest = between
    assert lowest <= week.meter(meter).sum() / week.meter(source).sum() <= highest


def test_no_meter_passes_more_than_its_rating_and_each_passes_something(plant: Plant) -> None:
    first = plant.days.day(plant.start_ms)
    flows = np.concatenate([plant.load.day(first + number).net for number in range(7)], axis=1)
    for row, meter in enumerate(plant.park.meters):
        assert 0.0 < np.abs(flows[row]).max() <= meter.rated, meter.id


def test_energy_follows_shifts_weekdays_and_output(plant: Plant) -> None:
    monday = datetime(2026, 10, 25, 17, tzinfo=UTC)  # midnight of Monday 26 October in Viet Nam
    ledger = PlantLedger(plant, monday, monday + 21 * DAY)

    def by_day(meter: str) -> Array:
        return ledger.meter(meter).reshape(21, 96)

    furniture = by_day("em-furniture-cnc")
    assert furniture[0, 40:44].mean() > 3 * furniture[0, 4:8].mean()
    assert furniture[0].sum() > 1.5 * furniture[6].sum()
    energy, output = by_day("em-plastics").sum(axis=1), by_day("pm-plastics").sum(axis=1)
    assert np.corrcoef(energy, output)[0, 1] ** 2 > 0.75


def test_the_sun_shines_by_day_only(plant: Plant) -> None:
    midnight = datetime(2026, 10, 25, 17, tzinfo=UTC)
    produced = PlantLedger(plant, midnight, midnight + DAY).meter("pv-park")
    assert produced[:20].sum() == produced[76:].sum() == 0.0
    assert produced[44:52].sum() > 0.0


def test_the_ledger_adds_up_a_tenant_s_intakes(plant: Plant, week: PlantLedger) -> None:
    assert [tenure.meter.id for tenure in outermost(plant.park, "textile", Utility.WATER)] == ["wm-textile"]
    assert np.array_equal(week.tenant("textile", Utility.ELECTRICITY), week.meter("em-textile"))


def test_the_ledger_is_the_sum_of_the_flows(plant: Plant, week: PlantLedger) -> None:
    for meter, quantity in plant.counters.row:
        edges = np.append(week.quarters, week.quarters[-1:] + QUARTER_MS)[:90]
        passed = plant.counters.true(meter, quantity, edges)
        assert np.allclose(np.diff(passed), week.meter(meter, quantity)[:89], rtol=0, atol=1e-7)


def test_quarter_hours_begin_at_whole_quarters(start: datetime) -> None:
    quarters = quarter_hours(start, start + timedelta(hours=1))
    assert len(quarters) == 4
    assert all(quarter % QUARTER_MS == 0 for quarter in quarters.tolist())
    assert quarters[0] >= milliseconds(start)


def test_only_a_leak_and_a_tenant_that_leaves_change_the_ledger(song_xanh: Park, plant: Plant, start: datetime) -> None:
    shown = PlantLedger(plant, start, start + 30 * DAY)
    calm = PlantLedger(Plant(song_xanh, seed=7, start=start, events=()), start, start + 30 * DAY)
    leaking = {event.meter for event in FIELD_EVENTS if isinstance(event, LeakAtNight)}
    fed = {"wm-main", "ww-steel", "ww-inlet", "ww-outfall", "ww-reuse", "em-wwtp", "em-grid"}
    assert plant.moves().keys() == {"feed"}
    left = shown.quarters >= plant.moves()["feed"]
    theirs = {meter.id for meter in song_xanh.meters if meter.belongs[0].tenant == "feed"}
    above = {song_xanh.meter[meter].belongs[0].parent for meter in theirs}
    for meter in song_xanh.meter.keys() - leaking - fed:
        right = calm.meter(meter)
        if meter in theirs:
            right = np.where(left, 0.0, right)
        # What passes a main meter, and what the park's boilers and compressors draw, falls with the tenant they feed.
        if meter in above or song_xanh.meter[meter].belongs[0].tenant is None:
            assert np.array_equal(shown.meter(meter)[~left], right[~left]), meter
            assert (shown.meter(meter)[left] <= right[left]).all(), meter
        else:
            assert np.array_equal(shown.meter(meter), right), meter
    lost = shown.meter("wm-steel").sum() - calm.meter("wm-steel").sum()
    assert lost == pytest.approx(6.0 * 4 * 6.0, rel=0.1)  # m3/h, nights, hours

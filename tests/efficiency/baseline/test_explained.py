"""Weather, adjustments and the hours of shifts explain use."""

from pathlib import Path

import numpy as np
import pytest

from efficiency.baseline.days import band_of
from efficiency.baseline.fitting import Wanted, fit_period
from efficiency.baseline.frozen import faults
from efficiency.baseline.weather import DayMean, WeatherSeries
from efficiency.stored.fields import Fields
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park
from store.answers import Row
from store.client import Store
from store.schema import BASELINE
from tests.efficiency.baseline.test_days import TEXTILE, computed, number_of, rows
from tests.efficiency.smallpark import at, day, write_days


async def test_weather_explains_a_day_only_where_it_is_known_and_adjustments_say_why(
    store: Store, park: Park, tmp_path: Path
) -> None:
    await write_days(store, park, range(30))
    now = at(park, 30, 5)
    await computed(store, park, now)
    every = {day(number): DayMean(22 + 3 * (number * 7 % 5) / 2, "station") for number in range(30)}
    known = WeatherSeries({when: mean for when, mean in every.items() if when != day(25)})
    wanted = Wanted(TEXTILE, ["output", "cdd:22"], day(0), day(19))
    with pytest.raises(OperatorError, match=r"cdd:22: no weather is known of demo; see ecopark weather import"):
        await fit_period(store, park, wanted)
    found = await fit_period(store, park, wanted, known)
    assert found.fit.offered
    baseline = found.draft("textile-kwh", "test", day(20))
    usage = await computed(store, park, now, [baseline], known)
    whole = await rows(store, BASELINE)
    assert [number_of(row, park) for row in whole] == [*range(20, 25), *range(26, 30)], "nothing is filled in"
    assert all(row["lever_2"] is not None for row in whole)

    usage.weather = WeatherSeries(every)
    await usage.cycle(now)
    later = await rows(store, BASELINE)
    assert [number_of(row, park) for row in later] == list(range(20, 30))
    assert {row["time"]: row["expected"] for row in later}.items() >= {
        row["time"]: row["expected"] for row in whole
    }.items()

    file = tmp_path / "park.yaml"
    why = "adjustments: [{baseline: textile-kwh, from: 'DAY', per_day: -12.5, uncertainty: 3.0, reason: hall 2 is let}]"
    file.write_text(file.read_text(encoding="utf-8") + why.replace("DAY", str(day(27))) + "\n", encoding="utf-8")
    usage.park = load_park(file)
    await usage.cycle(now)
    adjusted = await rows(store, BASELINE)
    for before, after in zip(later, adjusted, strict=True):
        there = number_of(after, park) >= 27
        assert after["expected"] == pytest.approx(before["expected"] - 12.5 * there)
        assert after["saving"] == pytest.approx(before["saving"] - 12.5 * there)
        assert after["adjustment"] == (-12.5 if there else None)
    plain, more = (band_of(numbers(points)) for points in (later, adjusted))
    assert plain is not None
    assert more == pytest.approx(np.hypot(plain, 3 * 3.0))
    assert faults(file, usage.park, [], day(29)) == [
        f"{file}: adjustments[0].baseline is textile-kwh: must be a frozen baseline, and there is none"
    ]
    from_scratch = await computed(store, usage.park, now, [baseline], WeatherSeries(every))
    del from_scratch
    assert await rows(store, BASELINE) == adjusted


def numbers(points: list[Row]) -> list[Fields]:
    """The fields of rows, as they are stored."""
    return [{name: float(value) for name, value in row.items() if isinstance(value, int | float)} for row in points]


async def test_hours_of_the_shifts_explain_use(store: Store, park: Park, tmp_path: Path) -> None:
    await write_days(store, park, range(30))
    await computed(store, park, at(park, 30, 5))
    with pytest.raises(OperatorError, match="shift_hours: textile has no shifts in the park file"):
        await fit_period(store, park, Wanted(TEXTILE, ["shift_hours"], day(0), day(19)))
    shifts = "{id: textile, shifts: [{days: mon-sat, start: '06:00', end: '14:00', not_on: holidays}],"
    text = (tmp_path / "park.yaml").read_text(encoding="utf-8").replace("{id: textile,", shifts)
    holiday = f"calendar: {{holidays: [{{from: '{day(2)}', name: {{en: x, vi: x}}, source: x}}]}}\n"
    (tmp_path / "park.yaml").write_text(text + holiday, encoding="utf-8")
    worked = load_park(tmp_path / "park.yaml")
    found = await fit_period(store, worked, Wanted(TEXTILE, ["shift_hours"], day(0), day(19)))
    hours = {one.day: one.drivers[0].value for one in found.days}
    assert hours[day(2)] == 0
    assert {value for when, value in hours.items() if when != day(2)} == {0.0, 8.0}
    assert all(value == (0 if when.weekday() == 6 else 8) for when, value in hours.items() if when != day(2))

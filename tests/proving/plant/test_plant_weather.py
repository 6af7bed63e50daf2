from datetime import date

import numpy as np
import pytest

from proving.plant.weather import smooth, weather_of


def day(year: int, month: int, number: int) -> int:
    return (date(year, month, number) - date(1970, 1, 1)).days


def test_summer_is_warmer_and_sunnier_than_winter_and_afternoons_than_nights() -> None:
    january = [weather_of(7, day(2026, 1, number)) for number in range(1, 31)]
    july = [weather_of(7, day(2026, 7, number)) for number in range(1, 31)]
    assert 24 < np.mean([each.temperature for each in july]) < 34
    assert 10 < np.mean([each.temperature for each in january]) < 22
    assert np.mean([each.sun for each in july]) > np.mean([each.sun for each in january])
    assert all(each.temperature[14 * 60] > each.temperature[3 * 60] for each in january + july)
    assert all(each.sun.min() >= 0.0 and each.sun.max() <= 1.0 for each in january + july)


def test_days_join_without_a_step() -> None:
    evening, morning = weather_of(7, day(2026, 7, 8)), weather_of(7, day(2026, 7, 9))
    assert morning.temperature[0] == pytest.approx(evening.temperature[-1], abs=0.2)


def test_quarter_hourly_knots_are_joined_by_straight_lines() -> None:
    joined = smooth(np.arange(97.0))
    assert joined[0] == 0.0
    assert joined[15] == 1.0
    assert joined[1439] == pytest.approx(96 - 1 / 15)

"""The weather beside a park file: read as it was written, degree days by a stated base, gaps never filled."""

from datetime import date
from pathlib import Path

import pytest

from efficiency.baseline.weather import DayMean, WeatherSeries, is_weather, load_weather, weather_file, write_weather
from metering.errors import OperatorError

FIRST, SECOND, FOURTH = (date(2026, 7, number) for number in (1, 2, 4))
SOURCE = 'station "Lang", hourly'


def test_what_is_written_is_read_back_and_gaps_are_named(tmp_path: Path) -> None:
    file = weather_file(tmp_path / "park.yaml")
    assert file.name == "park.weather.csv"
    assert load_weather(file) == WeatherSeries()
    weather = WeatherSeries(
        {FIRST: DayMean(29.5, SOURCE), SECOND: DayMean(-1.25, SOURCE), FOURTH: DayMean(30.0, "by hand")}
    )
    write_weather(file, weather)
    assert load_weather(file) == weather
    assert weather.gaps == (date(2026, 7, 3),)
    assert WeatherSeries().gaps == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("temperature", 21.0), ("cdd:24", 0.0), ("cdd:18", 3.0), ("hdd:18", 0.0), ("hdd:24.5", 3.5)],
)
def test_a_driver_of_the_weather_follows_from_the_mean_of_the_day(name: str, expected: float) -> None:
    weather = WeatherSeries({FIRST: DayMean(21.0, SOURCE)})
    assert weather.driver(name, FIRST) == pytest.approx(expected)
    assert weather.driver(name, SECOND) is None, "nothing is filled in"


def test_only_these_names_are_drivers_of_the_weather() -> None:
    names = ("temperature", "cdd:24", "hdd:18.5", "cdd", "cdd:", "cdd:x", "kdd:24")
    assert [name for name in names if is_weather(name)] == ["temperature", "cdd:24", "hdd:18.5"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("day,mean_c,source\n", ":1: the first line must be date,mean_c,source"),
        ("date,mean_c,source\n2026-07-01,29.5\n", ":2: has 2 cells, not 3"),
        ("date,mean_c,source\n1 July,29.5,x\n", ":2: date is '1 July': a day is written 2026-07-01"),
        ("date,mean_c,source\n2026-07-01,hot,x\n", ":2: mean_c is 'hot': must lie between -60 and 60 °C"),
        ("date,mean_c,source\n2026-07-01,nan,x\n", ":2: mean_c is 'nan'"),
        (
            "date,mean_c,source\n2026-07-01,1,x\n2026-07-01,1,x\n",
            ":3: date is 2026-07-01, which is in a row above already",
        ),
    ],
)
def test_a_file_with_a_fault_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "park.weather.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError, match="import it again with ecopark weather import") as found:
        load_weather(file)
    assert f"{file}{told}" in str(found.value)

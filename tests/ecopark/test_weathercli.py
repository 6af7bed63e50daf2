"""`ecopark weather` as an operator calls it: hours become days, and gaps are refused with their line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficiency.baseline.weather import load_weather
from tests.efficiency.smallpark import small_park

Run = Callable[..., Any]


@pytest.fixture
def call(run: Run, tmp_path: Path) -> Run:
    small_park(tmp_path)

    def called(*arguments: str) -> Any:
        return run("weather", *arguments, ECOPARK_PARK=str(tmp_path / "park.yaml"))

    return called


def hourly(days: range, skipped: frozenset[str] = frozenset()) -> str:
    rows = ["time,temperature_c"]
    for day in days:
        for hour in range(24):
            time = f"2026-07-{day:02d}T{hour:02d}:00"
            if time not in skipped:
                rows.append(f"{time},{20 + day + (hour - 11.5) / 10}")
    return "\n".join(rows)


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "station.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_hours_become_means_of_local_days_and_more_is_added(call: Run, tmp_path: Path) -> None:
    done = call("import", written(tmp_path, hourly(range(1, 4))), "--source", "station", "--json")
    assert done.returncode == 0, done.stderr
    target = tmp_path / "park.weather.csv"
    assert json.loads(done.stdout.splitlines()[-1]) == {"file": str(target), "days": 3, "gaps": []}
    assert [each.mean_c for each in load_weather(target).days.values()] == [21, 22, 23]
    utc = hourly(range(4, 5)).replace(":00,", ":00+07:00,") + "\n2026-07-05,31.5"
    assert call("import", written(tmp_path, utc), "--source", "more").returncode == 0
    shown = call("show", "--json")
    assert json.loads(shown.stdout.splitlines()[-1])["days"] == {
        f"2026-07-0{day}": mean for day, mean in ((1, 21), (2, 22), (3, 23), (4, 24), (5, 31.5))
    }
    assert "station: 3 days" in shown.stdout
    other = written(tmp_path, "Ngày;Nhiệt độ\n2026-07-01;30,5\n")
    names = ("--time", "Ngày", "--temperature", "Nhiệt độ", "--decimal", ",")
    assert call("import", other, "--source", "again", *names).returncode == 0
    assert load_weather(target).days[min(load_weather(target).days)].mean_c == 30.5


def test_gaps_are_refused_with_file_and_line_and_never_filled(call: Run, tmp_path: Path) -> None:
    skipped = frozenset({"2026-07-02T05:00", "2026-07-02T06:00"})
    file = written(tmp_path, hourly(range(1, 4), skipped))
    refused = call("import", file, "--source", "station")
    assert refused.returncode == 2
    assert f"{file}:30: 2026-07-02 is not whole: missing is 05:00, 06:00" in refused.stderr
    assert "add what is missing, or import the rest with --gaps" in refused.stderr
    assert not (tmp_path / "park.weather.csv").exists()
    taken = call("import", file, "--source", "station", "--gaps")
    assert taken.returncode == 0
    assert "2026-07-02 is not whole" in taken.stdout
    assert "missing: 2026-07-02" in call("show").stdout
    later = written(tmp_path, hourly(range(8, 10)))
    between = call("import", later, "--source", "station")
    assert between.returncode == 2
    assert "nothing is known from 2026-07-04 to 2026-07-07, between it and" in between.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,temperature_c\n2026-07-01T00:00,warm", ":2: 'warm' is not a number"),
        ("time,temperature_c\n2026-07-01T00:00,245", ":2: temperature_c is 245: must lie between -60 and 60 °C"),
        ("time,temperature_c\n2026-07-01T00:00,", ":2: temperature_c is empty: leave the row out"),
        ("time,temperature_c\nyesterday,20", ":2: 'yesterday' is not ISO 8601"),
        ("time,temperature_c\n2026-07-01,20\n2026-07-01,21", ":3: 2026-07-01 is in row 2 already"),
        ("time,temperature_c\n2026-07-01,20\n2026-07-01T01:00,21", ":3: 2026-07-01 is in row 2 already"),
        ("hour,temperature_c\n2026-07-01,20", ":1: has no column 'time'; there are hour, temperature_c"),
        ("time,temperature_c\n", ": has no rows below its heads"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line(call: Run, tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text)
    done = call("import", file, "--source", "station")
    assert done.returncode == 2
    assert f"{file}{told}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--zone", "Asia/Saigon_City", "not a time zone of the IANA database, such as Asia/Ho_Chi_Minh"),
        ("--decimal", ";", "is not one of '.', ','"),
    ],
)
def test_an_unknown_zone_or_decimal_mark_is_refused(
    call: Run, tmp_path: Path, option: str, value: str, told: str
) -> None:
    result = call("import", written(tmp_path, hourly(range(1, 3))), "--source", "station", option, value)
    assert result.returncode != 0
    assert option in result.stderr
    assert told in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not load_weather(tmp_path / "park.weather.csv").days

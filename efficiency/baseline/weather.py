"""Outdoor temperature by day, from the file beside a park file: `park.weather.csv` beside `park.yaml`.

A row is one local day: `date`, `mean_c` and its `source`. A day without a row has no temperature, and whatever depends
on it has no value then: nothing is filled in.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from metering.errors import OperatorError
from running.wholefile import write_whole

TEMPERATURE: Final = "temperature"
COOLING, HEATING = "cdd", "hdd"
_DEGREE_DAYS = re.compile(rf"({COOLING}|{HEATING}):(\d{{1,2}}(?:\.\d+)?)")
HEAD: Final = ("date", "mean_c", "source")
LEAST_C, MOST_C = -60.0, 60.0


@dataclass(frozen=True, slots=True)
class DayMean:
    """Mean temperature of a day, °C, and its source."""

    mean_c: float
    source: str


@dataclass(frozen=True, slots=True)
class WeatherSeries:
    """Days with a known temperature."""

    days: Mapping[date, DayMean] = field(default_factory=dict)

    @property
    def gaps(self) -> tuple[date, ...]:
        """Days between the first and the last that have none."""
        if not self.days:
            return ()
        first, last = min(self.days), max(self.days)
        every = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return tuple(day for day in every if day not in self.days)

    def driver(self, name: str, day: date) -> float | None:
        """F36: the value of a weather driver on a day; None where the temperature is not known."""
        known, base = self.days.get(day), base_of(name)
        if known is None:
            return None
        if base is None:
            return known.mean_c
        return max(0.0, known.mean_c - base if name.startswith(COOLING) else base - known.mean_c)


NO_WEATHER: Final = WeatherSeries()


def base_of(name: str) -> float | None:
    """The base temperature of degree days, °C; None of any other driver."""
    found = _DEGREE_DAYS.fullmatch(name)
    return None if found is None else float(found[2])


def is_weather(name: str) -> bool:
    """Whether a driver is one of the weather: `temperature`, `cdd:24`, `hdd:18`."""
    return name == TEMPERATURE or base_of(name) is not None


def unit_of_weather(name: str) -> str:
    """Its unit."""
    return "°C" if name == TEMPERATURE else "K·d"


def weather_file(park_file: Path) -> Path:
    """The file of a park's weather."""
    return park_file.with_suffix(".weather.csv")


def load_weather(file: Path) -> WeatherSeries:
    """The weather in a file; none where there is no file.

    Raises `OperatorError` with the line of the first fault.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return NO_WEATHER
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{file}: cannot be read: {error}") from error
    rows = list(csv.reader(lines))
    if not rows or tuple(rows[0]) != HEAD:
        raise OperatorError(f"{file}:1: the first line must be {','.join(HEAD)}; {_MEND}")
    found: dict[date, DayMean] = {}
    for number, row in enumerate(rows[1:], start=2):
        place = f"{file}:{number}"
        if len(row) != len(HEAD):
            raise OperatorError(f"{place}: has {len(row)} cells, not {len(HEAD)}; {_MEND}")
        day = _day(place, row[0])
        if day in found:
            raise OperatorError(f"{place}: date is {day}, which is in a row above already; {_MEND}")
        found[day] = DayMean(_mean(place, row[1]), row[2])
    return WeatherSeries(found)


_MEND = "restore the file from a backup, or import it again with ecopark weather import"


def _day(place: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"{place}: date is {text[:40]!r}: a day is written 2026-07-01; {_MEND}") from None


def _mean(place: str, text: str) -> float:
    try:
        mean = float(text)
    except ValueError:
        mean = float("nan")
    if not LEAST_C <= mean <= MOST_C:
        raise OperatorError(
            f"{place}: mean_c is {text[:40]!r}: must lie between {LEAST_C:g} and {MOST_C:g} °C; {_MEND}"
        )
    return mean


def write_weather(file: Path, weather: WeatherSeries) -> None:
    """Write the file atomically.

    Raises `OperatorError` where it cannot be written.
    """
    rows: Iterable[tuple[str, ...]] = (
        (day.isoformat(), f"{mean.mean_c:.2f}", mean.source) for day, mean in sorted(weather.days.items())
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEAD, *rows])
    write_whole(file, text.getvalue())

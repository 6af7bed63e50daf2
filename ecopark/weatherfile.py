"""Reads a station's weather, by hours or days, as means of local days; missing data are named, not filled in.

An hour's temperature may occur several times (every ten minutes, for instance): their mean counts. A day is known where
each of its hours is, or where its own mean is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ecopark.sheets import CellError, SheetRow, instant, number, read_rows
from efficiency.baseline.weather import LEAST_C, MOST_C, DayMean, WeatherSeries
from metering.errors import OperatorError
from metering.instants import HOUR_MS, local_time, midnight_ms

_MOST_FAULTS = 20
_MOST_HOURS = 6


@dataclass(frozen=True, slots=True)
class WeatherColumns:
    """The format of a file: the heads of its columns, the decimal mark, and the time zone of hours without offset."""

    time: str
    temperature: str
    decimal: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ReadWeather:
    """The content of a file: the known days, and those between them that are not, each with what is missing."""

    weather: WeatherSeries
    gaps: Mapping[date, "MissingDay"]


@dataclass(frozen=True, slots=True)
class MissingDay:
    """What is missing of a day, behind which row of the file."""

    row: int
    missing: str


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    day: date
    hour: int | None
    celsius: float


def read_weather(file: Path, columns: WeatherColumns, source: str) -> ReadWeather:
    """Read a series.

    Raises `OperatorError` with every row that cannot be read.
    """
    rows: list[_Row] = []
    faults: list[str] = []
    sheet = read_rows(file)
    for name in (columns.time, columns.temperature):
        if sheet and name not in sheet[0].cells:
            raise OperatorError(f"{file}:1: has no column {name!r}; there are {', '.join(sheet[0].cells)}")
    for row in sheet:
        try:
            rows.append(_read(row, columns))
        except CellError as error:
            faults.append(f"{file}:{row.number}: {error}")
    faults += _twice(file, rows)
    if faults:
        more = [f"{len(faults) - _MOST_FAULTS} more rows"] if len(faults) > _MOST_FAULTS else []
        raise OperatorError("\n".join([*faults[:_MOST_FAULTS], *more]))
    if not rows:
        raise OperatorError(f"{file}: has no rows below its heads")
    return _by_day(rows, columns.zone, source)


def _read(row: SheetRow, columns: WeatherColumns) -> _Row:
    celsius = number(row.cells.get(columns.temperature), columns.decimal)
    if celsius is None:
        raise CellError(f"{columns.temperature} is empty: leave the row out, and its day is a gap")
    if not LEAST_C <= celsius <= MOST_C:
        raise CellError(f"{columns.temperature} is {celsius:g}: must lie between {LEAST_C:g} and {MOST_C:g} °C")
    written = row.cells.get(columns.time)
    day = _whole_day(written)
    if day is not None:
        return _Row(row.number, day, None, celsius)
    ms = instant(written, columns.zone)
    local = local_time(ms, columns.zone)
    return _Row(row.number, local.date(), ms // HOUR_MS, celsius)


def _whole_day(written: object) -> date | None:
    """A day without a time of day; None for anything else."""
    if isinstance(written, date) and not isinstance(written, datetime):
        return written
    try:
        return date.fromisoformat(str(written).strip()) if isinstance(written, str) else None
    except ValueError:
        return None


def _twice(file: Path, rows: Sequence[_Row]) -> Iterator[str]:
    """A day that is given by its mean must occur once, and not by hours too."""
    seen: dict[date, _Row] = {}
    for row in rows:
        before = seen.setdefault(row.day, row)
        if before is not row and (before.hour is None or row.hour is None):
            yield f"{file}:{row.number}: {row.day} is in row {before.number} already; give its mean or its hours, once"


def _by_day(rows: Sequence[_Row], zone: ZoneInfo, source: str) -> ReadWeather:
    hours: dict[date, dict[int, list[float]]] = {}
    means: dict[date, DayMean] = {}
    for row in rows:
        if row.hour is None:
            means[row.day] = DayMean(round(row.celsius, 2), source)
        else:
            hours.setdefault(row.day, {}).setdefault(row.hour, []).append(row.celsius)
    gaps: dict[date, MissingDay] = {}
    first, last = min(row.day for row in rows), max(row.day for row in rows)
    for day in (first + timedelta(days=each) for each in range((last - first).days + 1)):
        if day in means:
            continue
        begin, end = (midnight_ms(each, zone) // HOUR_MS for each in (day, day + timedelta(days=1)))
        known = hours.get(day, {})
        missing = [hour for hour in range(begin, end) if hour not in known]
        if missing:
            behind = (each.number for each in rows if (each.day, each.hour or 0) < (day, missing[0]))
            what = "the whole day" if len(missing) == end - begin else _hours(missing, zone)
            gaps[day] = MissingDay(max(behind, default=1), what)
        else:
            means[day] = DayMean(round(sum(sum(each) / len(each) for each in known.values()) / len(known), 2), source)
    return ReadWeather(WeatherSeries(means), gaps)


def _hours(missing: Sequence[int], zone: ZoneInfo) -> str:
    local = [local_time(hour * HOUR_MS, zone) for hour in missing]
    shown = ", ".join(f"{each:%H:%M}" for each in local[:_MOST_HOURS])
    more = f" and {len(local) - _MOST_HOURS} more hours" if len(local) > _MOST_HOURS else ""
    return f"{shown}{more}"


def merged(before: WeatherSeries, added: WeatherSeries) -> WeatherSeries:
    """Both; where a day is in both, the newer one counts."""
    return WeatherSeries({**before.days, **added.days})

"""Watches the files of baselines and weather: a changed one takes effect; a faulty one is logged and ignored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from efficiency.baseline.file import file_of, load_baselines
from efficiency.baseline.model import Baseline
from efficiency.baseline.weather import NO_WEATHER, WeatherSeries, load_weather, weather_file
from metering.errors import OperatorError
from running.filestamp import FileStamp, stamp_of


class _Stamps(NamedTuple):
    """None for a file that is not there."""

    baselines: FileStamp | None
    weather: FileStamp | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest `baselines` and `weather` that could be read; `fault` is the current fault.

    `baselines` is None where none could ever be read.
    """

    baselines: Sequence[Baseline] | None
    weather: WeatherSeries
    fault: str | None
    stamps: _Stamps


class BaselineWatch:
    """The files beside some park files."""

    def __init__(self) -> None:
        self._seen: dict[Path, Seen] = {}

    def look(self, park_file: Path) -> Seen:
        """The baselines and the weather of a park, read again where a file has changed."""
        before = self._seen.get(park_file)
        stamps = _Stamps(_stamp(file_of(park_file)), _stamp(weather_file(park_file)))
        if before is None or stamps != before.stamps:
            self._seen[park_file] = self._read(park_file, before, stamps)
        return self._seen[park_file]

    def _read(self, park_file: Path, before: Seen | None, stamps: _Stamps) -> Seen:
        faults = []
        baselines = before.baselines if before is not None else None
        weather = before.weather if before is not None else NO_WEATHER
        try:
            baselines = load_baselines(file_of(park_file))
        except OperatorError as error:
            faults.append(str(error))
        try:
            if before is None or stamps.weather != before.stamps.weather:
                weather = load_weather(weather_file(park_file))
        except OperatorError as error:
            faults.append(str(error))
        return Seen(baselines, weather, "\n".join(faults) or None, stamps)


def _stamp(file: Path) -> FileStamp | None:
    try:
        return stamp_of(file)
    except OSError:
        return None

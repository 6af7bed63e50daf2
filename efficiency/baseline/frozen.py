"""Frozen baselines of a park: all versions of each, with the meters in the park that its amounts come from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from efficiency.baseline.file import current, file_of, load_baselines
from efficiency.baseline.model import Baseline, Subject
from efficiency.baseline.sources import Sources, sources_of_baseline
from efficiency.baseline.weather import NO_WEATHER, WeatherSeries, load_weather, weather_file
from metering.errors import OperatorError
from metering.park import Adjustment, Park
from metering.quantities import Utility
from metering.rules import one_of


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """All versions of one baseline.

    `sources`, by version, for those whose `meters` the park still has. `tenants`, by version: whose figures it belongs
    to; that of a meter to whoever had it when the fit ended. `adjustments` of the park file to what it expects.
    """

    versions: tuple[Baseline, ...]
    sources: Mapping[int, Sources]
    meters: frozenset[str]
    tenants: Mapping[int, str | None]
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def subject(self) -> Subject:
        """The subject of every version."""
        return self.versions[0].subject

    @property
    def since(self) -> date:
        """The first day that any version holds on."""
        return min(version.holds_from for version in self.versions)

    @property
    def own(self) -> str | None:
        """The tenant whose overall efficiency it shows: that of all its electricity."""
        return self.subject.tenant if self.subject.utility is Utility.ELECTRICITY else None

    def on(self, day: date) -> Baseline | None:
        """The version that holds on a day."""
        return current(self.versions, day)


def frozen_baselines(
    park: Park, baselines: Iterable[Baseline], weather: WeatherSeries = NO_WEATHER
) -> dict[str, FrozenBaseline]:
    """By id."""
    versions: dict[str, list[Baseline]] = {}
    for baseline in baselines:
        versions.setdefault(baseline.id, []).append(baseline)
    found = {}
    for name, entries in versions.items():
        subject = entries[0].subject
        sources = {entry.version: known for entry in entries if (known := _sources(park, entry, weather)) is not None}
        found[name] = FrozenBaseline(
            versions=tuple(entries),
            sources=sources,
            meters=frozenset(each for known in sources.values() for each in known.meters),
            tenants={
                entry.version: sources[entry.version].tenant if entry.version in sources else subject.tenant
                for entry in entries
            },
            adjustments=tuple(each for each in park.adjustments if each.baseline == name),
        )
    return found


def _sources(park: Park, baseline: Baseline, weather: WeatherSeries) -> Sources | None:
    try:
        return sources_of_baseline(park, baseline, weather)
    except OperatorError:
        return None


def checked(park_file: Path, park: Park, today: date) -> list[str]:
    """Faults in the files of baselines and weather of a park."""
    try:
        weather = load_weather(weather_file(park_file))
        return faults(park_file, park, load_baselines(file_of(park_file)), today, weather)
    except OperatorError as error:
        return [str(error)]


def faults(
    park_file: Path, park: Park, baselines: Sequence[Baseline], today: date, weather: WeatherSeries = NO_WEATHER
) -> list[str]:
    """Why versions that hold today or later, or adjustments, cannot be used, each with file and key."""
    names = {baseline.id for baseline in baselines}
    found = [
        f"{park_file}: adjustments[{place}].baseline is {each.baseline}: {one_of(names, 'a frozen baseline')}"
        for place, each in enumerate(park.adjustments)
        if each.baseline not in names
    ]
    for name in dict.fromkeys(baseline.id for baseline in baselines):
        versions = [baseline for baseline in baselines if baseline.id == name]
        now = current(versions, today)
        for version in versions:
            if version == now or version.holds_from > today:
                try:
                    sources_of_baseline(park, version, weather)
                except OperatorError as error:
                    found.append(f"{file_of(park_file)}: {name}: version {version.version}: {error}; {_MEND}")
    return found


_MEND = "put it back in the park file, freeze a version that does without it, or remove the version"

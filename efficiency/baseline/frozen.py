"""Frozen baselines of a park: all versions of each, and where each finds its amounts in the park."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from efficiency.baseline.file import current, file_of, load_baselines
from efficiency.baseline.model import Baseline, Subject
from efficiency.baseline.sources import Sources, sources_of_baseline
from metering.errors import OperatorError
from metering.park import Park
from metering.quantities import Utility


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """All versions of one baseline. `sources` has those that the park still has the `meters` of, by version.

    `tenants`: whose figures each version is, by version: a meter's are those of who had it when the fit ended.
    """

    versions: tuple[Baseline, ...]
    sources: Mapping[int, Sources]
    meters: frozenset[str]
    tenants: Mapping[int, str | None]

    @property
    def subject(self) -> Subject:
        """What it is of, in every version."""
        return self.versions[0].subject

    @property
    def since(self) -> date:
        """The first day that any version holds on."""
        return min(version.holds_from for version in self.versions)

    @property
    def own(self) -> str | None:
        """The tenant that it is shown as the efficiency of: it expects all its electricity."""
        return self.subject.tenant if self.subject.utility is Utility.ELECTRICITY else None

    def on(self, day: date) -> Baseline | None:
        """The version that holds on a day."""
        return current(self.versions, day)


def frozen_baselines(park: Park, baselines: Iterable[Baseline]) -> dict[str, FrozenBaseline]:
    """By id."""
    versions: dict[str, list[Baseline]] = {}
    for baseline in baselines:
        versions.setdefault(baseline.id, []).append(baseline)
    found = {}
    for name, entries in versions.items():
        subject = entries[0].subject
        sources = {entry.version: known for entry in entries if (known := _sources(park, entry)) is not None}
        found[name] = FrozenBaseline(
            versions=tuple(entries),
            sources=sources,
            meters=frozenset(each for known in sources.values() for each in known.meters),
            tenants={
                entry.version: sources[entry.version].tenant if entry.version in sources else subject.tenant
                for entry in entries
            },
        )
    return found


def _sources(park: Park, baseline: Baseline) -> Sources | None:
    try:
        return sources_of_baseline(park, baseline)
    except OperatorError:
        return None


def checked(park_file: Path, park: Park, today: date) -> list[str]:
    """What is wrong with the file of baselines of a park."""
    try:
        return faults(park_file, park, load_baselines(file_of(park_file)), today)
    except OperatorError as error:
        return [str(error)]


def faults(park_file: Path, park: Park, baselines: Sequence[Baseline], today: date) -> list[str]:
    """Why versions that hold today or later cannot be used, each with file and key."""
    found = []
    for name in dict.fromkeys(baseline.id for baseline in baselines):
        versions = [baseline for baseline in baselines if baseline.id == name]
        now = current(versions, today)
        for version in versions:
            if version == now or version.holds_from > today:
                try:
                    sources_of_baseline(park, version)
                except OperatorError as error:
                    found.append(f"{file_of(park_file)}: {name}: version {version.version}: {error}; {_MEND}")
    return found


_MEND = "put it back in the park file, freeze a version that does without it, or remove the version"

"""Who sends on a topic, for all parks together: gateways by their own topics, sources by pattern."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.foreign import Foreign, MappedSource, sources_of
from ingest.lookup import Carrier, carriers_of
from ingest.sparkplug import Sparkplug
from metering.park import Park
from running.memory import return_freed_memory
from running.parkwatch import ParkWatch


@dataclass(frozen=True, slots=True)
class Directory:
    """Carriers by topic, the sources of other topics, and the ids of the parks."""

    carriers: dict[str, Carrier] = field(default_factory=dict)
    foreign: Foreign = field(default_factory=Foreign)
    parks: frozenset[str] = frozenset()

    def carrier(self, topic: str) -> Carrier | None:
        """Who sends on a topic; None where no park file names it."""
        return self.carriers.get(topic) or self.foreign.carrier(topic)


class _Park:
    """The entries of one park."""

    def __init__(self, park: Park) -> None:
        self.id = park.id
        self.carriers = carriers_of(park)
        by_gateway = {carrier.id: carrier for carrier in self.carriers.values()}
        self.sources = list(sources_of(park, by_gateway))


def directory(*parks: Park) -> Directory:
    """Make the directory of parks."""
    return _joined(map(_Park, parks), Sparkplug())


def _joined(parks: Iterable[_Park], births: Sparkplug) -> Directory:
    carriers: dict[str, Carrier] = {}
    sources: list[MappedSource] = []
    ids: set[str] = set()
    for park in parks:
        carriers |= park.carriers
        sources += park.sources
        ids.add(park.id)
    return Directory(carriers, Foreign(tuple(sources), births), frozenset(ids))


class Parks:
    """The parks of a file or folder as one directory, rebuilt when a file changes.

    Raises `OperatorError` with all faults where they cannot be used at the start.
    """

    def __init__(self, where: Path) -> None:
        self.births = Sparkplug()
        self._watch = ParkWatch(where, _Park)
        self.directory = self._joined()

    async def watch(self, changed: Callable[[Directory], None]) -> None:
        """Pass on the new directory after each change, for as long as the task lives."""
        async for _ in self._watch.changes():
            self.directory = self._joined()
            changed(self.directory)

    def _joined(self) -> Directory:
        return_freed_memory()  # 60 MB after reading a park file of 10,000 meters
        return _joined(self._watch.by_id.values(), self.births)

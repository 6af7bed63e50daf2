"""The park files as the ingester needs them: as look-ups, renewed when a file changes."""

from collections.abc import Callable
from pathlib import Path

from ingest.directory import Directory, directory
from metering.parkwatch import ParkWatch


class Parks:
    """The parks of a file or folder. Raises `OperatorError` with all faults where they cannot be used at the start."""

    def __init__(self, where: Path) -> None:
        self._watch = ParkWatch(where)

    def directory(self) -> Directory:
        """Look-up of the accept step."""
        return directory(self._watch.by_id.values())

    def gateway_of(self, park: str, meter: str) -> str | None:
        """Which gateway carries a meter."""
        found = self._watch.by_id.get(park)
        return found.meter[meter].gateway if found and meter in found.meter else None

    async def watch(self, changed: Callable[[Directory], None]) -> None:
        """Hand out the new look-up after each change, for as long as the task lives."""
        async for _ in self._watch.changes():
            changed(self.directory())

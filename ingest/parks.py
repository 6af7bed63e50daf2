"""The park files as the ingester needs them: as one look-up, renewed when a file changes."""

import ctypes
from collections.abc import Callable
from pathlib import Path

from ingest.directory import Directory, directory
from running.parkwatch import ParkWatch


class Parks:
    """The parks of a file or folder. Raises `OperatorError` with all faults where they cannot be used at the start."""

    def __init__(self, where: Path) -> None:
        self._watch = ParkWatch(where, directory)
        self.directory = self._joined()

    def gateway_of(self, park: str, meter: str) -> str | None:
        """Which gateway carries a meter."""
        gateways = self._watch.by_id.get(park, {}).values()
        return next((gateway.id for gateway in gateways if meter in gateway.entries), None)

    async def watch(self, changed: Callable[[Directory], None]) -> None:
        """Hand out the new look-up after each change, for as long as the task lives."""
        async for _ in self._watch.changes():
            self.directory = self._joined()
            changed(self.directory)

    def _joined(self) -> Directory:
        _give_back()
        return {topic: gateway for made in self._watch.by_id.values() for topic, gateway in made.items()}


def _give_back() -> None:
    """Return what reading a large park file took: the allocator of glibc would keep 60 MB of 10,000 meters."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

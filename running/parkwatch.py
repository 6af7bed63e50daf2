"""Watches park files: a changed file takes effect; a faulty one is reported and the old one stays in force."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Generic, TypeVar

from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park, load_parks, park_files
from running.filestamp import FileStamp, stamp_of

LOOK_S = 1.0

log = logging.getLogger(__name__)

T = TypeVar("T")


class ParkWatch(Generic[T]):
    """The objects made of the parks of a file or folder; a large park need not be kept itself.

    Raises `OperatorError` with all faults where they cannot be used at the start.
    """

    def __init__(self, where: Path, make: Callable[[Park], T]) -> None:
        self._where = where
        self._make = make
        self._stamps = _stamps(where)
        self._by_file = {file: (park.id, make(park)) for file, park in load_parks(where).items()}

    @property
    def by_id(self) -> dict[str, T]:
        """The objects made, by the park's id."""
        return dict(self._by_file.values())

    @property
    def files(self) -> dict[str, Path]:
        """The file of each park, by its id."""
        return {park: file for file, (park, _) in self._by_file.items()}

    async def changes(self) -> AsyncIterator[None]:
        """Look each second and yield whenever a file was read or has gone."""
        while True:
            await asyncio.sleep(LOOK_S)
            if await asyncio.to_thread(self.look):
                yield

    def look(self) -> bool:
        """Read changed files; returns whether anything changed."""
        try:
            stamps = _stamps(self._where)
        except (OperatorError, OSError) as error:
            log.error("%s; the parks stay as they were", error)  # noqa: TRY400 (the operator's, no traceback)
            return False
        if stamps == self._stamps:
            return False
        kept = {file: park for file, park in self._by_file.items() if file in stamps}
        for file in stamps.keys() - kept.keys() | {file for file in kept if stamps[file] != self._stamps.get(file)}:
            try:
                park = load_park(file)
            except OperatorError as error:
                log.error("park file has faults; the old one stays:\n%s", error)  # noqa: TRY400 (as above)
                continue
            if any(other == park.id and path != file for path, (other, _) in kept.items()):
                log.error("%s: another park file has the id %s already; choose another", file, park.id)
                continue
            kept[file] = (park.id, self._make(park))
            log.warning("%s: taken in, %d meters", file, len(park.meters))
        self._stamps = stamps
        self._by_file = kept
        return True


def _stamps(where: Path) -> dict[Path, FileStamp]:
    return {file: stamp_of(file) for file in park_files(where)}

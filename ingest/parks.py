"""Keeps the park files in memory and takes a changed one in; a faulty new file is reported and the old one stays."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from ingest.directory import Directory, directory
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park, load_parks, park_files

LOOK_S = 1.0

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class Parks:
    """The parks of a file or folder. Raises `OperatorError` with all faults where they cannot be used at the start."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._stamps = _stamps(where)
        self._by_file = load_parks(where)

    @property
    def by_id(self) -> dict[str, Park]:
        """Parks by id."""
        return {park.id: park for park in self._by_file.values()}

    def directory(self) -> Directory:
        """Look-up of the accept step."""
        return directory(self._by_file.values())

    def gateway_of(self, park: str, meter: str) -> str | None:
        """Which gateway carries a meter."""
        found = self.by_id.get(park)
        return found.meter[meter].gateway if found and meter in found.meter else None

    async def watch(self, changed: Callable[[Directory], None]) -> None:
        """Look for changes each second and hand out the new look-up, for as long as the task lives."""
        while True:
            await asyncio.sleep(LOOK_S)
            if await asyncio.to_thread(self._reload):
                changed(self.directory())

    def _reload(self) -> bool:
        """Read what changed; whether anything did."""
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
                log.error("park file has faults; the old one stays:\n%s", error)  # noqa: TRY400
                continue
            if any(other.id == park.id and path != file for path, other in kept.items()):
                log.error("%s: another park file has the id %s already; choose another", file, park.id)
                continue
            kept[file] = park
            log.warning("%s: taken in, %d meters", file, len(park.meters))
        self._stamps = stamps
        self._by_file = kept
        return True


def _stamps(where: Path) -> dict[Path, _Stamp]:
    stats = {file: file.stat() for file in park_files(where)}
    return {file: (stat.st_mtime_ns, stat.st_size, stat.st_ino) for file, stat in stats.items()}

"""Watches a file of baselines: a changed one is taken in; a faulty one is logged and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from efficiency.baseline.file import file_of, load_baselines
from efficiency.baseline.model import Baseline
from metering.errors import OperatorError

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest `baselines` that could be read, None where none ever could; `fault` says what is wrong now."""

    baselines: Sequence[Baseline] | None
    fault: str | None
    stamp: _Stamp | None


class BaselineWatch:
    """The files beside some park files."""

    def __init__(self) -> None:
        self._seen: dict[Path, Seen] = {}

    def look(self, park_file: Path) -> Seen:
        """The baselines of a park, read again where their file has changed."""
        file = file_of(park_file)
        before = self._seen.get(file)
        try:
            stat = file.stat()
            stamp: _Stamp | None = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            stamp = None
        if before is None or stamp != before.stamp or stamp is None:
            try:
                self._seen[file] = Seen(load_baselines(file), None, stamp)
            except OperatorError as error:
                self._seen[file] = Seen(before.baselines if before is not None else None, str(error), stamp)
        return self._seen[file]

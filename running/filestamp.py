"""Whether a file changed since it was last read."""

from pathlib import Path
from typing import NamedTuple


class FileStamp(NamedTuple):
    """What differs once a file has changed."""

    changed_ns: int
    size: int
    inode: int


def stamp_of(file: Path) -> FileStamp:
    """The stamp of a file as it is now.

    Raises `OSError` where it cannot be looked at.
    """
    stat = file.stat()
    return FileStamp(stat.st_mtime_ns, stat.st_size, stat.st_ino)

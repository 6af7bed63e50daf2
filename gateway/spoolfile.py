"""The spool's SQLite file: opened so that a commit survives a power loss, set aside when it is broken."""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metering.errors import OperatorError, UnavailableError

SYNCHRONOUS = "FULL"
"""An fsync for each commit. With anything less, a power loss loses the last commits, as a test shows."""

_LOG = logging.getLogger(__name__)
_LAYOUT = 1
_BUSY_S = 1.0  # a predecessor that is just ending may lock the file this long
_RESERVE = 8 * 1024 * 1024  # the log (4 MiB until it is written back) and what deleting adds to it
_VACUUM_PAGES = 500  # at a time, so that moving them fits into the reserve
_PRIVATE = 0o600
_AT_ONCE = 100  # rows of a broken file; where these cannot be read, each is tried on its own
_FAR_BACK = 1_000_000  # numbers that are tried where the first is unknown
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    created INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX facts ON message (oldest, readings, bytes); -- totals without touching the payloads
CREATE TABLE loss (discarded INTEGER NOT NULL);
INSERT INTO loss VALUES (0);
PRAGMA user_version = 1;
COMMIT;
"""


class CorruptFileError(Exception):
    """The file is not, or no longer, an intact database."""


def open_file(path: Path) -> sqlite3.Connection:
    """Connection to the file, created where it is missing; it is locked for others until it is closed.

    Raises `CorruptFileError`, `OperatorError` (in use, no permission, another layout) or `UnavailableError`.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_private(path)
        # The spool works in one worker thread, which is not the thread that opens it.
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise OperatorError(f"The spool {path} cannot be opened: {error}. Make its folder writable.") from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            message = f"The spool {path} is in use by another process. Each gateway needs its own spool."
            raise OperatorError(message) from error
        raise failure(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_private(path: Path) -> None:
    """Create the file where it is missing, readable for its owner only; SQLite's log inherits its mode."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        os.fchmod(handle, _PRIVATE)
    finally:
        os.close(handle)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only for a new file; it lets `Reserve` give space back
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise OperatorError(f"The spool {path} is on a file system without SQLite's WAL. Put it on a local disk.")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    layout = connection.execute("PRAGMA user_version").fetchone()[0]
    if layout == 0:
        connection.executescript(_SCHEMA)
        sync_folder(path.parent)
        sync_folder(path.parent.parent)
    elif layout != _LAYOUT:
        raise OperatorError(f"The spool {path} has layout {layout}; this version reads {_LAYOUT}. Move it away.")


def failure(error: sqlite3.Error, path: Path) -> Exception:
    """The error of ours that an SQLite error means; any other error is returned unchanged."""
    if getattr(error, "sqlite_errorcode", None) is None:
        return error
    if error.sqlite_errorcode & 0xFF in _CORRUPT:
        return CorruptFileError(f"{path}: {error}")
    return UnavailableError(f"the disk of the spool {path} fails: {error} ({error.sqlite_errorname})")


def set_aside(path: Path) -> Path:
    """Rename a broken file, with its log, for a person to examine; returns its new name."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    sync_folder(path.parent)
    _LOG.error("The spool %s is corrupt. It was set aside as %s, and a new one is started.", path, target)
    return target


def readable(path: Path) -> Iterator[tuple[Any, ...]]:
    """Rows of `message` in a broken file as far as they can be read, oldest first."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as broken:
        last = _number(broken, "SELECT max(seq) FROM sqlite_sequence WHERE name = 'message'")
        if last is None:
            last = _number(broken, "SELECT max(seq) FROM message")
        if last is None:
            return
        first = _number(broken, "SELECT min(seq) FROM message")
        done = max(0, last - _FAR_BACK) if first is None else first - 1
        while done < last:
            end = min(done + _AT_ONCE, last)
            try:
                yield from broken.execute("SELECT * FROM message WHERE seq > ? AND seq <= ?", (done, end)).fetchall()
            except sqlite3.Error:
                for seq in range(done + 1, end + 1):
                    with contextlib.suppress(sqlite3.Error):
                        yield from broken.execute("SELECT * FROM message WHERE seq = ?", (seq,)).fetchall()
            done = end


def _number(broken: sqlite3.Connection, query: str) -> int | None:
    try:
        found = broken.execute(query).fetchone()[0]
    except (sqlite3.Error, TypeError):
        return None
    return found if isinstance(found, int) else None


class Reserve:
    """Space reserved beside the spool, so that a spool that filled the disk can still delete.

    Deleting writes, too. Without a reserve, a full disk would stop confirmed messages from making room for new ones.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".reserve")
        self.released = True

    def release(self, connection: sqlite3.Connection | None) -> None:
        """Release the space, and have the log written back into the file and emptied."""
        self._path.unlink(missing_ok=True)
        self.released = True
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def restore(self, connection: sqlite3.Connection) -> None:
        """Reserve the space again, if need be from free pages of the spool.

        Raises `UnavailableError` where there is none.
        """
        while self._free() < 2 * _RESERVE and connection.execute("PRAGMA freelist_count").fetchone()[0]:
            connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            _keep_private(self._path)
            with self._path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, _RESERVE)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            raise UnavailableError(f"the disk of the spool {self._path.parent} is full: {error.strerror}") from error
        self.released = False

    def _free(self) -> int:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (fsync)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

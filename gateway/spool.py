"""Readings on disk, in the messages that carry them, until they are deleted on request.

What `append` returned is on disk: a power loss at any instant afterwards does not lose it. An id is never used twice:
its first half is drawn anew whenever the file is opened, so that neither a replaced file nor one restored from a copy
repeats an id.

Size and age are bounded; what is discarded at the limit is counted, in the file itself. A corrupt file is set aside and
a new one started, with the messages that can still be read. A full disk stops nobody: what cannot be appended is
counted as lost. Deleting is idempotent: what a crash brings back is merely sent again.
"""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple, ParamSpec, Self, TypeVar

from gateway.spoolfile import CorruptFileError, Reserve, failure, open_file, readable, set_aside
from metering.errors import UnavailableError
from wire.messages import MAX_BYTES, Message, Reading

_LOG = logging.getLogger(__name__)
_NEARLY_FULL = 0.9
_SEQ_DIGITS = 18  # more do not fit SQLite's integers
_ROW = "seq, id, readings, payload"
P = ParamSpec("P")
T = TypeVar("T")


MAX_READINGS = 500
"""Readings in one message: far below the wire's limit, so that a weak line is not blocked by one message for long."""


class Packed(NamedTuple):
    """One message ready to publish; `oldest` is the instant of its oldest reading in milliseconds."""

    id: str
    oldest: int
    readings: int
    payload: bytes

    @property
    def seq(self) -> int:
        """The sequence number in its id."""
        return int(self.id.rpartition("-")[2])


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """When the spool is full: bytes of payload on disk, and seconds since a message was appended."""

    max_bytes: int = 1 << 30
    max_age_s: float = 60 * 86_400.0


class Spooled(NamedTuple):
    """One message on disk, ready to publish, with the number of its readings."""

    seq: int
    id: str
    readings: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Depth:
    """What is on disk now, and how many readings were discarded over the life of the file."""

    messages: int = 0
    readings: int = 0
    bytes: int = 0
    discarded: int = 0


class Spool:
    """A file of messages, for one process and one thread at a time; `clock` gives seconds since the epoch."""

    def __init__(self, path: Path, *, clock: Callable[[], float], limits: SpoolLimits | None = None) -> None:
        self._path = path
        self._clock = clock
        self._limits = limits or SpoolLimits()
        self._prefix = secrets.token_hex(8)
        self._last = 0
        self._unwritten = 0  # discarded readings that the file's own count does not have yet
        self._depth = Depth()
        self._reserve = Reserve(path)
        self._file: sqlite3.Connection | None = None
        try:
            self._begin()
        except UnavailableError as error:
            _LOG.error("%s; readings are lost until there is space", error)

    @property
    def last(self) -> int:
        """Sequence number of the newest message that was ever appended."""
        return self._last

    @property
    def depth(self) -> Depth:
        """What is on disk."""
        return replace(self._depth, discarded=self._depth.discarded + self._unwritten)

    @property
    def nearly_full(self) -> bool:
        """Whether the next `append` may have to discard something."""
        return self._depth.bytes > _NEARLY_FULL * self._limits.max_bytes

    def append(self, *batches: Sequence[Reading], expendable: Sequence[int] = ()) -> list[str]:
        """Put each batch on disk as one message, or several where it is too large for one; returns their ids.

        All of them in one commit. When the spool is full, the messages `expendable` (sequence numbers of those that the
        broker has) are discarded in their order, then the oldest. Raises `UnavailableError` when the disk fails: then
        none of it is on disk.
        """
        created = int(self._clock() * 1000)
        messages = [message for batch in batches for message in pack(batch, self._next_id)]
        if messages:
            try:
                self._append(messages, created, expendable)
            except CorruptFileError:
                self._replace()
                self._append(messages, created, ())
            except UnavailableError:
                if self._reserve.released:
                    raise
                self._reserve.release(self._db)
                self._append(messages, created, expendable)
        return [message.id for message in messages]

    def after(self, seq: int, *, before: int, limit: int, max_bytes: int) -> list[Spooled]:
        """Messages between two sequence numbers, oldest first, up to `limit` and about `max_bytes` (at least one)."""
        found = []
        size = 0
        query = f"SELECT {_ROW} FROM message WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?"
        for row in self._select(query, (seq, before, limit)):
            found.append(row)
            size += len(row.payload)
            if size >= max_bytes:
                break
        return found

    def read(self, seqs: Iterable[int]) -> list[Spooled]:
        """Those of the messages that are still on disk."""
        query = f"SELECT {_ROW} FROM message WHERE seq = ?"
        return list(chain.from_iterable(self._select(query, (seq,)) for seq in seqs))

    def oldest(self) -> int | None:
        """Instant of the oldest reading on disk, in milliseconds since the epoch."""
        if self._file is None:
            return None
        try:
            with self._failures():
                found: int | None = self._db.execute("SELECT min(oldest) FROM message").fetchone()[0]
                return found
        except CorruptFileError:
            self._replace()
            return self.oldest()

    def forget(self, ids: Iterable[str]) -> int:
        """Delete the messages with these ids, in one commit; returns the number of readings.

        Unknown ids are harmless. Raises `UnavailableError` when the disk fails: then none of them is deleted.
        """
        keys = [(int(seq), name) for name in ids if (seq := name.rpartition("-")[2]).isdecimal() and _fits(seq)]
        try:
            depth = self._forget(keys)
        except CorruptFileError:
            self._replace()
            return 0
        except UnavailableError:
            self._reserve.release(self._db)
            depth = self._forget(keys)
        forgotten = self._depth.readings - depth.readings
        self._depth = depth
        return forgotten

    def lose(self, readings: int) -> None:
        """Count readings that could not be appended; saved in the file with the next append."""
        self._unwritten += readings

    def close(self) -> None:
        """Close the file; another process may open it."""
        if self._file is not None:
            self._file.close()

    def _forget(self, keys: Iterable[tuple[int, str]]) -> Depth:
        with self._transaction():
            return self._delete("seq = ? AND id = ?", keys)

    def _append(self, messages: list[Packed], now_ms: int, first: Iterable[int]) -> None:
        rows = [(m.seq, m.id, now_ms, m.oldest, m.readings, len(m.payload), m.payload) for m in messages]
        size = sum(len(message.payload) for message in messages)
        if self._reserve.released:
            with self._failures():
                self._reserve.restore(self._db)
        with self._transaction():
            depth = self._make_room(size, now_ms, first)
            self._db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            discarded = self._depth.discarded + self._unwritten + self._depth.readings - depth.readings
            if discarded != self._depth.discarded:
                self._db.execute("UPDATE loss SET discarded = ?", (discarded,))
        self._unwritten = 0
        readings = depth.readings + sum(message.readings for message in messages)
        self._depth = Depth(depth.messages + len(messages), readings, depth.bytes + size, discarded)

    def _make_room(self, size: int, now_ms: int, first: Iterable[int]) -> Depth:
        """Delete what must go before `size` bytes are added; returns what is left."""
        horizon = now_ms - int(self._limits.max_age_s * 1000)
        aged = "seq <= (SELECT coalesce(max(seq), 0) FROM message WHERE created < ?) AND created < ?"
        oldest = self._db.execute("SELECT created FROM message ORDER BY seq LIMIT 1").fetchone()
        depth = self._depth
        if oldest is not None and oldest[0] < horizon:
            depth = self._delete(aged, [(horizon, horizon)])
        wanted = depth.bytes + size - self._limits.max_bytes
        if wanted <= 0:
            return depth
        expendable = chain.from_iterable(self._db.execute(_SIZE + "WHERE seq = ?", (seq,)) for seq in first)
        going: dict[int, None] = {}
        for seq, length in chain(expendable, self._db.execute(_SIZE + "ORDER BY seq")):
            if wanted <= 0:
                break
            if seq not in going:
                going[seq] = None
                wanted -= length
        return self._delete("seq = ?", [(seq,) for seq in going], depth)

    def _delete(self, where: str, keys: Iterable[tuple[object, ...]], depth: Depth | None = None) -> Depth:
        """Delete rows, once for each of `keys`; returns what is left of `depth`."""
        messages = readings = size = 0
        query = f"DELETE FROM message WHERE {where} RETURNING readings, bytes"
        for key in keys:
            for row in self._db.execute(query, key).fetchall():
                messages += 1
                readings += row[0]
                size += row[1]
        left = depth or self._depth
        return replace(
            left, messages=left.messages - messages, readings=left.readings - readings, bytes=left.bytes - size
        )

    def _select(self, query: str, arguments: tuple[int, ...]) -> list[Spooled]:
        if self._file is None:
            return []
        try:
            with self._failures():
                return [Spooled(*row) for row in self._db.execute(query, arguments)]
        except CorruptFileError:
            self._replace()
            return self._select(query, arguments)

    def _next_id(self) -> str:
        # Counted up even if the commit then fails: a failed commit may still be on disk.
        self._last += 1
        return f"{self._prefix}-{self._last}"

    @property
    def _db(self) -> sqlite3.Connection:
        """The open file. Raises `UnavailableError` where it could not be opened, and still cannot."""
        if self._file is None:
            self._begin()
        if self._file is None:
            raise UnavailableError(f"the spool {self._path} is not open")
        return self._file

    def _begin(self) -> None:
        """Open the file. On a full disk, the reserve of the last run is released first."""
        try:
            self._file = self._open()
        except CorruptFileError:
            self._replace()
        except UnavailableError:
            self._reserve.release(None)
            self._file = self._open()

    def _open(self) -> sqlite3.Connection:
        db = open_file(self._path)
        try:
            numbered = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'"
            last = db.execute(numbered).fetchone()[0]
            self._depth = _depth_of(db)
        except sqlite3.Error as error:
            db.close()
            raise failure(error, self._path) from error
        # A new file after a corrupt one continues the numbering, so that a number identifies one message as long as we
        # run.
        self._last = max(self._last, last)
        return db

    def _replace(self) -> None:
        """Start a new file with what can be read of the old one; the rest counts as discarded as far as it is known."""
        before = self._depth
        if self._file is not None:
            self._file.close()
            self._file = None
        aside = set_aside(self._path)
        self._file = self._open()
        with contextlib.suppress(UnavailableError), self._transaction() as db:
            columns = "(seq, id, created, oldest, readings, bytes, payload)"
            db.executemany(f"INSERT INTO message {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", readable(aside))
        self._depth = _depth_of(self._file)
        self._last = max(self._last, _last_of(self._file))
        _LOG.error("%d messages of the corrupt spool could be read and are kept", self._depth.messages)
        self._unwritten += max(0, before.readings - self._depth.readings) + before.discarded

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise failure(error, self._path) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        with self._failures():
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise


_SIZE = "SELECT seq, bytes FROM message "


def _depth_of(db: sqlite3.Connection) -> Depth:
    totals = db.execute("SELECT count(*), total(readings), total(bytes) FROM message").fetchone()
    discarded = db.execute("SELECT total(discarded) FROM loss").fetchone()[0]
    return Depth(totals[0], int(totals[1]), int(totals[2]), int(discarded))


def _last_of(db: sqlite3.Connection) -> int:
    last: int = db.execute("SELECT coalesce(max(seq), 0) FROM message").fetchone()[0]
    return last


def _fits(seq: str) -> bool:
    return seq.isascii() and len(seq) <= _SEQ_DIGITS


def pack(readings: Sequence[Reading], next_id: Callable[[], str]) -> Iterator[Packed]:
    """Messages that carry all `readings`, in their order; nothing for no readings."""
    for start in range(0, len(readings), MAX_READINGS):
        yield from _bounded(readings[start : start + MAX_READINGS], next_id)


def _bounded(readings: Sequence[Reading], next_id: Callable[[], str]) -> Iterator[Packed]:
    name = next_id()
    payload = Message(id=name, readings=list(readings)).model_dump_json(exclude_defaults=True).encode()
    if len(payload) > MAX_BYTES and len(readings) > 1:
        half = len(readings) // 2
        yield from _bounded(readings[:half], next_id)
        yield from _bounded(readings[half:], next_id)
        return
    yield Packed(name, min(reading.ms for reading in readings), len(readings), payload)


class SpoolThread:
    """A separate thread for a spool: a slow disk must stall neither polling nor the broker's keep-alive.

    Calls run one after the other, in order. Closes the spool at its end.
    """

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._thread.submit(self.spool.close)
        self._thread.shutdown(wait=True)

    async def call(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run something with the spool on the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments, **named))

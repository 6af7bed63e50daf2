"""What the publisher sends next, read from the spool: live readings first, then repeats, then the backlog.

Live is what was appended while the connection stood and kept up. Everything else is backlog, oldest first: what was in
the spool before, what accumulated while offline, and what live readings could not keep up with.
"""

import sys
from collections import deque
from collections.abc import Callable

from gateway.outbox import Outbox
from gateway.spool import Spooled, SpoolThread

_FETCH = 50  # messages at a time
_FETCH_BYTES = 256 * 1024
_LAG = 100  # live messages that wait before the oldest of them count as backlog
_LOOK_EVERY_S = 0.5  # timers are checked this often


class SendQueue:
    """The next messages, as far as the outbox has room for them."""

    def __init__(self, thread: SpoolThread, outbox: Outbox, now: Callable[[], float]) -> None:
        self._thread = thread
        self._spool = thread.spool
        self._outbox = outbox
        self._now = now
        self._live: deque[Spooled] = deque()
        self._again: deque[Spooled] = deque()
        self._backlog: deque[Spooled] = deque()
        self._live_from = 0  # live messages have this number or a higher one
        self._done = 0  # the backlog up to here is in the outbox or gone
        self._due: deque[int] = deque()
        self._look_at = 0.0

    def connected(self) -> None:
        """Begin a connection: all that is in the spool now is backlog."""
        if self._backlog:
            self._done = self._backlog[0].seq - 1
        for line in (self._live, self._again, self._backlog):
            line.clear()
        self._due.clear()
        self._live_from = self._spool.last + 1
        self._look_at = self._now()

    @property
    def live_waits(self) -> bool:
        """Whether live readings have not been sent yet."""
        return bool(self._live) or self._spool.last >= self._live_from

    async def next(self) -> Spooled | None:
        """The next message that may be sent now, if there is one."""
        if self._outbox.room(live=True) and await self._fetch_live():
            return self._live.popleft()
        if self._outbox.room_to_repeat() and await self._fetch_due():
            return self._again.popleft()
        if self._outbox.room(live=False) and await self._fetch_backlog():
            return self._backlog.popleft()
        return None

    async def _fetch_live(self) -> bool:
        last = self._spool.last
        behind = last - _LAG
        if self._live_from < behind:
            self._live.clear()  # still on disk, now as backlog
            self._live_from = behind
        if not self._live and last >= self._live_from:
            start = self._live_from - 1
            found = await self._after(start, sys.maxsize)
            self._live.extend(found)
            self._live_from = (found[-1].seq if found else last) + 1  # a failed append leaves numbers without message
        return bool(self._live)

    async def _fetch_due(self) -> bool:
        if not self._again and not self._due and self._now() >= self._look_at:
            self._due.extend(self._outbox.due())
            self._look_at = self._now() + _LOOK_EVERY_S
        while self._due and not self._again:
            seqs = [self._due.popleft() for _ in range(min(_FETCH, len(self._due)))]
            found = await self._thread.call(self._spool.read, seqs)
            self._outbox.drop(set(seqs) - {message.seq for message in found})
            self._again.extend(message for message in found if message.seq in self._outbox)
        return bool(self._again)

    async def _fetch_backlog(self) -> bool:
        end = self._live[0].seq if self._live else self._live_from
        while not self._backlog and self._done < end - 1:
            found = await self._after(self._done, end)
            self._done = found[-1].seq if found else end - 1
            self._backlog.extend(message for message in found if message.seq not in self._outbox)
        return bool(self._backlog)

    async def _after(self, seq: int, before: int) -> list[Spooled]:
        return await self._thread.call(self._spool.after, seq, before=before, limit=_FETCH, max_bytes=_FETCH_BYTES)

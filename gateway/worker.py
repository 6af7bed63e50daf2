"""The spool on a thread of its own: a slow disk must stall neither the polling nor the broker's keep-alive."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

from gateway.spool import Depth, Spool, Spooled
from wire.messages import Reading

_T = TypeVar("_T")


class SpoolWorker:
    """`Spool`, awaited; calls are done one after the other, in order. Closes the spool at its end."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._thread.submit(self._spool.close)
        self._thread.shutdown(wait=True)

    @property
    def last(self) -> int:
        """Sequence number of the newest message; it may be still on its way to the disk."""
        return self._spool.last

    @property
    def depth(self) -> Depth:
        """What is on disk."""
        return self._spool.depth

    @property
    def nearly_full(self) -> bool:
        """Whether the next `append` may have to discard something."""
        return self._spool.nearly_full

    def lose(self, readings: int) -> None:
        """Count readings that could not be appended."""
        self._spool.lose(readings)

    async def append(self, batches: Sequence[Sequence[Reading]], expendable: Sequence[int]) -> list[str]:
        """See `Spool.append`."""
        return await self._call(partial(self._spool.append, *batches, expendable=expendable))

    async def after(self, seq: int, *, before: int, limit: int, max_bytes: int) -> list[Spooled]:
        """See `Spool.after`."""
        return await self._call(partial(self._spool.after, seq, before=before, limit=limit, max_bytes=max_bytes))

    async def read(self, seqs: Sequence[int]) -> list[Spooled]:
        """See `Spool.read`."""
        return await self._call(partial(self._spool.read, seqs))

    async def forget(self, ids: Iterable[str]) -> int:
        """See `Spool.forget`."""
        return await self._call(partial(self._spool.forget, list(ids)))

    async def oldest(self) -> int | None:
        """See `Spool.oldest`."""
        return await self._call(self._spool.oldest)

    async def _call(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

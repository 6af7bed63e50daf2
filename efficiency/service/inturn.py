"""Doing many things a few at a time, so that the database answers one while another is computed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

AT_A_TIME = 3


async def in_turn(works: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do all of them; the first failure ends the others and is raised as it is."""
    few = asyncio.Semaphore(AT_A_TIME)

    async def one(work: Callable[[], Awaitable[None]]) -> None:
        async with few:
            await work()

    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(one(work))
    except BaseExceptionGroup as group:
        raise _first(group) from group


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error

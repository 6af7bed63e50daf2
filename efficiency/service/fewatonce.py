"""Runs many jobs, a few at once, so that the database answers one while another is computed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from metering.errors import first_error

AT_A_TIME = 3

T = TypeVar("T")


async def few_at_once(works: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run all jobs and return their results; the first failure cancels the others and is raised unchanged."""
    few = asyncio.Semaphore(AT_A_TIME)
    try:
        async with asyncio.TaskGroup() as tasks:
            begun = [tasks.create_task(_one(few, work)) for work in works]
    except BaseExceptionGroup as group:
        raise first_error(group) from group
    return [task.result() for task in begun]


async def _one(few: asyncio.Semaphore, work: Callable[[], Awaitable[T]]) -> T:
    async with few:
        return await work()

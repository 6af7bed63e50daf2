"""How a long-running task waits between attempts: exponential back-off with jitter up to 30 s, and a quiet log."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from logging import Logger
from typing import Final, TypeVar

from metering.errors import UnavailableError
from running.trouble import Trouble

_T = TypeVar("_T")

FIRST_S: Final = 0.2
LONGEST_S: Final = 30.0
LONGEST_ASKED_S: Final = 300.0
"""The longest pause that the other side may ask for."""


class Pause:
    """A pause that doubles with each consecutive failure, up to `longest_s`; `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], longest_s: float = LONGEST_S) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._until = float("-inf")
        self.failures = 0
        """Consecutive failures."""

    @property
    def over(self) -> bool:
        """Whether it is time to try again."""
        return self._clock() >= self._until

    def failed(self, at_least: float = 0.0) -> float:
        """Note a failure; returns the seconds to wait, from half to all of the pause."""
        self.failures += 1
        pause = min(self._longest_s, FIRST_S * 2.0 ** min(self.failures - 1, 16))
        wait = max(at_least, pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)
        self._until = self._clock() + wait
        return wait

    def succeeded(self) -> None:
        """Note a success."""
        self.failures = 0
        self._until = float("-inf")


class Patience:
    """Counts the failures of one thing that is retried; `clock` is monotonic, in seconds."""

    def __init__(self, what: str, log: Logger, clock: Callable[[], float]) -> None:
        self._trouble = Trouble(log, what, clock)
        self._pause = Pause(clock)
        self.total = 0

    @property
    def failures(self) -> int:
        """Consecutive failures."""
        return self._pause.failures

    @property
    def over(self) -> bool:
        """Whether it is time to try again."""
        return self._pause.over

    def failed(self, error: Exception | str, retry_after: float | None = None) -> float:
        """Note a failure; returns the seconds to wait, from half to all of a pause that doubles up to 30 s."""
        self.total += 1
        self._trouble.happened(str(error))
        return self._pause.failed(min(retry_after or 0.0, LONGEST_ASKED_S))

    def succeeded(self) -> None:
        """Note a success."""
        self._pause.succeeded()
        self._trouble.over()

    async def repeat(self, work: Callable[[], Awaitable[_T]], most: int) -> _T:
        """What `work` returns; repeated, at most `most` times, while the other side is unavailable.

        Raises `UnavailableError` after that.
        """
        while True:
            try:
                found = await work()
            except UnavailableError as error:
                if self.failures == most:
                    raise
                await asyncio.sleep(self.failed(error, error.retry_after))
            else:
                self.succeeded()
                return found

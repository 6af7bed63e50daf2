"""How a long-running task waits between tries: exponential back-off with jitter up to 30 s, and a quiet log."""

import random
from collections.abc import Callable
from logging import Logger

from running.trouble import Trouble

FIRST_S = 0.2
LONGEST_S = 30.0
LONGEST_ASKED_S = 300.0
"""Nobody may ask for more patience than this."""


class Patience:
    """Counts the failures of one thing that is tried again and again; `clock` gives seconds that only grow."""

    def __init__(self, what: str, log: Logger, clock: Callable[[], float]) -> None:
        self._trouble = Trouble(log, what, clock)
        self.failures = 0
        """In a row."""
        self.total = 0

    def failed(self, error: Exception, retry_after: float | None = None) -> float:
        """Take note of a failure; returns the seconds to wait, from half to all of a pause that doubles up to 30 s."""
        self.failures += 1
        self.total += 1
        self._trouble.happened(str(error))
        pause = min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures - 1, 16))
        return max(min(retry_after or 0.0, LONGEST_ASKED_S), pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)

    def succeeded(self) -> None:
        """Take note that it works."""
        self.failures = 0
        self._trouble.over()

"""How every long-running task waits and complains.

Exponential back-off with jitter, a log line that is not repeated at each try, and one line when it works again.
"""

import random
from collections.abc import Callable
from logging import Logger

FIRST_S = 0.2
LONGEST_S = 30.0
QUIET_S = 30.0


class Patience:
    """Counts the failures of one thing that is tried again and again; `clock` gives seconds that only grow."""

    def __init__(self, what: str, log: Logger, clock: Callable[[], float]) -> None:
        self._what = what
        self._log = log
        self._clock = clock
        self._since = 0.0
        self._said = 0.0
        self.failures = 0
        self.total = 0

    def failed(self, error: Exception, retry_after: float | None = None) -> float:
        """Take note of a failure; returns the seconds to wait, from half to all of a pause that doubles up to 30 s."""
        now = self._clock()
        if self.failures == 0:
            self._since = now
        self.failures += 1
        self.total += 1
        if self.failures == 1 or now - self._said >= QUIET_S:
            self._said = now
            count = f" (try {self.failures}, {now - self._since:.0f} s)" if self.failures > 1 else ""
            self._log.warning("%s: %s%s", self._what, error, count)
        pause = min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures - 1, 16))
        return max(retry_after or 0.0, pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)

    def succeeded(self) -> None:
        """Take note that it works; says so once if it had failed."""
        if self.failures:
            self._log.warning(
                "%s: works again after %d tries in %.0f s", self._what, self.failures, self._clock() - self._since
            )
            self.failures = 0

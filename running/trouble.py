"""A lasting failure is logged when it begins, then rarely and with a count, and once when it is over."""

import logging
from collections.abc import Callable

_EVERY_S = 300.0


class Trouble:
    """One thing that can go wrong; `now` is a monotonic clock in seconds."""

    def __init__(self, log: logging.Logger, name: str, now: Callable[[], float], *, every_s: float = _EVERY_S) -> None:
        self._log = log
        self._name = name
        self._now = now
        self._every_s = every_s
        self._count = 0
        self._since = 0.0
        self._logged = 0.0
        self.message: str | None = None

    def happened(self, message: str) -> None:
        """Note one occurrence; a message that differs from the last is logged at once."""
        now = self._now()
        self._count += 1
        if self.message is None:
            self._since = now
        if message != self.message or now - self._logged >= self._every_s:
            times = f" ({self._count} times in {now - self._since:.0f} s)" if self._count > 1 else ""
            self._log.warning("%s: %s%s", self._name, message, times)
            self._logged = now
        self.message = message

    def over(self) -> None:
        """Note a success; logs one line if it failed before."""
        if self.message is None:
            return
        self._log.warning("%s: recovered after %.0f s", self._name, self._now() - self._since)
        self.message = None
        self._count = 0

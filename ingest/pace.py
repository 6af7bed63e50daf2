"""How long messages gather before they are taken and written, by the rate at which they come.

Being woken for a message costs more than taking it, on our side and in the database. So where messages come often, the
socket is left alone for some milliseconds and a small batch waits for more. A quiet connection never waits.
"""

QUIET_PER_S = 100.0
"""Messages a second below which nothing waits."""

WINDOW_S = 0.1
"""Over which the rate is measured; the window before the current one counts."""

TOGETHER = 200
"""So many messages are worth being woken for."""

LEAST_GATHER_S = 0.001
MOST_GATHER_S = 0.018
"""A meter's reading may wait so long in the socket."""

WAIT_S = 0.018
"""And so long in a batch, from the first to be taken. Both, and the write, stay below 50 ms."""

ENOUGH = 2_000
"""Readings that are written without waiting for more."""


class Pace:
    """Measures the rate of messages; instants are seconds of a clock that only grows."""

    def __init__(self) -> None:
        self._began = 0.0
        self._count = 0
        self._per_s = 0.0

    def note(self, messages: int, now: float) -> None:
        """Count messages that came now."""
        passed = now - self._began
        if passed >= WINDOW_S:
            self._per_s = self._count / passed
            self._began = now
            self._count = 0
        self._count += messages

    @property
    def gather_s(self) -> float:
        """How long the socket may be left alone."""
        if self._per_s < QUIET_PER_S:
            return 0.0
        return min(MOST_GATHER_S, max(LEAST_GATHER_S, TOGETHER / self._per_s))

    def wait_s(self, readings: int, age_s: float) -> float:
        """How long a batch of so many readings, of which the first came so long ago, may wait for more."""
        if self._per_s < QUIET_PER_S or readings >= ENOUGH:
            return 0.0
        return max(0.0, WAIT_S - age_s)

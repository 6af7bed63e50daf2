"""How long messages gather in the socket before they are read, by the rate at which they come.

Waking up for a message costs more than processing it, on our side and in the database. So where messages come often,
the socket is left alone for some milliseconds, and what came is accepted and written together. A quiet connection never
waits. Large messages wait no longer than it takes them to fill one read: in a flood, the rest would pile up in the
broker, and the good readings of others behind it.
"""

QUIET_PER_S = 40.0
"""Messages per second below which nothing waits."""

WINDOW_S = 0.1
"""The time over which the rate is measured; the window before the current one counts."""

TOGETHER = 300
"""How many messages are worth waking up for."""

READ_BYTES = 256 * 1024
"""What one read of the socket takes at most."""

LEAST_GATHER_S = 0.001
MOST_GATHER_S = 0.044
"""The longest time to gather. With the write, a reading stays below 50 ms."""


class Pace:
    """Measures the rate of messages; instants are seconds of a clock that only grows."""

    def __init__(self) -> None:
        self._began = 0.0
        self._count = 0
        self._bytes = 0
        self._per_s = 0.0
        self._bytes_per_s = 0.0

    def note(self, messages: int, size: int, now: float) -> None:
        """Count messages that came at `now`, in `size` bytes."""
        passed = now - self._began
        if passed >= WINDOW_S:
            self._per_s = self._count / passed
            self._bytes_per_s = self._bytes / passed
            self._began = now
            self._count = self._bytes = 0
        self._count += messages
        self._bytes += size

    @property
    def gather_s(self) -> float:
        """How long the socket may be left alone."""
        if self._per_s < QUIET_PER_S:
            return 0.0
        gather_s = min(MOST_GATHER_S, max(LEAST_GATHER_S, TOGETHER / self._per_s))
        if self._bytes_per_s * gather_s > READ_BYTES:
            gather_s = READ_BYTES / self._bytes_per_s
        return gather_s if gather_s >= LEAST_GATHER_S else 0.0

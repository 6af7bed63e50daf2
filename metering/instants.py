"""Instants as the whole product counts them: whole milliseconds since the epoch, UTC."""

from datetime import UTC, datetime
from typing import Final

FUTURE_MS = 5 * 60 * 1000
"""How far ahead of the ingester's clock a reading may lie; later ones are refused."""


def milliseconds(instant: datetime) -> int:
    """Milliseconds since the epoch, exactly."""
    delta = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


_SECONDS_OF_2000: Final = 946_684_800
_SECONDS_OF_2100: Final = 4_102_444_800
_UNITS: Final = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


def unit_of(number: float) -> str | None:
    """Unit in which a number since the epoch lies between the years 2000 and 2100; None where it does in none.

    The four ranges do not overlap, so `unit_of(1795150800)` can only be seconds.
    """
    return next((unit for unit, n in _UNITS.items() if _SECONDS_OF_2000 * n <= number < _SECONDS_OF_2100 * n), None)

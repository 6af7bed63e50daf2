"""Instants as the whole product counts them: whole milliseconds since the epoch, UTC."""

from datetime import UTC, datetime

FUTURE_MS = 5 * 60 * 1000
"""How far ahead of the ingester's clock a reading may lie; later ones are refused."""


def milliseconds(instant: datetime) -> int:
    """Milliseconds since the epoch, exactly."""
    delta = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000

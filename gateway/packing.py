"""Readings into messages of the wire: each within the wire's bounds, each with an id of its own."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from wire.messages import MAX_BYTES, Message, Reading

MAX_READINGS = 500
"""Readings in one message: far under the wire's bound, so that a weak line is not busy with one message for long."""


class Packed(NamedTuple):
    """One message ready to publish; `oldest` is the instant of its oldest reading in milliseconds."""

    id: str
    oldest: int
    readings: int
    payload: bytes


def pack(readings: Sequence[Reading], next_id: Callable[[], str]) -> Iterator[Packed]:
    """Messages that carry all `readings`, in their order; nothing for no readings."""
    for start in range(0, len(readings), MAX_READINGS):
        yield from _bounded(readings[start : start + MAX_READINGS], next_id)


def _bounded(readings: Sequence[Reading], next_id: Callable[[], str]) -> Iterator[Packed]:
    name = next_id()
    payload = Message(id=name, readings=list(readings)).model_dump_json(exclude_defaults=True).encode()
    if len(payload) > MAX_BYTES and len(readings) > 1:
        half = len(readings) // 2
        yield from _bounded(readings[:half], next_id)
        yield from _bounded(readings[half:], next_id)
        return
    yield Packed(name, min(reading.ms for reading in readings), len(readings), payload)

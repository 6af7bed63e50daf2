"""A scale of round numbers from the smallest to the largest value, with zero on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LINES = 5
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high` in steps; `digits` are the decimals of its labels."""

    low: float
    high: float
    step: float
    digits: int

    @property
    def marks(self) -> tuple[float, ...]:
        """The values at which a line is drawn."""
        return tuple(self.low + number * self.step for number in range(round((self.high - self.low) / self.step) + 1))

    def at(self, value: float) -> float:
        """Place of a value, 0 at the low end and 1 at the high."""
        return (value - self.low) / (self.high - self.low)


def scale(values: Iterable[float]) -> Scale:
    """Scale for values; from 0 to 1 where all of them are zero."""
    known = [0.0, *values]
    low, high = min(known), max(known)
    raw = (high - low) / _LINES
    raw = raw if raw > _NOTHING else 0.2
    size = 10.0 ** floor(log10(raw))
    step = next(each * size for each in _STEPS if each * size >= raw * (1 - 1e-9))
    bottom, top = floor(low / step) * step, ceil(high / step) * step
    digits = max(0, -floor(log10(step)) + (1 if step / size == _STEPS[2] else 0))
    return Scale(bottom, top if top > bottom else bottom + step * _LINES, step, digits)

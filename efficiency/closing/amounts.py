"""Rounds quantities and money of a statement so that anybody with a calculator gets the same.

F22: a quantity has three decimals, each charge is whole dong, both half up; VAT is computed on the sum of each rate.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

_THOUSANDTH = Decimal("0.001")


def billed(quantity: float) -> float:
    """A quantity as it is charged."""
    return float(_exact(quantity).quantize(_THOUSANDTH, ROUND_HALF_UP))


def dong(quantity: float, price: float) -> int:
    """Quantity times price in whole dong."""
    return int((_exact(quantity) * _exact(price)).quantize(Decimal(1), ROUND_HALF_UP))


def total(quantities: Iterable[float]) -> float:
    """The sum of billed quantities, free of binary rounding errors."""
    return float(sum(map(_exact, quantities), Decimal(0)))


def shared(amount: int, weights: Mapping[str, float]) -> dict[str, int]:
    """F24: split an amount by weights, to the last dong.

    Each gets the whole dong of its exact share. What is left goes, one dong each, to the largest remainders; of equal
    ones, to the first. Those without a weight above zero are left out.
    """
    exact = {name: Fraction(_exact(weight)) for name, weight in weights.items() if weight > 0}
    if not exact:
        return {}
    every = sum(exact.values())
    shares = {name: Fraction(amount) * weight / every for name, weight in exact.items()}
    found = {name: floor(share) for name, share in shares.items()}
    most = sorted(shares, key=lambda name: found[name] - shares[name])
    for name in most[: amount - sum(found.values())]:
        found[name] += 1
    return found


def _exact(number: float) -> Decimal:
    return Decimal(repr(float(number)))

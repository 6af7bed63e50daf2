"""Money adds up to the last dong, whatever it is split by."""

from hypothesis import given
from hypothesis import strategies as st

from efficiency.closing.amounts import billed, dong, shared

WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1), st.floats(0, 1e9), min_size=1, max_size=20)


@given(st.integers(-(10**13), 10**13), WEIGHTS)
def test_shares_add_up_and_are_off_by_less_than_a_dong(amount: int, weights: dict[str, float]) -> None:
    shares, every = shared(amount, weights), sum(weights.values())
    assert sum(shares.values()) == (amount if every else 0)
    assert shares.keys() == {name for name, weight in weights.items() if weight > 0}
    for name, share in shares.items():
        assert abs(share - amount * weights[name] / every) <= 1 + 1e-9 * abs(amount)


def test_the_largest_remainder_gets_the_dong_that_is_left() -> None:
    assert shared(100, {"a": 1, "b": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}
    assert shared(10, {"a": 0.6, "b": 0.7, "c": 0.7}) == {"a": 3, "b": 4, "c": 3}
    assert shared(-100, {"a": 1, "b": 2}) == {"a": -33, "b": -67}


def test_half_a_dong_and_half_a_thousandth_are_rounded_up() -> None:
    assert dong(0.5, 1833) == 917
    assert dong(0.001, 500) == 1
    assert billed(2.0005) == 2.001

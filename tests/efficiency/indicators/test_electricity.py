"""The power factor of a period and the surcharge on a bill: of sums, by the steps of the regulation, or a reason."""

import numpy as np
import pytest

from efficiency.indicators.electricity import power_factor, reactive_surcharge, surcharge_percent
from efficiency.indicators.figure import Figure, absent
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.valuation.valued import ValueReason
from metering.parkfile import load_park
from metering.tariffs import ReactiveRule
from proving.demo.plan import EXAMPLE
from tests.efficiency.indicators.oneday import used

TABLE = [
    *(1.12, 2.27, 3.45, 4.65, 5.88, 7.14, 8.43, 9.76, 11.11, 12.50),
    *(13.92, 15.38, 16.88, 18.42, 20.00, 21.62, 23.29, 25.00, 26.76, 28.57),
    *(30.43, 32.35, 34.33, 36.36, 38.46, 40.63, 42.86, 45.16, 47.54, 50.00),
]
"""Of the circular, 0.89 to 0.60."""
RULE = ReactiveRule.model_validate(
    {
        "from": "2025-01-01",
        "min_power_factor": 0.9,
        "percents": TABLE,
        "floor_percent": 52.54,
        "min_kw": 40.0,
        "source": "test",
    }
)


def series(*amounts: float) -> UseSeries:
    found = together([Portion.whole(used(np.array(amounts)))])
    assert found is not None
    return found


def test_the_power_factor_is_of_sums_and_the_surcharge_follows_the_rule() -> None:
    active, reactive = series(100.0, 300.0, np.nan), series(100.0, 200.0, 5.0)
    factor = power_factor(active, reactive)
    assert factor.value == pytest.approx(0.8)
    assert factor.completeness == pytest.approx(2 / 3)
    assert factor.over == pytest.approx(400.0)
    bill = Figure(1_000_000.0, "₫")
    assert reactive_surcharge(RULE, factor, 100.0, bill).value == pytest.approx(125_000.0)
    assert reactive_surcharge(RULE, factor, 39.0, bill).value == 0
    assert reactive_surcharge(None, factor, 100.0, bill).reasons == ValueReason.NO_RULE
    assert reactive_surcharge(RULE, factor, 100.0, absent("₫", ValueReason.NO_PRICE)).absent_for == ValueReason.NO_PRICE
    assert power_factor(series(np.nan), reactive.where(np.array([True, False, False]))).value is None
    assert power_factor(series(0.0, 0.0), series(0.0, 0.0)).reasons == ValueReason.ZERO_DENOMINATOR
    assert power_factor(active, None).reasons == ValueReason.NO_METER


def test_a_reactive_register_that_counts_down_is_connected_the_wrong_way_round() -> None:
    assert power_factor(series(400.0), series(-300.0)).value == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("factor", "percent"),
    [
        (0.95, 0),
        (0.9, 0),
        (0.8951, 0),
        (0.8949, 1.12),
        (0.89, 1.12),
        (0.86, 4.65),
        (0.8, 12.5),
        (0.6, 50),
        (0.59, 52.54),
        (0.0, 52.54),
    ],
)
def test_the_surcharge_goes_by_steps_of_a_hundredth(factor: float, percent: float) -> None:
    assert surcharge_percent(RULE, factor) == percent


def test_the_surcharge_is_what_the_table_says_and_no_formula() -> None:
    odd = RULE.model_copy(update={"percents": (1.0, 2.0, 10.0), "floor_percent": 11.0})
    assert [surcharge_percent(odd, factor) for factor in (0.89, 0.88, 0.87, 0.86)] == [1.0, 2.0, 10.0, 11.0]
    with pytest.raises(ValueError, match="a lower power factor costs at least as much"):
        ReactiveRule.model_validate({**RULE.model_dump(by_alias=True), "percents": [2.0, 1.0]})


def test_the_example_has_the_table_of_the_circular() -> None:
    tariff = load_park(EXAMPLE).tariffs.electricity
    assert tariff is not None
    (rule,) = tariff.reactive
    assert list(rule.percents) == TABLE

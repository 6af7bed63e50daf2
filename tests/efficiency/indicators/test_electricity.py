"""The power factor of a period and the surcharge on a bill: of sums, by the steps of the regulation, or a reason."""

import numpy as np
import pytest

from efficiency.indicators.electricity import power_factor, reactive_surcharge, surcharge_percent
from efficiency.indicators.figure import Figure, absent
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.valuation.valued import ValueReason
from metering.tariffs import ReactiveRule
from tests.efficiency.indicators.oneday import used

RULE = ReactiveRule.model_validate(
    {
        "from": "2025-01-01",
        "min_power_factor": 0.9,
        "floor_power_factor": 0.6,
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
    ],
)
def test_the_surcharge_goes_by_steps_of_a_hundredth(factor: float, percent: float) -> None:
    assert surcharge_percent(RULE, factor) == pytest.approx(percent)

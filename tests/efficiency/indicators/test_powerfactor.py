"""The power factor of a period and the surcharge on a bill: of sums, by the rule of the park file, or a reason."""

import numpy as np
import pytest

from efficiency.indicators.figure import Figure
from efficiency.indicators.powerfactor import power_factor, reactive_surcharge, surcharge_percent
from efficiency.usage.intervals import QUARTER_MS, Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import Reason
from metering.tariffs import ReactiveRule

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


def used(amount: Floats) -> QuarterHours:
    start = np.arange(len(amount), dtype=np.int64) * QUARTER_MS
    return QuarterHours.of(start, amount)


def test_the_power_factor_is_of_sums_and_the_surcharge_follows_the_rule() -> None:
    active, reactive = used(np.array([100.0, 300.0, np.nan])), used(np.array([100.0, 200.0, 5.0]))
    factor = power_factor(active, reactive)
    assert factor.value == pytest.approx(0.8)
    assert factor.completeness == pytest.approx(2 / 3)
    bill = Figure(value=1_000_000.0, unit="VND")
    assert reactive_surcharge(RULE, factor, 100.0, bill).value == pytest.approx(125_000.0)
    assert reactive_surcharge(RULE, factor, 39.0, bill).value == 0
    assert reactive_surcharge(None, factor, 100.0, bill).reasons == Reason.NO_RULE
    unpriced = Figure(value=None, unit="VND", reasons=Reason.NO_PRICE)
    assert reactive_surcharge(RULE, factor, 100.0, unpriced).reasons == Reason.NO_PRICE
    assert power_factor(used(np.array([np.nan])), reactive).value is None
    assert power_factor(used(np.zeros(2)), used(np.zeros(2))).reasons == Reason.ZERO_DENOMINATOR


@pytest.mark.parametrize(("factor", "percent"), [(0.95, 0), (0.9, 0), (0.8, 12.5), (0.6, 50), (0.59, 52.54)])
def test_surcharge(factor: float, percent: float) -> None:
    assert surcharge_percent(RULE, factor) == pytest.approx(percent)

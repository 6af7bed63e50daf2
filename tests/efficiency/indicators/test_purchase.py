"""What the park pays at its edge, with VAT, what a unit costs it, and what losses cost by that."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from efficiency.indicators.figure import Figure
from efficiency.indicators.purchase import (
    BOUGHT,
    BOUGHT_PRICE,
    BOUGHT_WITH_VAT,
    LOSS_COST,
    edge_figures,
    edge_of_days,
)
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import ValueReason
from metering.park import Park
from metering.quantities import Utility
from tests.efficiency.indicators.oneday import FIRST, SOURCE, TARIFFS, flat, meter, park_of, span

PURCHASE = {
    "electricity": [{**SOURCE, "off_peak": 1.0, "normal": 1000.0, "peak": 2000.0}],
    "prices": {"water": [{**SOURCE, "value": 8000.0}]},
}
GRID = meter("grid", role="main", accuracy_pct=0.5)
LINE = meter("line", tenant="t", parent="grid")


def park(*meters: dict[str, Any], **tariffs: Any) -> Park:
    return park_of(*(meters or (GRID, LINE)), tariffs={**TARIFFS, "purchase": PURCHASE, **tariffs})


def of_day(one: Park, **hours: QuarterHours) -> dict[str, Figure]:
    return edge_figures(one, Utility.ELECTRICITY, hours, span())


def test_a_day_is_bought_by_bands_and_losses_cost_the_mean_price() -> None:
    found = of_day(park(), grid=flat(10.0), line=flat(9.0))
    assert found[BOUGHT].value == pytest.approx(72 * 10 * 1000.0 + 24 * 10 * 2000.0)
    assert found[BOUGHT_WITH_VAT].value == pytest.approx(1_200_000 * 1.08)
    assert found[BOUGHT_PRICE].value == pytest.approx(1250.0)
    assert found[BOUGHT_PRICE].over == pytest.approx(960.0)
    assert found[LOSS_COST].value == pytest.approx(96 * 1250.0)


def test_what_flows_back_costs_nothing_and_makes_no_unit_dearer() -> None:
    amount = np.full(96, 10.0)
    amount[:24] = -10.0
    found = of_day(park(), grid=QuarterHours.of(flat(1.0).start, amount), line=flat(1.0))
    assert found[BOUGHT].value == pytest.approx(48 * 10 * 1000.0 + 24 * 10 * 2000.0)
    assert found[BOUGHT_PRICE].over == pytest.approx(720.0)


def test_without_a_price_or_a_rate_there_is_no_number() -> None:
    unpriced = of_day(park(purchase={}), grid=flat(10.0), line=flat(9.0))
    assert unpriced[BOUGHT].reasons == ValueReason.NO_PRICE
    assert unpriced[BOUGHT_PRICE].value is None
    assert unpriced[LOSS_COST].absent_for == ValueReason.NO_PRICE
    untaxed = of_day(park(vat={}), grid=flat(10.0), line=flat(9.0))
    assert untaxed[BOUGHT].value is not None
    assert untaxed[BOUGHT_WITH_VAT].reasons == ValueReason.NO_VAT


def test_an_unknown_sub_meter_removes_the_loss_but_not_the_purchase() -> None:
    gone = QuarterHours.of(flat(1.0).start, np.full(96, np.nan))
    found = of_day(park(), grid=flat(10.0), line=gone)
    assert found[BOUGHT].value == pytest.approx(1_200_000)
    assert found[LOSS_COST].value is None


def test_other_utilities_have_one_price() -> None:
    meters = (meter("grid", "water", role="main"), meter("line", "water", tenant="t", parent="grid"))
    hours = {"grid": flat(2.0), "line": flat(1.0)}
    found = edge_figures(park(*meters), Utility.WATER, hours, span())
    assert found[BOUGHT].value == pytest.approx(192 * 8000.0)
    assert found[BOUGHT_WITH_VAT].value == pytest.approx(192 * 8000.0 * 1.05)


def test_a_park_without_a_main_meter_has_no_edge() -> None:
    assert of_day(park(meter("line", tenant="t")), line=flat(1.0)) == {}


def months_of(*days: dict[str, Figure], expected: int = 2) -> dict[str, Figure]:
    """A month of which so many days are over, with the first of them as given."""
    over = [FIRST + timedelta(days=number) for number in range(expected)]
    return edge_of_days(dict(zip(over, days, strict=False)), dict.fromkeys(over, 96.0))


def test_months_add_days_and_losses_cost_the_months_mean_price() -> None:
    one = of_day(park(), grid=flat(10.0), line=flat(9.0))
    dear = {**PURCHASE, "electricity": [{**SOURCE, "off_peak": 1.0, "normal": 3000.0, "peak": 3000.0}]}
    other = of_day(park(purchase=dear), grid=flat(30.0), line=flat(30.0))
    month = months_of(one, other)
    assert month[BOUGHT].value == pytest.approx(1_200_000 + 8_640_000)
    assert month[BOUGHT_PRICE].value == pytest.approx(9_840_000 / 3840)
    assert month[LOSS_COST].value == pytest.approx(96 * 9_840_000 / 3840)
    assert not month[BOUGHT].reasons
    longer = months_of(one, other, expected=4)
    assert longer[BOUGHT].reasons == ValueReason.PARTLY | ValueReason.INDICATIVE
    assert longer[BOUGHT].completeness == pytest.approx(0.5)


def test_a_day_without_a_price_leaves_the_month_without_a_cost() -> None:
    days = [of_day(each, grid=flat(10.0), line=flat(9.0)) for each in (park(), park(purchase={}))]
    month = months_of(*days)
    assert month[BOUGHT].absent_for == ValueReason.NO_PRICE
    gone = of_day(park(), grid=QuarterHours.of(flat(1.0).start, np.full(96, np.nan)), line=flat(9.0))
    assert months_of(days[0], gone)[BOUGHT].value == pytest.approx(1_200_000)

"""F28: a two-component tariff charges the highest half hour; what is not known of it is said."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from efficiency.indicators.electricity import highest
from efficiency.indicators.series import Portion, together
from efficiency.indicators.tenant import tenant_figures
from efficiency.usage.intervals import QUARTER_MS, Floats, Span
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.valued import ValueReason
from metering.figures import Period
from tests.efficiency.indicators.oneday import BANDS, METERS, SOURCE, TARIFFS, instant, park_of, span, used

JULY = Span(instant(date(2026, 7, 1)), instant(date(2026, 8, 1)))
QUARTERS = 31 * 96
PRICES = {"off_peak": 1.0, "normal": 1000.0, "peak": 1000.0}
BUDGET = 744_000_000.0


def prices(*entries: dict[str, Any]) -> dict[str, Any]:
    return {
        **TARIFFS,
        "electricity": {"bands": BANDS, "prices": {"v": [{**SOURCE, **PRICES, **each} for each in entries]}},
    }


def figures(use: Floats, tariffs: dict[str, Any], *, period: Period = Period.MONTH, **tenant: Any) -> Any:
    """Figures of a tenant whose electricity is `use` by quarter hour since the first of July."""
    park = park_of(METERS[0], tariffs=tariffs, tenant=tenant or None)
    whole = Span(JULY.start, JULY.start + len(use) * QUARTER_MS)
    start = np.arange(whole.start, whole.end, QUARTER_MS)
    hours = QuarterHours.of(start, use)
    cost = QuarterHours(
        hours.start,
        hours.amount,
        hours.estimated,
        hours.completeness,
        hours.error,
        hours.rules,
        {"cost_vnd": 1000.0 * use, "co2e_kg": 0 * use, "toe": 0 * use},
    )
    return tenant_figures(park, park.tenant["t"], {"em": cost}, period, whole)


def spiked(*spikes: tuple[int, float], flat: float = 10.0, count: int = QUARTERS) -> Floats:
    use = np.full(count, flat)
    for place, value in spikes:
        use[place] = value
    return use


def test_the_highest_half_hour_of_the_month_is_charged_and_to_be_paid() -> None:
    use = spiked((200, 60.0), (201, 40.0), (301, 90.0), (302, 90.0))
    found = figures(use, prices({"demand": 200_000.0}), budget_vnd_per_month=BUDGET)
    # 90 and 90 kWh are in two half hours; on the half hour, (60 + 40) kWh are the most.
    assert found["demand_vnd"].value == pytest.approx(200.0 * 200_000)
    assert found["demand_vnd"].reasons == 0
    energy = 1000.0 * use.sum()
    assert found["cost_vnd"].value == pytest.approx(energy)
    assert found["vat_vnd"].value == pytest.approx(0.08 * (energy + 40e6))
    assert found["payable_vnd"].value == pytest.approx(1.08 * (energy + 40e6))
    assert found["budget_share"].value == pytest.approx((energy + 40e6) / BUDGET)


def test_a_month_that_has_begun_is_charged_whole_and_falls_evenly_on_the_budget() -> None:
    use = spiked((200, 60.0), (201, 40.0), count=QUARTERS // 2)
    found = figures(use, prices({"demand": 200_000.0}), budget_vnd_per_month=BUDGET)
    assert found["demand_vnd"].value == pytest.approx(40e6)
    assert found["budget_share"].value == pytest.approx((1000.0 * use.sum() + 20e6) / (BUDGET / 2))


def test_each_price_of_a_month_has_a_half_hour_of_its_own_and_counts_for_its_days() -> None:
    use = spiked((200, 60.0), (201, 40.0), (2000, 30.0), (2001, 30.0))
    found = figures(use, prices({}, {"from": "2026-07-11", "demand": 200_000.0}))
    assert found["demand_vnd"].value == pytest.approx(120.0 * 200_000 * 21 / 31)
    two = figures(use, prices({"demand": 100_000.0}, {"from": "2026-07-11", "demand": 200_000.0}))
    assert two["demand_vnd"].value == pytest.approx(200 * 100_000 * 10 / 31 + 120 * 200_000 * 21 / 31)


def test_one_component_has_no_demand_charge_and_a_day_says_that_it_is_missing() -> None:
    one = figures(spiked(), prices({}))
    assert (one["demand_vnd"].value, one["demand_vnd"].reasons) == (None, ValueReason.ONE_COMPONENT)
    assert not one["payable_vnd"].reasons & ValueReason.NO_DEMAND_CHARGE
    day = figures(spiked(count=96), prices({"demand": 200_000.0}), period=Period.DAY)
    assert "demand_vnd" not in day
    for name in ("cost_vnd", "payable_vnd"):
        assert day[name].reasons & ValueReason.NO_DEMAND_CHARGE


def test_unknown_half_hours_are_reported() -> None:
    use = spiked((200, 60.0), (201, 40.0), (500, np.nan))
    found = figures(use, prices({"demand": 200_000.0}))["demand_vnd"]
    assert found.value == pytest.approx(40e6)
    assert found.completeness == pytest.approx(1 - 1 / (QUARTERS / 2))
    assert found.reasons == ValueReason.PEAK_NOT_SURE
    none = figures(np.full(QUARTERS, np.nan), prices({"demand": 200_000.0}))["demand_vnd"]
    assert (none.value, none.reasons) == (None, ValueReason.NO_DATA)


def test_the_highest_half_hour_knows_when_it_was_and_how_much_of_it_is_guessed() -> None:
    whole = used(np.array([5.0, 5.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0]))
    guess = QuarterHours.of(whole.start, whole.amount, whole.completeness, np.array([0, 0, 1.0, 0, 0, 0, 0, 0]))
    series = together([Portion.whole(guess)])
    assert series is not None
    top = highest(whole.start, series)
    assert top is not None
    assert (top.start, top.kw, top.known, top.estimated) == (span().start + 2 * QUARTER_MS, 36.0, 1.0, 0.5)

"""A year from its months: an incomplete sum is marked or absent."""

from datetime import date

import numpy as np
import pytest

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.joining import joined_figures
from efficiency.indicators.tenant import tenant_figures
from efficiency.valuation.valued import ValueReason
from metering.figures import Period
from tests.efficiency.indicators.oneday import flat, park_of, span, used

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
LENGTHS = {JANUARY: 31.0, FEBRUARY: 28.0}


def joined(name: str, *parts: Figure) -> Figure:
    months = {month: {name: part} for month, part in zip((JANUARY, FEBRUARY, MARCH), parts, strict=False)}
    return joined_figures(months, LENGTHS)[name]


def test_sums_add_up_and_carry_the_quality_of_their_months() -> None:
    found = joined("water_m3", figure(10.0, "m³", 1.0, 0.0), figure(5.0, "m³", 0.97, 0.5))
    assert found.value == 15
    assert found.completeness == pytest.approx((31 + 28 * 0.97) / 59)
    assert found.estimated == pytest.approx(14 / 59)
    assert not found.reasons


def test_a_month_without_a_price_leaves_the_year_without_a_cost() -> None:
    found = joined("cost_vnd", Figure(10.0, "₫"), absent("₫", ValueReason.NO_PRICE, 1.0))
    assert found.value is None
    assert found.absent_for == ValueReason.NO_PRICE


def test_a_month_without_data_leaves_a_sum_that_says_so() -> None:
    for lacking in (absent("kg CO₂e", ValueReason.NO_DATA), absent("kg CO₂e", ValueReason.NOT_COMPUTED)):
        found = joined("co2e_kg", Figure(10.0, "kg CO₂e"), lacking)
        assert found.value == 10
        assert found.reasons == ValueReason.INDICATIVE | ValueReason.PARTLY
        assert found.completeness == pytest.approx(31 / 59)
    missing = joined_figures({JANUARY: {"co2e_kg": Figure(10.0, "kg CO₂e")}}, LENGTHS)["co2e_kg"]
    assert missing.reasons == ValueReason.INDICATIVE | ValueReason.PARTLY


def test_a_month_before_a_meter_was_there_is_not_missing() -> None:
    found = joined("steam_t", absent("t", ValueReason.NO_METER), Figure(10.0, "t"))
    assert (found.value, found.completeness, found.reasons) == (10, 1, ValueReason(0))


def test_ratios_weigh_each_month_by_what_it_was_divided_by() -> None:
    found = joined("electricity_per_output", Figure(10.0, "kWh/t", over=100.0), Figure(20.0, "kWh/t", over=300.0))
    assert found.value == pytest.approx(7000 / 400)
    assert found.over == 400


def test_a_power_factor_is_of_the_sums_of_both_months() -> None:
    found = joined("power_factor", Figure(0.8, "cosφ", over=400.0), Figure(1.0, "cosφ", over=400.0))
    assert found.value == pytest.approx(800 / np.hypot(800, 300))


def test_figures_without_a_sum_have_a_reason_and_peaks_are_the_highest() -> None:
    months = {
        JANUARY: {"base_load_kw": Figure(1.0, "kW"), "peak_demand_kw": Figure(9.0, "kW")},
        FEBRUARY: {"base_load_kw": Figure(1.0, "kW"), "peak_demand_kw": Figure(7.0, "kW")},
    }
    found = joined_figures(months, LENGTHS)
    assert found["base_load_kw"].absent_for == ValueReason.NOT_OF_YEARS
    assert found["peak_demand_kw"].value == 9


def test_two_months_join_to_what_they_are_together() -> None:
    park = park_of()
    late = np.full(96, 0.5)
    late[:72] = np.nan
    first = {"em": flat(10.0), "wm": flat(2.0), "ww": flat(1.5), "line": used(late)}
    again = {"em": flat(30.0), "wm": flat(2.0), "ww": flat(1.5), "line": flat(1.0)}
    parts = [tenant_figures(park, park.tenant["t"], hours, Period.MONTH, span()) for hours in (first, again)]
    found = joined_figures({JANUARY: parts[0], FEBRUARY: parts[1]}, LENGTHS)["electricity_per_output"]
    assert found.value == pytest.approx((24 * 10 + 96 * 30) / (24 * 0.5 + 96))

"""Gases of entered fuels and the forecast of a year, with numbers that can be checked by hand."""

from datetime import date
from pathlib import Path

import pytest

from efficiency.indicators.figure import Figure, absent
from efficiency.indicators.greenhouse import MonthSoFar, burnt, entered_figures, forecast, forecast_figures, year_end
from efficiency.valuation.valued import ValueReason
from metering.park import Park
from metering.parkfile import load_park

PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: mill, name: {en: Mill, vi: Xưởng}, sector: {en: wood, vi: gỗ}}
gateways: [{id: gw-1, name: {en: One, vi: Một}}]
meters: []
factors:
  gwp: [{from: 2021-01-01, name: AR5, ch4: 28.0, n2o: 265.0, source: test}]
  fuels:
    diesel:
      name: {en: Diesel, vi: Dầu diesel}
      unit: t
      factors:
        - {from: 2021-01-01, until: 2026-10-01, gj_per_unit: 43.0, toe_per_unit: 1.02, co2_kg_per_gj: 74.1,
           ch4_kg_per_gj: 0.003, n2o_kg_per_gj: 0.0006, standing: default, source: first}
        - {from: 2026-10-01, gj_per_unit: 42.0, toe_per_unit: 1.02, co2_kg_per_gj: 74.1,
           ch4_kg_per_gj: 0.003, n2o_kg_per_gj: 0.0006, standing: official, source: second}
    wood:
      name: {en: Wood, vi: Gỗ}
      unit: t
      factors:
        - {from: 2021-01-01, gj_per_unit: 15.6, toe_per_unit: 0.37, co2_kg_per_gj: 112.0, ch4_kg_per_gj: 0.03,
           n2o_kg_per_gj: 0.004, biogenic: true, standing: default, source: test}
entered:
  - {fuel: diesel, tenant: mill, months: {2026-08: 1.0, 2026-09: 2.0, 2026-10: 4.0}, source: slips}
  - {fuel: wood, months: {2026-09: 10.0}, source: slips}
"""
YEAR = [date(2026, month, 1) for month in range(1, 13)]


@pytest.fixture
def park(tmp_path: Path) -> Park:
    file = tmp_path / "park.yaml"
    file.write_text(PARK, encoding="utf-8")
    return load_park(file)


def test_a_fuel_is_counted_gas_by_gas_by_the_factors_of_each_month(park: Park) -> None:
    first, second = burnt(park, YEAR, ["mill"])
    assert (first.amount, first.factor.source, first.months) == (3.0, "first", (date(2026, 8, 1), date(2026, 9, 1)))
    assert first.gases.co2_kg == pytest.approx(3 * 43 * 74.1)
    assert first.gases.ch4_kg == pytest.approx(0.387)  # 129 GJ x 0.003
    assert first.gases.n2o_kg == pytest.approx(0.0774)
    assert first.co2e_kg == pytest.approx(9558.9 + 0.387 * 28 + 0.0774 * 265)
    assert first.toe == pytest.approx(3.06)
    assert second.amount == 4.0
    assert second.gases.co2_kg == pytest.approx(168.0 * 74.1)


def test_biogenic_carbon_is_counted_separately(park: Park) -> None:
    (wood,) = burnt(park, YEAR, [None])
    assert wood.gases.biogenic_kg == pytest.approx(156 * 112)
    assert wood.gases.co2_kg == 0.0
    assert wood.co2e_kg == pytest.approx(156 * 0.03 * 28 + 156 * 0.004 * 265)


def test_a_year_goes_on_as_its_known_days_between_its_lowest_and_highest_month() -> None:
    months = {
        date(2026, 1, 1): MonthSoFar(Figure(310.0, "TOE"), 31),
        date(2026, 2, 1): MonthSoFar(Figure(140.0, "TOE", 0.5), 28),
    }
    months[date(2026, 3, 1)] = MonthSoFar(absent("TOE", ValueReason.NO_DATA), 31)
    end = year_end(2026, months, {})
    assert end is not None
    assert (end.known, end.known_days) == (450.0, 45.0)  # 10 a day of 31 days, and of 14 of February
    assert (end.likely, end.low, end.high) == (3650.0, 3650.0, 3650.0)
    months[date(2026, 2, 1)] = MonthSoFar(Figure(280.0, "TOE"), 28)
    months[date(2026, 4, 1)] = MonthSoFar(Figure(60.0, "TOE", 0.1), 30)  # 3 known days: too few for the range
    months[date(2026, 1, 1)] = MonthSoFar(Figure(620.0, "TOE"), 31)
    end = year_end(2026, months, {})
    assert end is not None
    known, days = 960.0, 62.0
    assert end.likely == pytest.approx(known + (365 - days) * known / days)
    assert end.low == pytest.approx(known + (365 - days) * 10)
    assert end.high == pytest.approx(known + (365 - days) * 20)


def test_entered_months_go_on_as_their_mean_and_too_few_days_are_no_forecast() -> None:
    month = {date(2026, 1, 1): MonthSoFar(Figure(310.0, "TOE"), 31)}
    end = year_end(2026, month, {date(2026, 1, 1): 5.0, date(2026, 2, 1): 7.0})
    assert end is not None
    assert end.known == 322.0
    assert end.likely == pytest.approx(3650 + 72)
    assert year_end(2026, {date(2026, 1, 1): MonthSoFar(Figure(200.0, "TOE"), 20)}, {date(2026, 1, 1): 5.0}) is None
    assert year_end(2026, {}, {}) is None


def test_entered_fuels_are_figures_of_a_month_as_complete_as_their_entries(park: Park) -> None:
    found = entered_figures(park, ["mill"], [date(2026, 9, 1)])
    assert found["co2e_entered_kg"].value == pytest.approx(2 / 3 * (9558.9 + 0.387 * 28 + 0.0774 * 265))
    assert found["toe_entered"].value == pytest.approx(2.04)
    assert found["toe_entered"].completeness == 1
    whole = entered_figures(park, [None, "mill"], [date(2026, 10, 1)])
    assert whole["toe_entered"].value == pytest.approx(4.08)
    assert whole["toe_entered"].completeness == 0.5
    assert entered_figures(park, ["mill"], [date(2026, 11, 1)])["toe_entered"].absent_for == ValueReason.NO_ENTRY
    assert entered_figures(park, ["nobody"], YEAR) == {}


def test_a_forecast_is_of_metered_months_and_entered_fuels_and_says_how_much_is_known(park: Park) -> None:
    months = {date(2026, month, 1): {"toe": Figure(10.0 * days, "TOE")} for month, days in ((9, 30), (10, 31))}
    ends = forecast(park, "mill", 2026, months, date(2026, 11, 1))
    assert ends["co2e_kg"] is not None  # of what is entered alone
    figures = forecast_figures(2026, ends)
    entered = 1.02 * 7 * 12 / 3
    assert figures["toe_forecast"].value == pytest.approx(10 * 365 + entered)
    assert figures["toe_forecast_low"].value == pytest.approx(10 * 365 + entered)
    assert figures["toe_forecast"].completeness == pytest.approx(61 / 365)
    early = forecast_figures(2026, forecast(park, "nobody", 2026, {}, date(2026, 1, 20)))
    assert early["toe_forecast"].value is None

"""Bands, prices and factors of a bill, and every reason for having none."""

from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import ryaml
from hypothesis import given, settings
from hypothesis import strategies as st

from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS, Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.carbon import counted, emissions, primary_energy
from efficiency.valuation.localtime import Slots, day_number, day_of, on_days, runs, slots
from efficiency.valuation.money import BANDS, band_shares, electricity_cost, flat_cost, tariff_over
from efficiency.valuation.rows import rows_of
from efficiency.valuation.valued import ValueReason, reasons_in
from metering.calendar import Calendar
from metering.dated import DatedValue, at
from metering.fuels import GasFactor, WarmingPotential
from metering.meters import Role
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility
from metering.tariffs import Band, BandHours, BandPrices, BoughtFactor, ElectricityTariff, Factors
from proving.demo.plan import EXAMPLE

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BEFORE_963 = {
    "from": "2025-01-01",
    "until": "2026-04-22",
    "source": "the hours before Decision 963",
    "peak": [
        {"days": "mon-sat", "start": "09:30", "end": "11:30"},
        {"days": "mon-sat", "start": "17:00", "end": "20:00"},
    ],
    "off_peak": [{"days": "daily", "start": "22:00", "end": "04:00"}],
}
SINCE_963 = {
    "from": "2026-04-22",
    "source": "Decision 963",
    "peak": [{"days": "mon-sat", "start": "17:30", "end": "22:30"}],
    "off_peak": [{"days": "daily", "start": "00:00", "end": "06:00"}],
}
TARIFF = ElectricityTariff.model_validate(
    {
        "bands": [BEFORE_963, SINCE_963],
        "prices": {
            "v22kv": [{"from": "2025-05-10", "off_peak": 1234.0, "normal": 1899.0, "peak": 3508.0, "source": "test"}],
            "v110kv": [{"from": "2025-05-10", "off_peak": 1190.0, "normal": 1833.0, "peak": 3398.0, "source": "test"}],
        },
    }
)


def days(first: date, count: int) -> Slots:
    start = int(datetime(first.year, first.month, first.day, tzinfo=ZONE).timestamp() * 1000)
    return slots(np.arange(start, start + count * DAY_MS, QUARTER_MS), ZONE)


def used(amount: Floats, start: int = 0) -> QuarterHours:
    return QuarterHours.of(start + np.arange(len(amount), dtype=np.int64) * QUARTER_MS, amount)


def test_the_bands_of_march_and_july_2026_differ_by_dated_data() -> None:
    hours = {}
    for month in (3, 7):
        when = days(date(2026, month, 2), 7)  # a Monday in March, a Thursday in July: a whole week either way
        shares = band_shares(TARIFF.bands, Calendar(), when)
        hours[month] = shares.sum(axis=0) / 4
    assert dict(zip(BANDS, hours[3], strict=True)) == {Band.OFF_PEAK: 42.0, Band.NORMAL: 96.0, Band.PEAK: 30.0}
    assert dict(zip(BANDS, hours[7], strict=True)) == {Band.OFF_PEAK: 42.0, Band.NORMAL: 96.0, Band.PEAK: 30.0}
    morning, evening = 10 * 4, 21 * 4
    march, july = (band_shares(TARIFF.bands, Calendar(), days(date(2026, month, 6), 1)) for month in (3, 7))
    assert list(march[morning]) == [0, 0, 1]
    assert list(july[morning]) == [0, 1, 0]
    assert list(march[evening]) == [0, 1, 0]
    assert list(july[evening]) == [0, 0, 1]
    use = used(np.where(np.arange(96) == morning, 100.0, 0.0))
    costs = []
    for month in (3, 7):
        when = days(date(2026, month, 6), 1)
        cost = electricity_cost(use, tariff_over(TARIFF, band_shares(TARIFF.bands, Calendar(), when), "v22kv", when))
        costs.append(cost.total.value.sum())
    assert costs == pytest.approx([350_800.0, 189_900.0])


def test_the_change_of_bands_comes_at_local_midnight() -> None:
    when = days(date(2026, 4, 21), 2)
    shares = band_shares(TARIFF.bands, Calendar(), when)
    assert list(shares[23 * 4]) == [1, 0, 0]
    assert list(shares[96 + 5 * 4]) == [1, 0, 0]
    assert list(shares[5 * 4]) == [0, 1, 0]


@given(st.dates(date(2025, 1, 1), date(2027, 1, 1)))
@settings(max_examples=30)
def test_every_band_is_the_one_that_the_park_file_says(day: date) -> None:
    when = days(day, 1)
    shares = band_shares(TARIFF.bands, Calendar(), when)
    for place in range(96):
        local = datetime.fromtimestamp(int(when.start[place]) / 1000, UTC).astimezone(ZONE)
        hours = at(TARIFF.bands, day)
        assert hours is not None
        band = hours.band(local, Calendar())
        assert shares[place, BANDS.index(band)] == 1


def test_peak_hours_that_do_not_hold_on_holidays_or_in_one_season_only_are_normal_elsewhere() -> None:
    """Field case 48: 30 April 2026 is a Thursday."""
    windows = [{"days": "mon-fri", "start": "09:00", "end": "12:00", "not_on": "holidays", "season": "dry"}]
    hours = BandHours.model_validate({"from": "2025-01-01", "source": "test", "peak": windows, "off_peak": []})
    holiday = {"from": "04-30", "to": "05-01", "name": {"en": "x", "vi": "x"}, "source": "test"}
    calendar = Calendar.model_validate({"holidays": [holiday], "seasons": {"dry": {"from": "12-01", "to": "05-04"}}})
    week = days(date(2026, 4, 29), 7)
    peak = band_shares((hours,), calendar, week)[:, BANDS.index(Band.PEAK)].reshape(7, 96)
    # Wednesday, two holidays, a weekend, Monday, and a Tuesday outside the season
    assert peak.sum(axis=1).tolist() == [12, 0, 0, 0, 0, 12, 0]
    holds_no_more = band_shares((hours,), Calendar(seasons=calendar.seasons), week)
    assert holds_no_more[:, BANDS.index(Band.PEAK)].reshape(7, 96).sum(axis=1).tolist() == [12, 12, 12, 0, 0, 12, 0]


def test_the_reported_peak_hours_and_season_come_back_each_year() -> None:
    """Field case 48: Monday to Friday from 9 to 12, not on public holidays, and a summer from June to September."""
    peak = {"days": "mon-fri", "start": "09:00", "end": "12:00", "not_on": "holidays"}
    summer = {"days": "mon-fri", "start": "13:00", "end": "15:00", "season": "summer"}
    hours = BandHours.model_validate({"from": "2025-01-01", "source": "test", "peak": [peak, summer], "off_peak": []})
    calendar = Calendar.model_validate(
        {
            "holidays": [
                {"from": "2026-02-16", "to": "2026-02-20", "name": {"en": "Tet", "vi": "Tết"}, "source": "test"},
                {"from": "04-30", "to": "05-01", "name": {"en": "Two days", "vi": "Hai ngày"}, "source": "test"},
            ],
            "seasons": {"summer": {"from": "06-01", "to": "09-30"}},
        }
    )
    tet = [(date(2026, 2, 13), 12), *((date(2026, 2, day), 0) for day in range(14, 23)), (date(2026, 2, 23), 12)]
    spring = [(date(2026, 4, 29), 12), (date(2026, 4, 30), 0), (date(2027, 4, 30), 0), (date(2026, 5, 29), 12)]
    seasons = [(date(year, *day), peaks) for year in (2026, 2027) for day, peaks in (((6, 1), 20), ((10, 1), 12))]
    for day, quarters in (*tet, *spring, *seasons):
        shares = band_shares((hours,), calendar, days(day, 1))
        assert shares[:, BANDS.index(Band.PEAK)].sum() == quarters, day


@pytest.mark.parametrize("eve", [date(2026, 4, 29), date(2026, 2, 14)])
def test_what_a_meter_used_on_a_holiday_is_stored_without_peak_hours(eve: date) -> None:
    """Two holidays after a Wednesday, and a Sunday and Tet after a Saturday."""
    raw = ryaml.loads(EXAMPLE.read_text(encoding="utf-8"))
    for entry in raw["tariffs"]["electricity"]["bands"]:
        entry["peak"] = [{**window, "not_on": "holidays"} for window in entry["peak"]]
    park = Park.model_validate(raw)
    meter, when = park.meter["em-textile"], days(eve, 3)
    found = {
        band: {int(day) for day in when.day[np.isin(when.start, rows.start)]}
        for _, band, rows in rows_of(park, meter, used(np.ones(3 * 96), int(when.start[0])), {}, when)
    }
    every = {*when.day.tolist()}
    assert found == {"peak": {min(every)}, "normal": every, "off_peak": every}


def test_an_interval_that_straddles_a_band_edge_is_split() -> None:
    odd = BandHours.model_validate(
        {
            "from": "2025-01-01",
            "source": "test",
            "peak": [{"days": "daily", "start": "09:05", "end": "09:20"}],
            "off_peak": [],
        }
    )
    shares = band_shares((odd,), Calendar(), days(date(2026, 1, 5), 1))
    assert shares[36] == pytest.approx([0, 1 / 3, 2 / 3])
    assert shares[37] == pytest.approx([0, 2 / 3, 1 / 3])
    assert (shares.sum(axis=1) == pytest.approx(1.0)) is True


def test_no_hours_no_price_no_voltage_are_reasons_and_never_zero() -> None:
    when = days(date(2024, 12, 31), 2)
    shares = band_shares(TARIFF.bands, Calendar(), when)
    cost = electricity_cost(used(np.ones(192)), tariff_over(TARIFF, shares, "v22kv", when))
    assert np.isnan(cost.total.value).all()
    assert set(cost.total.reasons[:96]) == {int(ValueReason.NO_BANDS)}
    assert set(cost.total.reasons[96:]) == {int(ValueReason.NO_PRICE)}
    later = days(date(2026, 1, 1), 1)
    nowhere = electricity_cost(
        used(np.ones(96)), tariff_over(TARIFF, band_shares(TARIFF.bands, Calendar(), later), None, later)
    )
    assert set(nowhere.total.reasons) == {int(ValueReason.NO_VOLTAGE)}
    water = flat_cost(used(np.ones(192)), (DatedValue(since=date(2025, 1, 1), value=14_500.0, source="test"),), when)
    assert np.isnan(water.value[:96]).all()
    assert water.value[96:].sum() == 96 * 14_500


def test_what_flows_back_is_neither_paid_nor_counted_as_saved_carbon() -> None:
    when = days(date(2026, 1, 5), 1)
    use = used(np.where(np.arange(96) < 48, -5.0, 0.0))
    cost = electricity_cost(use, tariff_over(TARIFF, band_shares(TARIFF.bands, Calendar(), when), "v22kv", when))
    assert cost.total.value.sum() == 0
    assert cost.amount.sum() == -240
    assert emissions(use, Utility.ELECTRICITY, Role.MAIN, FACTORS, when).value.sum() == 0


def test_prices_of_a_band_without_a_share_need_not_be_known() -> None:
    when = days(date(2026, 1, 4), 1)  # a Sunday: no peak
    tariff = tariff_over(TARIFF, band_shares(TARIFF.bands, Calendar(), when), "v110kv", when)
    prices = tariff.prices.copy()
    prices[:, BANDS.index(Band.PEAK)] = np.nan
    cost = electricity_cost(used(np.ones(96)), type(tariff)(tariff.shares, prices))
    assert cost.total.value.sum() == pytest.approx(24 * 1190.0 + 72 * 1833.0)
    assert not cost.total.reasons.any()


FACTORS = Factors(
    scope1={
        Utility.NATURAL_GAS: (
            GasFactor(
                since=date(2025, 1, 1),
                gj_per_unit=0.036,
                co2_kg_per_gj=56.1,
                ch4_kg_per_gj=0.001,
                n2o_kg_per_gj=0.0001,
                standing="default",
                source="test",
            ),
        )
    },
    scope2={
        Utility.ELECTRICITY: (
            BoughtFactor(since=date(2025, 1, 1), value=0.6, source="test"),
            BoughtFactor(since=date(2026, 1, 2), value=0.5, source="test"),
        )
    },
    gwp=(WarmingPotential(since=date(2026, 1, 1), name="AR5", ch4=28.0, n2o=265.0, source="test"),),
    toe={Utility.ELECTRICITY: (DatedValue(since=date(2025, 1, 1), value=0.0001543, source="test"),)},
)


def test_emissions_follow_dated_factors_and_own_solar_emits_nothing() -> None:
    when = days(date(2026, 1, 1), 2)
    use = used(np.full(192, 10.0))
    bought = emissions(use, Utility.ELECTRICITY, Role.MAIN, FACTORS, when)
    assert bought.value.sum() == pytest.approx(96 * 6.0 + 96 * 5.0)
    assert emissions(use, Utility.ELECTRICITY, Role.GENERATION, FACTORS, when).value.sum() == 0
    gas = emissions(use, Utility.NATURAL_GAS, Role.CONSUMPTION, FACTORS, when)
    assert gas.value[0] == pytest.approx(10 * 0.036 * (56.1 + 0.001 * 28 + 0.0001 * 265))
    before = emissions(use, Utility.NATURAL_GAS, Role.CONSUMPTION, FACTORS, days(date(2025, 12, 30), 2))
    assert np.isnan(before.value).all()  # no set of warming potentials holds then
    assert set(before.reasons) == {int(ValueReason.NO_FACTOR)}
    assert primary_energy(use, Utility.ELECTRICITY, FACTORS, when).value[0] == pytest.approx(0.001543)
    steam = emissions(use, Utility.STEAM, Role.CONSUMPTION, FACTORS, when)
    assert np.isnan(steam.value).all()
    assert set(steam.reasons) == {int(ValueReason.NO_FACTOR)}
    assert not counted(Utility.STEAM, FACTORS)
    early = emissions(use, Utility.ELECTRICITY, Role.MAIN, FACTORS, days(date(2024, 1, 1), 2))
    assert np.isnan(early.value).all()


def test_an_entry_that_ends_leaves_days_without_a_value() -> None:
    entry = DatedValue(since=date(2026, 1, 1), until=date(2026, 1, 3), value=1.0, source="test")
    numbers = np.arange(day_number(date(2025, 12, 31)), day_number(date(2026, 1, 5)))
    held = on_days((entry,), lambda one: one.value, numbers)
    assert list(np.isfinite(held)) == [False, True, True, False, False]
    assert day_of(int(numbers[0])) == date(2025, 12, 31)


@given(st.integers(52_000, 90_000), st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin"]))
@settings(max_examples=60)
def test_local_time_is_that_of_the_zone(third_of_a_day: int, name: str) -> None:
    zone = ZoneInfo(name)
    start = third_of_a_day * 8 * HOUR_MS
    when = slots(np.arange(start, start + 6 * HOUR_MS, QUARTER_MS), zone)
    for place in range(24):
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(when.start[place]))).astimezone(zone)
        assert when.day[place] == day_number(local.date())
        assert when.weekday[place] == local.weekday()
        assert when.minute[place] == local.hour * 60 + local.minute
        assert when.month[place] == (local.year - 1970) * 12 + local.month - 1


def test_days_and_months_are_cut_in_local_time() -> None:
    when = days(date(2026, 2, 28), 2)
    cut = used(np.arange(192.0))
    months = runs(when.month)
    assert [piece for _, piece in months] == [slice(0, 96), slice(96, 192)]
    assert [day_of(number) for number, _ in runs(when.day)] == [date(2026, 2, 28), date(2026, 3, 1)]
    assert cut.cut(months[1][1]).amount[0] == 96
    assert flat_cost(cut, (), when).reasons[months[1][1]].tolist() == [ValueReason.NO_PRICE] * 96
    assert runs(np.empty(0, dtype=np.int64)) == []


def test_reasons_have_distinct_words() -> None:
    assert reasons_in(ValueReason.NO_PRICE | ValueReason.NO_DATA) == (ValueReason.NO_DATA, ValueReason.NO_PRICE)
    assert isinstance(TARIFF.prices["v22kv"][0], BandPrices)


def test_the_example_names_its_price_classes_by_their_limits_and_has_buyers_at_22_kv_in_the_right_one() -> None:
    park = load_park(EXAMPLE)
    tariff = park.tariffs.electricity
    assert tariff is not None
    prices = {name: (each.off_peak, each.normal, each.peak) for name, (each,) in tariff.prices.items()}
    assert {name: each for name, each in prices.items() if not name.startswith("example-")} == {
        "22-110kV": (1190.0, 1833.0, 3398.0),
        "6-22kV": (1234.0, 1899.0, 3508.0),
        "0-6kV": (1300.0, 1987.0, 3640.0),
    }
    bought = {tenant.id: [entry.value for entry in tenant.contract.voltage] for tenant in park.tenants}
    low = {name for name, classes in bought.items() if classes != ["22-110kV"]}
    assert {*chain(*(bought[name] for name in low))} == {"0-6kV"}
    assert "textile" not in low

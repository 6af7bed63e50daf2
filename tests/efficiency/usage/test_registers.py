"""Every field event on a small scale: the use of the intervals around it, and the rule that marks them."""

from dataclasses import replace

import numpy as np
import pytest

from efficiency.usage.counters import Counter, FittedInstrument
from efficiency.usage.gaps import Past
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS, WEEK_MS, Span
from efficiency.usage.line import FAULT, Readings
from efficiency.usage.quality import RULE_TEXT, Rule, rules_in
from efficiency.usage.quarterhours import QuarterHours
from tests.efficiency.usage.computed import Quality, quality, usage

START = 20_000 * DAY_MS
MINUTE = 60_000
PLAIN = Counter(5 * MINUTE, 60.0, (FittedInstrument(count=0.01),))


def of(
    values: dict[int, float],
    counter: Counter = PLAIN,
    quarters: int = 4,
    past: Past | None = None,
    states: dict[int, int] | None = None,
) -> QuarterHours:
    """Use of the first quarter hours, from registers by minute."""
    minutes = np.array(sorted(values), dtype=np.int64)
    codes = np.array([(states or {}).get(int(minute), 0) for minute in minutes], dtype=np.uint8)
    held = Readings(START + minutes * MINUTE, np.array([values[int(minute)] for minute in minutes]), codes)
    window = Span(START, START + quarters * QUARTER_MS)
    return usage(counter, held, window, past) if past else usage(counter, held, window)


def steady(until: int = 60, **changed: float) -> dict[int, float]:
    """A register that rises by 1 each five minutes from 1000 on; `m10=5.0` changes the reading of minute 10."""
    held = {minute: 1000.0 + minute / 5 + minute**2 * 1e-7 for minute in range(0, until + 1, 5)}
    return held | {int(key[1:]): value for key, value in changed.items()}


def rules(computed: QuarterHours, quarter: int) -> Rule:
    return Rule(int(computed.rules[quarter]))


def test_registers_at_the_edges_are_interpolated_between_the_readings_around_them() -> None:
    computed = of({-3: 100.0, 7: 110.0, 18: 121.0, 29: 128.0, 61: 160.0}, Counter(30 * MINUTE, 90.0))
    assert computed.amount[0] == pytest.approx(15.0)
    assert computed.amount[1] == pytest.approx(3 + 7 + 1)
    assert quality(computed) == [Quality.MEASURED, *[Quality.ESTIMATED] * 3]


def test_a_ratio_holds_from_its_instant_and_nothing_is_counted_before_the_first() -> None:
    fitted = (
        FittedInstrument(since=START + 10 * MINUTE, factor=10.0, count=0.01),
        FittedInstrument(since=START + 37 * MINUTE, factor=20.0, count=0.01, continues=True),
    )
    values = {minute: 1000 + min(minute, 37) / 10 + max(0, minute - 37) / 20 for minute in range(0, 61, 5)}
    computed = of(values, Counter(5 * MINUTE, 600.0, fitted))
    assert computed.completeness[0] == pytest.approx(1 / 3)
    assert rules(computed, 0) == Rule.NO_INSTRUMENT
    assert computed.amount == pytest.approx([5.0, 15.0, 15.0, 15.0])
    assert quality(computed)[1:] == [Quality.MEASURED, Quality.ESTIMATED, Quality.MEASURED]
    assert rules(computed, 2) == Rule.SPLIT


def test_a_fall_from_the_upper_half_by_a_possible_step_is_a_roll_over() -> None:
    counter = Counter(5 * MINUTE, 60.0, (FittedInstrument(rollover=1004.5, count=0.01),))
    values = {minute: value % 1004.5 for minute, value in steady().items()}
    computed = of(values, counter)
    assert computed.amount == pytest.approx([3.0, 3.0, 3.0, 3.0], abs=0.01)
    assert rules(computed, 1) == Rule.ROLLOVER
    assert quality(computed)[1] == Quality.MEASURED


@pytest.mark.parametrize("rollover", [None, 5000.0, 1e8])
def test_any_other_fall_to_little_is_a_reset_and_nothing_is_invented(rollover: float | None) -> None:
    values = {minute: value if minute < 20 else value - 1004.0 for minute, value in steady().items()}
    computed = of(values, Counter(5 * MINUTE, 60.0, (FittedInstrument(rollover=rollover, count=0.01),)))
    assert rules(computed, 1) == Rule.RESET
    assert quality(computed)[1] == Quality.PARTIAL
    assert computed.completeness[1] == pytest.approx(2 / 3)
    assert 1.9 < computed.amount[1] < 2.1
    assert computed.amount[2] == pytest.approx(3.0, abs=0.01)


def test_a_fall_to_anything_else_leaves_one_step_unknown_unless_energy_may_be_exported() -> None:
    computed = of({minute: value if minute < 20 else value - 50.0 for minute, value in steady().items()})
    assert rules(computed, 1) == Rule.RESTORED
    assert quality(computed)[1] == Quality.PARTIAL
    values = {minute: value if minute < 20 else value - 2.0 for minute, value in steady().items()}
    solar = of(values, Counter(5 * MINUTE, 60.0, (FittedInstrument(count=0.01, signed=True),)))
    assert rules(solar, 1) == Rule.EXPORT
    assert quality(solar)[1] == Quality.MEASURED
    assert solar.amount[1] == pytest.approx(3.0 - 2.0, abs=0.01)


def test_a_lifetime_total_is_never_booked_as_use() -> None:
    down = of(steady(m20=0.0, m25=0.0, m30=0.0))
    assert down.amount == pytest.approx([3.0, 3.0, 3.0, 3.0], rel=0.05)
    assert Rule.SPIKE in rules(down, 1)
    for_good = of({minute: value if minute < 20 else value + 15_508.0 for minute, value in steady().items()})
    assert rules(for_good, 1) == Rule.BOUND
    assert np.nansum(for_good.amount) < 12.0


def test_a_single_impossible_reading_is_set_aside_up_or_down() -> None:
    for value in (0.0, 999.0, 1100.0, 1e9):
        computed = of(steady(m20=value))
        assert computed.amount == pytest.approx([3.0, 3.0, 3.0, 3.0], abs=0.01)
        assert rules(computed, 1) == Rule.SPIKE
        assert quality(computed)[1] == Quality.MEASURED


def test_a_register_that_was_repeated_and_catches_up_keeps_its_total() -> None:
    fast = Counter(5 * MINUTE, 12.0, (FittedInstrument(count=0.01),))
    computed = of(steady(m20=1003.5, m25=1003.5, m30=1003.5, m35=1003.5), fast)
    assert computed.amount.sum() == pytest.approx(12.0, abs=0.01)
    assert Rule.HELD in rules(computed, 1)
    assert quality(computed)[:3] == [Quality.MEASURED, Quality.ESTIMATED, Quality.ESTIMATED]


def test_a_swap_joins_closing_and_opening_register() -> None:
    values = {minute: value if minute < 20 else value - 950.0 for minute, value in steady().items()}
    at = START + 18 * MINUTE
    swapped = (
        FittedInstrument(until=at, count=0.01, closing=1003.6),
        FittedInstrument(since=at, count=0.01, opening=53.6),
    )
    computed = of(values, replace(PLAIN, instruments=swapped))
    assert computed.amount == pytest.approx([3.0, 3.0, 3.0, 3.0], abs=0.01)
    assert rules(computed, 1) == Rule.SWAP
    assert quality(computed) == [Quality.MEASURED] * 4
    unknown = (FittedInstrument(until=at, count=0.01), FittedInstrument(since=at, count=0.01))
    assert of(values, replace(PLAIN, instruments=unknown)).completeness[1] == pytest.approx(2 / 3)
    half = (FittedInstrument(until=at, count=0.01), FittedInstrument(since=at, count=0.01, opening=53.6))
    assert of(values, replace(PLAIN, instruments=half)).completeness[1] == pytest.approx(12 / 15)


def test_a_swap_before_the_first_reading_counts_from_the_opening_register() -> None:
    at = START - 5 * MINUTE
    counter = Counter(
        5 * MINUTE, 60.0, (FittedInstrument(until=at, closing=812.0), FittedInstrument(since=at, opening=999.0))
    )
    computed = of(steady(), counter, quarters=4)
    assert computed.amount == pytest.approx([3.0, 3.0, 3.0, 3.0], abs=0.01)


def test_a_gap_of_up_to_an_hour_is_interpolated_and_marked() -> None:
    values = {minute: value for minute, value in steady(90).items() if not 10 < minute < 70}
    computed = of(values, quarters=6)
    assert computed.amount.sum() == pytest.approx(18.0, abs=0.01)
    assert list(computed.estimated) == pytest.approx([1 / 3, 1, 1, 1, 2 / 3, 0])
    assert rules(computed, 2) == Rule.GAP_INTERPOLATED


def test_a_gap_inside_one_interval_needs_no_estimate() -> None:
    computed = of(steady(m5=np.nan, m10=np.nan))
    assert computed.amount[0] == pytest.approx(3.0, abs=0.01)
    assert quality(computed)[0] == Quality.MEASURED


def test_a_longer_gap_takes_its_shape_from_three_weeks_and_its_total_from_the_registers() -> None:
    gap = np.arange(START, START + 8 * QUARTER_MS, QUARTER_MS)
    shape = np.array([1.0, 2.0, 1.0, 4.0, 1.0, 2.0, 1.0, 4.0])
    weeks = np.concatenate([gap - 3 * WEEK_MS, gap - 2 * WEEK_MS, gap - WEEK_MS])
    past = Past(weeks, np.concatenate([shape * 2, shape * 3, shape]))
    values = {minute: value for minute, value in steady(180).items() if not 0 < minute < 120}
    computed = of(values, quarters=8, past=past)
    assert computed.amount == pytest.approx(shape * 24 / 16, abs=0.01)
    assert rules(computed, 3) == Rule.GAP_SHAPED
    assert quality(computed) == [Quality.ESTIMATED] * 8


def test_a_longer_gap_without_a_past_or_with_an_impossible_one_is_spread_evenly() -> None:
    values = {minute: value for minute, value in steady(180).items() if not 0 < minute < 120}
    assert of(values, quarters=8).amount == pytest.approx([3.0] * 8, abs=0.01)
    start = np.arange(START, START + 8 * QUARTER_MS, QUARTER_MS) - WEEK_MS
    spiky = Past(start, np.array([0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0]))
    computed = of(values, quarters=8, past=spiky)
    assert computed.amount == pytest.approx([3.0] * 8, abs=0.01)
    assert rules(computed, 3) == Rule.GAP_LINEAR


def test_a_gap_that_ends_in_a_reset_has_no_value() -> None:
    values = {minute: value - 1000.0 for minute, value in steady(180).items() if minute >= 120} | {0: 1000.0}
    computed = of(values, quarters=8)
    assert np.isnan(computed.amount).all()
    assert quality(computed) == [Quality.MISSING] * 8
    assert rules(computed, 5) == Rule.RESET


def test_readings_during_calibration_or_fault_are_set_aside() -> None:
    computed = of(steady(m20=7.0, m25=9.0), states={20: FAULT, 25: 1})
    assert computed.amount == pytest.approx([3.0, 3.0, 3.0, 3.0], abs=0.01)
    assert rules(computed, 1) == Rule.FAULT | Rule.CALIBRATING


@pytest.mark.parametrize(
    ("count", "longest", "suspect"),
    [(1e-5, 3, True), (1e-5, 2, False), (0.001, 6, True), (0.001, 5, False), (0.01, 20, False)],
)
def test_equal_use_is_suspect_where_the_register_counts_too_finely_for_chance(
    count: float, longest: int, suspect: bool
) -> None:
    """3 units a quarter hour, so many in a row, are 300,000, 3,000 and 300 counts each."""
    grown = [0.0]
    for quarter in range(-10, 30):
        grown += [grown[-1] + (3.0 if 0 <= quarter < longest else 2.0 + quarter % 3 / 10) / 3] * 1
        grown += [grown[-1] + (grown[-1] - grown[-2]), grown[-1] + 2 * (grown[-1] - grown[-2])]
    values = {5 * place - 150: 1000.0 + value for place, value in enumerate(grown)}
    computed = of(values, replace(PLAIN, instruments=(FittedInstrument(count=count),)), quarters=25)
    wanted = [Quality.SUSPECT if suspect and quarter < longest else Quality.MEASURED for quarter in range(25)]
    assert quality(computed) == wanted
    assert rules(computed, 0) == (Rule.STUCK if suspect else 0)


def test_equal_parts_of_one_hourly_step_are_estimated_and_not_stuck() -> None:
    values = {60 * hour: 1000.0 + 100 * hour + hour % 3 for hour in range(-3, 6)}
    computed = of(values, Counter(60 * MINUTE, 200.0, (FittedInstrument(count=1e-5),)), quarters=8)
    assert quality(computed) == [Quality.ESTIMATED] * 8
    assert rules(computed, 3) == Rule.SPARSE


def test_a_register_that_is_a_short_float_counts_coarser_the_more_it_shows() -> None:
    for shown, expected in ((1_000.0, Quality.SUSPECT), (1_000_000.0, Quality.MEASURED)):
        values = {minute: float(np.float32(shown + minute / 5)) for minute in range(-30, 200, 5)}
        computed = of(
            values,
            replace(PLAIN, instruments=(FittedInstrument(relative=float(np.finfo(np.float32).eps)),)),
            quarters=8,
        )
        assert quality(computed) == [expected] * 8


def test_a_meter_at_rest_is_not_stuck() -> None:
    assert quality(of(dict.fromkeys(range(0, 100, 5), 1000.0))) == [Quality.MEASURED] * 4


def test_before_the_first_and_after_the_last_reading_there_is_no_value() -> None:
    computed = of(steady(20), quarters=4)
    assert quality(computed) == [Quality.MEASURED, Quality.PARTIAL, Quality.MISSING, Quality.MISSING]
    assert np.isnan(computed.amount[2])
    assert np.isnan(of({}).amount).all()
    assert np.isnan(of({7: 1.0}).amount).all()


def test_every_rule_has_words_in_both_languages() -> None:
    assert set(RULE_TEXT) == set(Rule)
    assert rules_in(Rule.SPIKE | Rule.RESET) == (Rule.RESET, Rule.SPIKE)
    assert HOUR_MS == 4 * QUARTER_MS


def test_a_register_that_was_off_for_a_while_keeps_its_total_and_says_where_that_is_a_guess() -> None:
    for changed, sure in (({20: 1002.5, 25: 1002.6}, True), ({20: 1006.0}, False)):
        computed = of(steady() | changed)
        assert computed.amount.sum() == pytest.approx(12.0, abs=0.01)
        assert (computed.completeness == 1).all()
        assert Rule.SPIKE in rules(computed, 1)
        assert (Rule.AMBIGUOUS in rules(computed, 1)) is not sure
        assert quality(computed)[1] == (Quality.MEASURED if sure else Quality.ESTIMATED)


def test_a_register_that_stood_still_for_hours_and_catches_up_is_spread_over_them() -> None:
    values = steady(600) | dict.fromkeys(range(20, 420, 5), 1003.5)
    computed = of(values, quarters=40)
    assert computed.amount.sum() == pytest.approx(120.0, abs=0.1)
    assert (computed.completeness == 1).all()
    assert computed.amount[2:26] == pytest.approx([3.0] * 24, abs=0.1)
    assert rules(computed, 5) == Rule.HELD | Rule.GAP_LINEAR

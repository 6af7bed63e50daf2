"""Many registers computed together give bit for bit the same as each alone."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from efficiency.stored.meteruse import around
from efficiency.usage.counters import Counter, FittedInstrument
from efficiency.usage.fromsteps import enough, usage_of
from efficiency.usage.intervals import ALWAYS_AFTER, DAY_MS, HOUR_MS, QUARTER_MS, Span
from efficiency.usage.line import FAULT, Readings
from efficiency.usage.plain import plain_hours, plain_window
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import steps_of

NOW = 20_000 * DAY_MS + 10 * HOUR_MS + 7 * 60_000
BEGIN = NOW - 13 * HOUR_MS
CHANGED = Span(NOW - HOUR_MS, NOW + 600_000)
PAST = Span(NOW - 8 * HOUR_MS, NOW - 6 * HOUR_MS).outward()
ODD = ["", "", "", "gap", "fall", "fault", "jump", "still", "equal", "frozen"]

registers = st.tuples(
    st.integers(0, 1000),
    st.sampled_from([60_000, 300_000, 900_000, 3_600_000]),
    st.integers(0, 59_000),
    st.sampled_from([0.001, 0.1, 1.0]),
    st.sampled_from([1.0, 40.0]),
    st.sampled_from(ODD),
    st.booleans(),
    st.sampled_from([None, None, 3, 5, 6, 30]),
)
Drawn = tuple[int, int, int, float, float, str, bool, int | None]
"""The last is how many hours ago the instrument was exchanged for one that shows less."""


def register(drawn: Drawn) -> tuple[Counter, Readings]:
    seed, interval, phase, step, factor, odd, seen, exchanged = drawn
    random = np.random.default_rng(seed)
    times = np.arange(BEGIN + phase, NOW, interval)
    power = random.uniform(0, 90, len(times)) if odd != "equal" else np.full(len(times), 36.0)
    values = 1000 + np.cumsum(power * interval / HOUR_MS) / factor
    values = np.round(values / step) * step
    states, place = np.zeros(len(times), dtype=np.uint8), len(times) * 2 // 3
    keep = np.ones(len(times), dtype=np.bool_)
    match odd:
        case "gap":
            keep[place : place + 40 * 60_000 // interval + 2] = False
        case "fall":
            values[place:] -= 50.0
        case "fault":
            states[place] = FAULT
        case "jump":
            values[place:] += 5000.0
        case "still":
            values[place : place + 5] = values[place]
        case "frozen":
            stands = slice(*np.searchsorted(times, (PAST.end - 30 * 60_000, NOW - 5 * 60_000)))
            values[stands] = values[stands.start]
    readings = Readings(times[keep], values[keep], states[keep], Span(BEGIN, ALWAYS_AFTER))
    fitted = FittedInstrument(count=step, factor=factor, seen=seen)
    if exchanged is None:
        return Counter(interval, 100.0, (fitted,)), readings
    at = NOW - exchanged * HOUR_MS
    readings.values[readings.times < at] += 700.0
    return Counter(interval, 100.0, (replace(fitted, until=at), replace(fitted, since=at))), readings


@given(st.lists(registers, min_size=1, max_size=6))
@settings(max_examples=1000)
def test_registers_computed_together_are_as_each_by_itself(drawn: list[Drawn]) -> None:
    pairs = [register(each) for each in drawn]
    window = plain_window(CHANGED, NOW)
    found = plain_hours([counter for counter, _ in pairs], [readings for _, readings in pairs], window)
    for place, (counter, readings) in enumerate(pairs):
        if place not in found:
            continue
        same_as_by_itself(found[place], counter, readings, window)
        old = readings.times < CHANGED.start
        before = Readings(readings.times[old], readings.values[old], readings.states[old], readings.span)
        earlier = Span(window.start - 4 * QUARTER_MS, window.start)
        then, now = (usage_of(counter, steps_of(counter, each), earlier) for each in (before, readings))
        assert then.amount.tobytes() == now.amount.tobytes(), "the window begins too late"
        assert (then.rules == now.rules).all()
        assert (then.error == now.error).all()


def same_as_by_itself(found: QuarterHours, counter: Counter, readings: Readings, window: Span) -> None:
    steps = steps_of(counter, readings)
    assert all(enough(steps, window))
    wanted = usage_of(counter, steps, window)
    for column in ("start", "amount", "estimated", "completeness", "error", "rules"):
        one, other = getattr(found, column), getattr(wanted, column)
        assert one.tobytes() == other.tobytes(), column


@given(st.lists(registers, min_size=1, max_size=6))
@settings(max_examples=1000)
def test_what_comes_long_after_a_window_changes_nothing_of_registers_that_were_plain_there(drawn: list[Drawn]) -> None:
    pairs = [register(each) for each in drawn]
    known = [until(readings, around(PAST).end) for _, readings in pairs]
    found = plain_hours([counter for counter, _ in pairs], known, PAST)
    for place, hours in found.items():
        same_as_by_itself(hours, *pairs[place], PAST)


def until(readings: Readings, end: int) -> Readings:
    """Those before an instant."""
    old = readings.times < end
    return Readings(readings.times[old], readings.values[old], readings.states[old], Span(readings.span.start, end))


def test_a_register_that_may_be_frozen_is_not_plain_before_it_goes_on() -> None:
    usual, frozen = (register((7, 60_000, 0, 0.001, 1.0, odd, False, None)) for odd in ("", "frozen"))
    pairs = [(counter, until(readings, around(PAST).end)) for counter, readings in (usual, frozen)]
    assert set(plain_hours([counter for counter, _ in pairs], [readings for _, readings in pairs], PAST)) == {0}


def test_registers_that_are_not_plain_are_computed_one_by_one() -> None:
    drawn: list[Drawn] = [(7, 60_000, 0, 0.001, 1.0, odd, False, None) for odd in ("", "gap", "fall", "fault", "jump")]
    drawn += [(7, 60_000, 0, 0.001, 1.0, "", False, exchanged) for exchanged in (3, 30)]
    pairs = [register(each) for each in drawn]
    window = plain_window(CHANGED, NOW)
    assert set(plain_hours([counter for counter, _ in pairs], [readings for _, readings in pairs], window)) == {0, 6}


def test_a_plain_register_whose_readings_begin_too_late_or_end_too_early_is_left_out() -> None:
    counter, readings = register((7, 60_000, 0, 0.001, 1.0, "", False, None))
    late = Readings(readings.times[400:], readings.values[400:], readings.states[400:], readings.span)
    early = Readings(readings.times, readings.values, readings.states, Span(BEGIN, NOW))
    assert not plain_hours([counter, counter], [late, early], plain_window(CHANGED, NOW))

"""Registers against a simulated true meter, whatever happens to the register, the clock or the connection.

What is marked as measured is true within the resolution; what is known never adds up to more than what passed; and use
that nobody can know is never marked as measured.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficiency.usage.counters import Counter, FittedInstrument
from efficiency.usage.fromsteps import usage_of
from efficiency.usage.intervals import DAY_MS, HOUR_MS, QUARTER_MS, Bools, Floats, Span, Times
from efficiency.usage.judging import KNOWN, StepMeaning
from efficiency.usage.line import MEASURING, Readings
from efficiency.usage.quality import Rule
from efficiency.usage.steps import Steps, steps_of
from tests.efficiency.usage.computed import UNKNOWN_RULES

START = 1_790_000_000_000 // DAY_MS * DAY_MS
MINUTE_MS = 60_000
YEAR_MS = 365 * DAY_MS
RATED = 100.0
EXAMPLES = 1000
RANGE = 10_000.0


@dataclass(frozen=True)
class Drawn:
    """A meter and what happens to it: `at` counts readings."""

    seed: int
    interval_ms: int
    resolution: float
    begins: float
    happens: str
    at: int
    lasts: int
    more: float


READINGS = 160
drawn = st.builds(
    Drawn,
    seed=st.integers(0, 10_000),
    interval_ms=st.sampled_from([MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS]),
    resolution=st.sampled_from([0.001, 0.01, 0.1]),
    begins=st.floats(2_000, 9_000),
    happens=st.sampled_from(
        ["nothing", "silence", "frozen", "restored", "reset", "zero", "exchanged", "entered", "half entered", "factory"]
    ),
    at=st.integers(40, 110),
    lasts=st.integers(0, 40),
    more=st.floats(0, 1),
)


@dataclass(frozen=True)
class Truth:
    """Instants and what had really passed by then; `hidden` is time whose use nobody can know."""

    times: Times
    passed: Floats
    hidden: Span | None

    def between(self, start: Times, end: Times) -> Floats:
        return np.asarray(np.interp(end, self.times, self.passed) - np.interp(start, self.times, self.passed))


def load(draw: Drawn, times: Times) -> Floats:
    """What has passed by each instant: a power of 30 to 90 % of the rating, constant between readings."""
    power = np.random.default_rng(draw.seed).uniform(0.3, 0.9, len(times) - 1) * RATED
    return np.concatenate(([0.0], np.cumsum(power * np.diff(times) / HOUR_MS)))


def simulate(draw: Drawn) -> tuple[Counter, Readings, Truth]:
    steps = np.full(READINGS, draw.interval_ms, dtype=np.int64)
    if draw.happens == "silence":  # from a minute to thirty years
        steps[draw.at] = round(MINUTE_MS * (30 * YEAR_MS / MINUTE_MS) ** draw.more)
    times = START + np.cumsum(steps)
    passed = load(draw, times)
    at, until = draw.at, draw.at + 8 + draw.lasts
    shown, stamps = draw.begins + passed, times.copy()
    instruments: tuple[FittedInstrument, ...] = (FittedInstrument(count=draw.resolution),)
    hidden: Span | None = None
    lost = Span(int(times[at - 1]), int(times[at]))
    match draw.happens:
        case "frozen":
            shown[at:until] = shown[at - 1]
        case "restored":
            shown[at:] -= passed[at - 1] - passed[max(0, at - 4 - draw.lasts)]
            hidden = lost
        case "reset":
            shown[at:] = passed[at:] - passed[at - 1] * (1 - draw.more) - passed[at] * draw.more
            hidden = lost
        case "zero":
            shown[at : at + 1 + draw.lasts % 3] = draw.more * 5
        case "exchanged":
            shown[at:] += 20_000.0 if draw.more > 0.5 else -1_000.0
            hidden = lost
        case "entered" | "half entered":
            moment = round(times[at - 1] + draw.more * (times[at] - times[at - 1]))
            then = float(np.interp(moment, times, passed))
            opening = 5.0
            closing = draw.begins + then
            shown[at:] = opening + passed[at:] - then
            wrote = draw.happens == "entered"
            instruments = (
                FittedInstrument(until=moment, count=draw.resolution, closing=closing if wrote else np.nan),
                FittedInstrument(since=moment, count=draw.resolution, opening=opening),
            )
            hidden = None if wrote else Span(lost.start, moment)
        case "factory":
            stamps[at : at + 1 + draw.lasts % 5] -= 26 * YEAR_MS
    counted = np.floor(shown / draw.resolution + 1e-9) * draw.resolution
    order = np.argsort(stamps)
    readings = Readings(stamps[order], counted[order], np.full(len(times), MEASURING, dtype=np.uint8))
    return Counter(draw.interval_ms, RATED, instruments), readings, Truth(times, passed, hidden)


def windows(truth: Truth) -> list[Span]:
    """What to compute: all of it, or both ends and the middle of a very long silence."""
    first, last = int(truth.times[0]), int(truth.times[-1])
    silence = int(np.argmax(np.diff(truth.times)))
    begin, end = int(truth.times[silence]), int(truth.times[silence + 1])
    if end - begin < 30 * DAY_MS:
        return [Span(first, last)]
    middle = (begin + end) // 2
    return [Span(first, begin + HOUR_MS), Span(middle, middle + DAY_MS), Span(end - HOUR_MS, last)]


def unknown_to(truth: Truth, start: Times) -> Bools:
    if truth.hidden is None:
        return np.zeros(len(start), dtype=np.bool_)
    return np.asarray((start < truth.hidden.end) & (start + QUARTER_MS > truth.hidden.start))


@given(drawn)
@settings(max_examples=EXAMPLES)
def test_what_is_called_measured_is_true_and_no_more_is_known_than_passed(draw: Drawn) -> None:
    measured_is_true(draw)


@pytest.mark.parametrize("happens", ["silence", "factory"])
@given(draw=drawn)
@settings(max_examples=EXAMPLES)
def test_so_it_is_after_a_silence_of_up_to_thirty_years_and_with_the_factory_date_of_a_clock(
    happens: str, draw: Drawn
) -> None:
    measured_is_true(replace(draw, happens=happens))


def measured_is_true(draw: Drawn) -> None:
    counter, readings, truth = simulate(draw)
    steps = steps_of(counter, readings)
    within = (steps.start >= truth.times[0]) & (steps.end <= truth.times[-1]) & steps.known
    passed = truth.between(steps.start[within], steps.end[within])
    tolerance = draw.resolution * (2 + len(counter.instruments))
    assert steps.delta[within].sum() <= passed.sum() + tolerance
    if draw.happens != "factory":
        sure = steps.kind[within] < StepMeaning.AMBIGUOUS
        assert (np.abs(steps.delta[within] - passed)[sure] <= tolerance + 1e-6 * passed[sure]).all()
    for window in windows(truth):
        hours = usage_of(counter, steps, window)
        inside = (hours.start >= truth.times[0]) & (hours.start + QUARTER_MS <= truth.times[-1])
        measured = hours.measured & inside
        right = truth.between(hours.start, hours.start + QUARTER_MS)
        assert (np.abs(hours.amount - right)[measured] <= hours.error[measured] + tolerance).all()
        assert not (measured & unknown_to(truth, hours.start)).any()


@given(drawn)
@settings(max_examples=EXAMPLES)
def test_every_step_of_unknown_use_is_an_event_and_little_else_is_lost(draw: Drawn) -> None:
    counter, readings, truth = simulate(draw)
    steps = steps_of(counter, readings)
    unknown = (~steps.known | (steps.kind == StepMeaning.AMBIGUOUS)) & (steps.end > truth.times[0])
    assert unknown.any() == (truth.hidden is not None) or draw.happens == "factory"
    assert unknown.sum() <= 1 + 2 * (draw.happens == "factory")
    for window in windows(truth):
        hours = usage_of(counter, steps, window)
        lost = (hours.completeness < 1) & (hours.start >= truth.times[0])
        lost &= hours.start + QUARTER_MS <= truth.times[-1]
        assert ((hours.rules[lost] & np.uint32(UNKNOWN_RULES | Rule.SWAP)) > 0).all()


@given(drawn, st.floats(0.05, 40), st.booleans())
@settings(max_examples=EXAMPLES)
def test_a_counter_that_rolls_over_in_a_silence_is_right_or_marked_as_open(
    draw: Drawn, rolls: float, reset: bool
) -> None:
    """In the silence passes so many times the counter's range, at any power; or the counter is reset."""
    calm = replace(draw, happens="nothing")
    _, _, truth = simulate(calm)
    times, passed = truth.times.copy(), truth.passed.copy()
    gap = rolls * RANGE / ((0.3 + 0.8 * draw.more) * RATED) * HOUR_MS
    times[draw.at :] += round(gap)
    passed[draw.at :] += rolls * RANGE
    shown = (draw.begins + passed) % RANGE
    if reset:
        shown[draw.at :] = passed[draw.at :] - passed[draw.at - 1] - draw.more * (passed[draw.at] - passed[draw.at - 1])
        shown %= RANGE
    counted = np.floor(shown / draw.resolution + 1e-9) * draw.resolution
    counter = Counter(draw.interval_ms, RATED, (FittedInstrument(count=draw.resolution, rollover=RANGE),))
    steps = steps_of(counter, Readings(times, counted, np.full(len(times), MEASURING, dtype=np.uint8)))
    place = int(np.searchsorted(steps.start, times[draw.at - 1]))
    real = float(passed[draw.at] - passed[draw.at - 1])
    if steps.kind[place] in (StepMeaning.GOOD, StepMeaning.ROLLOVER) and not reset:
        assert abs(steps.delta[place] - real) <= 2 * draw.resolution
    if rolls > 1 and not reset:
        assert steps.kind[place] > KNOWN
    rest = np.delete(np.arange(len(steps.start)), place)
    assert (steps.kind[rest] <= KNOWN).all()
    assert steps.delta[rest].sum() <= passed[-1] - passed[0] - real + 2 * draw.resolution * len(rest)


def known_delta(steps: Steps) -> float:
    return float(steps.delta[steps.known].sum())


@given(drawn, st.integers(2, 30))
@settings(max_examples=EXAMPLES)
def test_a_frozen_register_keeps_its_whole_difference_however_long(draw: Drawn, days: int) -> None:
    """A reading each hour repeats one value for days; the rest of the meter is as drawn."""
    calm = replace(draw, happens="nothing", interval_ms=HOUR_MS)
    counter, _, truth = simulate(calm)
    still = np.arange(1, days * 24 + 1) * HOUR_MS
    times = np.concatenate(
        [truth.times[: draw.at], truth.times[draw.at - 1] + still, truth.times[draw.at :] + still[-1]]
    )
    passed = np.concatenate(
        [
            truth.passed[: draw.at],
            truth.passed[draw.at - 1] + 0.5 * RATED * np.arange(1, len(still) + 1),
            truth.passed[draw.at :] + 0.5 * RATED * len(still),
        ]
    )
    shown = draw.begins + passed
    shown[draw.at : draw.at + len(still)] = shown[draw.at - 1]
    counted = np.floor(shown / draw.resolution + 1e-9) * draw.resolution
    steps = steps_of(counter, Readings(times, counted, np.full(len(times), MEASURING, dtype=np.uint8)))
    assert steps.known.all()
    assert abs(known_delta(steps) - (passed[-1] - passed[0])) <= 2 * draw.resolution
    window = Span(int(times[draw.at]), int(times[draw.at + len(still) - 1]))
    hours = usage_of(counter, steps, Span(window.start + QUARTER_MS, window.end - QUARTER_MS))
    assert (hours.estimated == 1).all()
    assert ((hours.rules & np.uint32(Rule.HELD)) > 0).any()

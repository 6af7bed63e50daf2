"""Simulated meters whose true use is known: the computed use against the ledger, and against any order of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from efficiency.usage.affected import affected
from efficiency.usage.counters import Counter, FittedInstrument
from efficiency.usage.fromsteps import enough, history_needed, usage_of
from efficiency.usage.gaps import joined, past_of
from efficiency.usage.intervals import (
    ALWAYS_AFTER,
    ALWAYS_BEFORE,
    DAY_MS,
    EVER,
    HOUR_MS,
    QUARTER_MS,
    Floats,
    Span,
    Times,
    quarters_in,
)
from efficiency.usage.line import CALIBRATING, FAULT, MEASURING, Readings
from efficiency.usage.quality import Rule
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import Steps, steps_of
from tests.efficiency.usage.computed import UNKNOWN_RULES, usage

START = 1_790_000_000_000 // DAY_MS * DAY_MS
DAYS = 25
WINDOW = Span(START, START + DAYS * DAY_MS)
RATED = 400.0
RESOLUTION = 0.01
STEADY = 9.0
EXAMPLES = 1000


@dataclass(frozen=True)
class Simulated:
    counter: Counter
    readings: Readings
    truth: Floats
    """Real units per quarter hour."""
    held: list[Span]
    """Where a frozen register looks exactly like a pause."""


EVENTS = (
    "reset",
    "swap",
    "spike",
    "zero_spike",
    "gap",
    "long_gap",
    "held",
    "frozen",
    "calibrating",
    "fault",
    "gap_with_reset",
    "flap",
    "steady",
)


Event = tuple[str, int]
"""Events, and in which 24 hours from the start each happens: one at a time, so that the ledger stays exact."""


def begins(day: int) -> int:
    """The instant at which the event of a day begins."""
    return START + day * DAY_MS + 10 * HOUR_MS + 7 * QUARTER_MS // 3


def simulate(seed: int, step_ms: int, phase_ms: int, events: list[Event], *, rollover: bool) -> Simulated:
    """A meter whose power is constant within each quarter hour."""
    random = np.random.default_rng(seed)
    quarters = len(quarters_in(WINDOW))
    multiplier_change = START + 9 * DAY_MS + 5 * HOUR_MS
    factor = np.where(quarters_in(WINDOW) < multiplier_change, 10.0, 12.0)
    daily = 1 + np.sin(np.arange(quarters) * 2 * np.pi / 96)
    raw_use = random.uniform(0.2, 1.0, quarters) * daily * RATED / 2 / 4 / 12
    for name, day in events:
        if name == "steady":  # as much as counts for a meter that repeats itself
            raw_use[day * 96 + 41 :][:12] = STEADY
    edges = np.arange(START, WINDOW.end + 1, QUARTER_MS)
    lifetime = np.concatenate(([0.0], np.cumsum(raw_use)))
    times = np.arange(START + phase_ms, WINDOW.end + 1, step_ms)
    limit = 45_000.0 if rollover else None
    offset = np.full(len(times), 40_000.0)
    swaps: list[tuple[int, float]] = []
    for name, day in sorted(events, key=lambda event: event[1]):
        at = begins(day)
        first, now = int(np.searchsorted(times, at)), float(np.interp(at, edges, lifetime))
        if name in {"reset", "gap_with_reset"}:
            offset[first:] = -now
        if name == "swap":
            closing = now + float(offset[first - 1])
            swaps.append((at, closing % limit if limit else closing))
            offset[first:] = 77.5 - now
    values = np.interp(times, edges, lifetime) + offset
    counts = np.round(values / RESOLUTION)
    values = (counts % round(limit / RESOLUTION) if limit else counts) * RESOLUTION
    readings, held = upset(times, values, step_ms, events)
    counter = Counter(step_ms, RATED, _instruments(limit, multiplier_change, swaps))
    return Simulated(counter, readings, raw_use * factor, held)


def _instruments(
    rollover: float | None, multiplier_change: int, swaps: list[tuple[int, float]]
) -> tuple[FittedInstrument, ...]:
    """Fitted where somebody wrote down the registers of every swap; the ratio changes from 10 to 12."""
    edges = sorted([(multiplier_change, None), *swaps], key=lambda edge: edge[0])
    fitted = [FittedInstrument(factor=10.0, rollover=rollover, count=RESOLUTION)]
    for at, closing in edges:
        before = fitted[-1]
        fitted[-1] = replace(before, until=at, closing=np.nan if closing is None else closing)
        factor = 12.0 if at >= multiplier_change else 10.0
        opening = np.nan if closing is None else 77.5
        fitted.append(replace(before, since=at, factor=factor, opening=opening, continues=closing is None))
    return tuple(fitted)


def upset(times: Times, values: Floats, step_ms: int, events: list[Event]) -> tuple[Readings, list[Span]]:
    """What happens on the way from the register to the database; and where a register was held."""
    states = np.full(len(times), MEASURING, dtype=np.uint8)
    keep = np.ones(len(times), dtype=np.bool_)
    held: list[Span] = []
    for name, day in events:
        first = int(np.searchsorted(times, begins(day)))
        hour = slice(first, first + HOUR_MS // step_ms)
        match name:
            case "spike":
                values[first] += 20_000.0
            case "zero_spike":
                values[first : first + HOUR_MS // 2 // step_ms] = 0.0
            case "flap":
                values[hour][::2] = 3.0
            case "held" | "frozen":
                hold = slice(first, first + (1 if name == "held" else 7) * HOUR_MS // step_ms)
                values[hold] = values[first]
                held.append(Span(int(times[first]), int(times[hold.stop])))
            case "gap" | "gap_with_reset":
                keep[first - 1 : first + HOUR_MS * 3 // 4 // step_ms] = False
            case "long_gap":
                keep[first : first + 9 * HOUR_MS // step_ms] = False
            case "calibrating" | "fault":
                states[hour] = CALIBRATING if name == "calibrating" else FAULT
    return Readings(times[keep], values[keep], states[keep]), held


def distinguishable(events: list[Event], *, rollover: bool) -> list[Event]:
    """Leave out what cannot be distinguished: a zero in the very minute in which the register rolls over."""
    return [event for event in events if not (rollover and event[0] in {"zero_spike", "flap"})]


def rolled_over_while_held(meter: Simulated) -> bool:
    """A register that rolls over while it is frozen looks exactly like one that was replaced."""
    falls = meter.readings.times[1:][np.diff(meter.readings.values) < 0]
    return any(bool(((falls > span.start) & (falls <= span.end)).any()) for span in meter.held)


def reset_like_use(meter: Simulated, events: list[Event]) -> bool:
    """A register that is reset just before it would roll over looks exactly like one that did."""
    limit, (times, values) = meter.counter.instruments[0].rollover, (meter.readings.times, meter.readings.values)
    for first in [int(np.searchsorted(times, begins(day))) for name, day in events if "reset" in name]:
        before, after = float(values[first - 1]), float(values[first])
        most = meter.counter.most_per_ms * (times[first] - times[first - 1]) / meter.counter.instruments[0].factor
        if limit is not None and (after - before) % limit <= most:
            return True
    return False


def event_lists(most: int) -> st.SearchStrategy[list[Event]]:
    """Some events, each on a day of its own."""
    each = st.tuples(st.sampled_from(EVENTS), st.integers(0, DAYS - 2))
    return st.lists(each, max_size=most, unique_by=lambda event: event[1])


steps_ms = st.sampled_from([300_000, 900_000])


def from_scratch(counter: Counter, readings: Readings) -> QuarterHours:
    steps = steps_of(counter, readings)
    found = usage_of(counter, steps, WINDOW)
    return usage_of(counter, steps, WINDOW, past_of(found)) if history_needed(counter, steps, WINDOW) else found


LOST = UNKNOWN_RULES


@given(st.integers(0, 1000), steps_ms, event_lists(6), st.booleans())
@settings(max_examples=EXAMPLES)
def test_every_measured_interval_agrees_with_the_ledger_within_the_resolution(
    seed: int, step_ms: int, events: list[Event], rollover: bool
) -> None:
    events = distinguishable(events, rollover=rollover)
    meter = simulate(seed, step_ms, 0, events, rollover=rollover)
    assume(not reset_like_use(meter, events))
    computed = from_scratch(meter.counter, meter.readings)
    trusted = computed.measured
    for span in meter.held:
        trusted &= (computed.start >= span.end) | (computed.start + QUARTER_MS <= span.start)
    off = np.abs(computed.amount - meter.truth)
    assert np.all((off <= 2 * computed.error + 1e-9)[trusted])
    assert np.all(computed.error <= 2 * RESOLUTION * 12.0 * (1 + 1e-6))
    assert trusted.mean() > 0.5
    assert (np.nan_to_num(computed.amount) >= 0).all()


@given(st.integers(0, 1000), steps_ms, event_lists(6), st.booleans())
@settings(max_examples=EXAMPLES)
def test_the_total_is_exact_wherever_nothing_was_lost(
    seed: int, step_ms: int, events: list[Event], rollover: bool
) -> None:
    events = [event for event in distinguishable(events, rollover=rollover) if "reset" not in event[0]]
    meter = simulate(seed, step_ms, 0, events, rollover=rollover)
    assume(not rolled_over_while_held(meter))
    computed = from_scratch(meter.counter, meter.readings)
    assert (computed.completeness == 1).all()
    assert not np.any(computed.rules & LOST)
    exchanged = len(meter.counter.instruments)
    assert computed.amount.sum() == pytest.approx(meter.truth.sum(), abs=2 * 12 * RESOLUTION * (1 + exchanged))


def test_only_repeated_values_are_marked_as_stuck() -> None:
    meter = simulate(5, 300_000, 0, [("steady", 3)], rollover=False)
    found = np.flatnonzero(from_scratch(meter.counter, meter.readings).rules & Rule.STUCK)
    assert list(found) == list(range(3 * 96 + 41, 3 * 96 + 41 + 12))


def test_nothing_is_lost_by_any_event_but_a_reset() -> None:
    for name in EVENTS:
        meter = simulate(5, 300_000, 0, [(name, 22)], rollover=False)
        computed = from_scratch(meter.counter, meter.readings)
        complete = computed.completeness.mean()
        if name in {"reset", "gap_with_reset"}:
            assert 0.99 < complete < 1, name
        else:
            assert complete == 1, name
            assert computed.amount.sum() == pytest.approx(meter.truth.sum(), abs=1.0), name


class Database:
    """Readings as they arrived so far, and the intervals computed along the way."""

    def __init__(self, counter: Counter, readings: Readings) -> None:
        self.counter = counter
        self.all = readings
        self.values = readings.values.copy()
        self.there = np.zeros(len(readings.times), dtype=np.bool_)
        self.table = usage(counter, self.load(EVER), WINDOW)

    def load(self, span: Span) -> Readings:
        inside = self.there & (self.all.times >= span.start) & (self.all.times < span.end)
        return Readings(self.all.times[inside], self.values[inside], self.all.states[inside], span)

    def arrive(self, chosen: slice, values: Floats) -> None:
        new = not self.there[chosen].any()
        self.there[chosen] = True
        self.values[chosen] = values
        times = self.all.times[chosen]
        everything = steps_of(self.counter, self.load(EVER))
        for window in affected(self.counter, everything, Span(int(times[0]), int(times[-1]) + 1), only_new=new):
            self.recompute(window)

    def recompute(self, window: Span) -> None:
        window = Span(max(window.start, WINDOW.start), min(window.end, WINDOW.end))
        if window.start >= window.end:
            return
        steps = self.steps(window)
        needed = history_needed(self.counter, steps, window)
        past = joined([past_of(usage_of(self.counter, self.steps(span), span)) for span in needed])
        fresh = usage_of(self.counter, steps, window, past)
        at = slice((window.start - START) // QUARTER_MS, (window.end - START) // QUARTER_MS)
        for column in ("amount", "estimated", "completeness", "error", "rules"):
            getattr(self.table, column)[at] = getattr(fresh, column)

    def steps(self, window: Span) -> Steps:
        """Steps from just enough readings for a window."""
        for loaded in self.widening(window):
            steps = steps_of(self.counter, self.load(loaded))
            if enough(steps, window).both:
                return steps
        raise AssertionError

    @staticmethod
    def widening(window: Span) -> Iterator[Span]:
        """As little as possible is loaded, so that too small a window is noticed."""
        for more in (3 * HOUR_MS, DAY_MS):
            yield Span(window.start - more, window.end + more)
        yield Span(ALWAYS_BEFORE, ALWAYS_AFTER)


@given(
    st.integers(0, 1000),
    steps_ms,
    st.sampled_from([0, 130_000]),
    event_lists(3),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, DAYS - 1), st.floats(9, 14)), min_size=1, max_size=2),
    st.randoms(use_true_random=False),
)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_arrival_gives_bit_for_bit_what_computing_from_scratch_gives(
    seed: int,
    step_ms: int,
    phase_ms: int,
    events: list[Event],
    rollover: bool,
    cuts: list[tuple[int, float]],
    random: Random,
) -> None:
    meter = simulate(seed, step_ms, phase_ms, events, rollover=rollover)
    size = len(meter.readings.times)
    near = [
        (day, hour) for (_, day), (_, hour) in zip(events, cuts, strict=False)
    ]  # chunks that end in the middle of an event
    ends = [START + day * DAY_MS + int(hour * HOUR_MS) for day, hour in (near or cuts)]
    edges = sorted({0, size, *map(int, np.searchsorted(meter.readings.times, ends))})
    chunks = [slice(a, b) for a, b in pairwise(edges)]
    again = random.choice(edges[:-1])
    chunks.append(slice(again, min(again + 3, size)))  # replayed
    random.shuffle(chunks)
    database = Database(meter.counter, meter.readings)
    wrong = chunks[0].start
    database.arrive(slice(wrong, wrong + 1), np.array([12_345.0]))  # corrected by what comes later
    for chunk in chunks:
        database.arrive(chunk, meter.readings.values[chunk])
    scratch = from_scratch(meter.counter, meter.readings)
    for column in ("start", "amount", "estimated", "completeness", "error", "rules"):
        along, whole = getattr(database.table, column), getattr(scratch, column)
        assert along.tobytes() == whole.tobytes(), column

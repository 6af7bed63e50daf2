"""With the worst registers: what a change may affect, and what must be loaded, are never estimated too small."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from efficiency.stored.meteruse import around
from efficiency.usage.affected import affected, shape_reach
from efficiency.usage.counters import Counter, FittedInstrument
from efficiency.usage.fromsteps import enough, usage_of
from efficiency.usage.intervals import (
    ALWAYS_AFTER,
    ALWAYS_BEFORE,
    DAY_MS,
    HOUR_MS,
    QUARTER_MS,
    WEEK_MS,
    Span,
    merged,
)
from efficiency.usage.line import Readings
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.steps import steps_of
from tests.efficiency.usage.computed import usage

START = 20_000 * DAY_MS
MINUTE = 60_000
WINDOW = Span(START, START + 18 * HOUR_MS)
COLUMNS = ("amount", "estimated", "completeness", "error", "rules")
COUNTER = Counter(5 * MINUTE, 60.0, (FittedInstrument(rollover=1000.0, count=0.1),))


def readings(minutes: list[int], values: list[float], span: Span | None = None) -> Readings:
    times = START + np.array(minutes, dtype=np.int64) * MINUTE
    held = np.array(values, dtype=np.float64)
    if span is None:
        return Readings(times, held, np.zeros(len(times), dtype=np.uint8))
    inside = (times >= span.start) & (times < span.end)
    return Readings(times[inside], held[inside], np.zeros(int(inside.sum()), dtype=np.uint8), span)


def different(one: QuarterHours, other: QuarterHours) -> set[int]:
    found: set[int] = set()
    for column in COLUMNS:
        a, b = getattr(one, column), getattr(other, column)
        found.update(np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b)))))
    return {int(one.start[place]) for place in found}


SLOTS = range(0, 18 * 60, 5)
slots = st.sampled_from(SLOTS)
nonsense = st.one_of(st.sampled_from([0.0, 500.0, 540.0, 990.0, 999.0, 600.0]), st.floats(0, 8))
Drawn = dict[int, float | None]


def calm(wrong: dict[int, float], missing: tuple[int, int], every: int) -> Drawn:
    """True except for a few readings, with one gap."""
    true: Drawn = {slot: None for slot in SLOTS if not missing[0] < slot < sum(missing) and slot // 5 % every == 0}
    return {**true, **wrong} or {0: None}


chaos = st.one_of(
    st.dictionaries(slots, st.one_of(st.none(), st.none(), nonsense), min_size=3, max_size=200),
    st.builds(
        calm,
        st.dictionaries(slots, nonsense, max_size=6),
        st.tuples(slots, st.sampled_from([0, 20, 60, 180, 400])),
        st.sampled_from([1, 2, 3, 9]),
    ),
)


def registers(drawn: Drawn, *, held: bool = False) -> dict[int, float]:
    """A register that rises steadily, or in jumps after hours, where None was drawn, and nonsense elsewhere."""

    def true(minute: int) -> float:
        return 500 + minute // 240 * 40 if held else 500 + minute / 10

    return {minute: true(minute) if value is None else value for minute, value in sorted(drawn.items())}


@given(chaos, chaos, st.booleans(), slots, st.booleans())
@example(
    drawn={15: None, 140: None, 145: 500.0, 260: None},
    late={0: None, 5: None, 10: None},
    held=False,
    first=0,
    only_new=True,
)
@example(drawn={0: None, 50: None, 175: 500.0, 290: None}, late={0: None}, held=False, first=45, only_new=False)
@example(  # what was corrected had been a fall to the reading at 480, from which the register came back at 725
    drawn={0: 600.0, 480: None, 605: None, 725: None},
    late=calm({10: 0.0}, (0, 0), 1),
    held=True,
    first=0,
    only_new=False,
)
@example(  # one value across the end of what is near, a spike from the new low reading on, then another low one
    drawn=calm({625: 500.0}, (620, 180), 2),
    late={0: None},
    held=True,
    first=470,
    only_new=True,
)
@settings(max_examples=1000)
def test_only_affected_intervals_differ(drawn: Drawn, late: Drawn, held: bool, first: int, only_new: bool) -> None:
    before = registers(drawn, held=held)
    change = {at: value for at, value in registers(late, held=held).items() if first <= at < first + 60}
    if only_new:
        change = {at: value for at, value in change.items() if at not in before}
    change = change or {first + 1: 500.0}
    after = dict(sorted({**before, **change}.items()))
    old, new = readings(list(before), list(before.values())), readings(list(after), list(after.values()))
    span = Span(START + min(change) * MINUTE, START + max(change) * MINUTE + 1)
    spans = affected(COUNTER, steps_of(COUNTER, new), span, only_new=only_new)
    for start in different(usage(COUNTER, old, WINDOW), usage(COUNTER, new, WINDOW)):
        assert any(span.start <= start < span.end for span in spans)


@given(chaos, st.booleans(), st.tuples(st.integers(0, 70), st.integers(1, 8)), st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=1000)
def test_once_enough_is_loaded_more_readings_change_nothing(
    drawn: Drawn, held: bool, quarters: tuple[int, int], before: int, after: int
) -> None:
    whole = registers(drawn, held=held)
    begin, length = quarters
    window = Span(START + begin * QUARTER_MS, START + (begin + length) * QUARTER_MS)
    loaded = Span(window.start - before * MINUTE, window.end + after * MINUTE)
    part = steps_of(COUNTER, readings(list(whole), list(whole.values()), loaded))
    if all(enough(part, window)):
        expected = usage(COUNTER, readings(list(whole), list(whole.values())), window)
        assert not different(usage_of(COUNTER, part, window), expected)


def test_an_excursion_that_turns_out_to_be_none_is_computed_again_from_its_beginning() -> None:
    low = {minute: 0.1 * minute for minute in range(5, 55, 5)}
    before = {-5: 1000.0, 0: 1000.5, **low, 55: 1006.0, 60: 1006.5}
    after = dict(sorted({**before, 52: 300.0}.items()))
    counter = Counter(5 * MINUTE, 60.0, (FittedInstrument(count=0.1),))
    old, new = (readings(list(held), list(held.values())) for held in (before, after))
    changed = different(usage(counter, old, WINDOW), usage(counter, new, WINDOW))
    assert START in changed
    spans = affected(counter, steps_of(counter, new), Span(START + 52 * MINUTE, START + 52 * MINUTE + 1))
    assert any(span.start <= START < span.end for span in spans)


STILL: dict[int, float] = {minute: 100 + min(minute, 60) / 10 for minute in range(0, 480, 5)}
"""A register that stood still from minute 60 to 475."""


@pytest.mark.parametrize(
    ("before", "after", "only_new"),
    [
        (STILL | {480: 148.0, 485: 148.5}, STILL | {480: 106.5, 485: 148.5}, False),  # corrected: it had only paused
        (STILL | {480: 148.0}, STILL | {480: 148.0, 485: 106.5}, True),  # no jump after all, but a spike
        (STILL | {480: 106.5}, STILL | {480: 106.5, 485: 148.5}, True),
        (STILL, STILL | {480: 148.0}, True),
    ],
)
def test_a_register_that_stood_still_is_seen_anew_from_when_it_began_to(
    before: dict[int, float], after: dict[int, float], only_new: bool
) -> None:
    old, new = (readings(list(held), list(held.values())) for held in (before, after))
    changed = different(usage(COUNTER, old, WINDOW), usage(COUNTER, new, WINDOW))
    spans = affected(
        COUNTER, steps_of(COUNTER, new), Span(START + 480 * MINUTE, START + 485 * MINUTE + 1), only_new=only_new
    )
    assert changed
    assert all(any(span.start <= start < span.end for span in spans) for start in changed)


def test_standing_still_needs_to_be_loaded_from_its_beginning_once_it_ends_in_a_jump() -> None:
    jumped = STILL | {minute: 148.0 + minute / 10 for minute in range(480, 720, 5)}
    window = Span(START + 390 * MINUTE, START + 420 * MINUTE)
    for held, sufficient in ((jumped, False), (STILL | {480: 106.1}, True)):
        part = readings(list(held), list(held.values()), Span(START + 120 * MINUTE, ALWAYS_AFTER))
        assert enough(steps_of(COUNTER, part), window) == (sufficient, True)
    part = readings(list(jumped), list(jumped.values()), Span(ALWAYS_BEFORE, START + 470 * MINUTE))
    assert enough(steps_of(COUNTER, part), window) == (True, False)


def test_filling_a_gap_may_make_the_intervals_before_and_after_it_suspect() -> None:
    counter = Counter(15 * MINUTE, 60.0, (FittedInstrument(count=1e-6),))
    before = {minute: minute / 4 for minute in (0, 15, 30, 300, 315, 330)}
    after = {minute: minute / 4 for minute in (0, 15, 30, 45, 285, 300, 315, 330)}
    old, new = (readings(list(held), list(held.values())) for held in (before, after))
    changed = different(usage(counter, old, WINDOW), usage(counter, new, WINDOW))
    assert {START, START + 315 * MINUTE} <= changed
    spans = affected(counter, steps_of(counter, new), Span(START + 45 * MINUTE, START + 285 * MINUTE + 1))
    assert all(any(span.start <= start < span.end for span in spans) for start in changed)
    first = affected(counter, steps_of(counter, new), Span(START + 285 * MINUTE, START + 285 * MINUTE + 1))
    assert first[-1].end >= START + 330 * MINUTE


def test_a_reading_affects_the_gaps_that_borrow_its_shape_and_no_others() -> None:
    weeks = 4 * 7 * 24 * 12
    counter = Counter(5 * MINUTE, 60.0, (FittedInstrument(count=0.1),))
    gap = set(range(2 * 2016 + 144, 2 * 2016 + 180))
    other = set(range(2 * 2016 + 1000, 2 * 2016 + 1030))
    kept = [slot for slot in range(weeks) if slot not in gap | other]
    steps = steps_of(counter, readings([slot * 5 for slot in kept], [slot * 0.5 for slot in kept]))
    at = START + (2016 + 150) * 5 * MINUTE
    spans = affected(counter, steps, Span(at, at + 1))
    assert len(spans) == 2
    assert spans[0].start <= at < spans[0].end
    assert spans[1] == Span(START + 2 * WEEK_MS + 143 * 5 * MINUTE, START + 2 * WEEK_MS + 180 * 5 * MINUTE).outward()
    assert shape_reach(Span(at, at + 1)).end > spans[1].start


def test_what_to_load_is_enough_where_nothing_is_missing() -> None:
    minutes = list(range(0, 18 * 60, 5))
    window = Span(START + 5 * HOUR_MS + 1, START + 6 * HOUR_MS)
    loaded = readings(minutes, [minute / 10 for minute in minutes], around(window))
    assert enough(steps_of(COUNTER, loaded), window) == (True, True)
    less = Span(loaded.span.start + 4 * HOUR_MS, loaded.span.end - 4 * HOUR_MS)
    assert enough(steps_of(COUNTER, readings(minutes, [1.0] * len(minutes), less)), window) == (False, False)


def test_spans_merge() -> None:
    assert merged([Span(4, 6), Span(0, 2), Span(2, 3), Span(5, 9)]) == [Span(0, 3), Span(4, 9)]
    assert Span(1, 900_001).outward() == Span(0, 2 * QUARTER_MS)

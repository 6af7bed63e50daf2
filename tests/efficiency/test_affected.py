"""With registers at their worst: what a change may touch, and how little must be loaded, are never stated too small."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from efficiency.affected import affected, shape_reach
from efficiency.counters import Counter
from efficiency.intervals import DAY_MS, HOUR_MS, QUARTER_MS, WEEK_MS, Span, merged
from efficiency.registers import Readings, steps_of
from efficiency.usage import Usage, enough, to_load, usage, usage_of

START = 20_000 * DAY_MS
MINUTE = 60_000
WINDOW = Span(START, START + 18 * HOUR_MS)
COLUMNS = ("amount", "estimated", "completeness", "quality", "rules")
COUNTER = Counter(interval_ms=5 * MINUTE, rated=60.0, rollover=1000.0, count=0.1)


def readings(minutes: list[int], values: list[float], span: Span | None = None) -> Readings:
    times = START + np.array(minutes, dtype=np.int64) * MINUTE
    held = np.array(values, dtype=np.float64)
    if span is None:
        return Readings(times, held, np.zeros(len(times), dtype=np.uint8))
    inside = (times >= span.start) & (times < span.end)
    return Readings(times[inside], held[inside], np.zeros(int(inside.sum()), dtype=np.uint8), span)


def different(one: Usage, other: Usage) -> set[int]:
    found: set[int] = set()
    for column in COLUMNS:
        a, b = getattr(one, column), getattr(other, column)
        found.update(np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b)))))
    return {int(one.start[place]) for place in found}


chaos = st.dictionaries(
    st.integers(0, 18 * 12).map(lambda slot: slot * 5),
    st.one_of(st.just(0.0), st.floats(0, 8), st.just(500.0), st.sampled_from([990.0, 999.0, 600.0]), st.none()),
    min_size=3,
    max_size=200,
)


def registers(drawn: dict[int, float | None]) -> dict[int, float]:
    """A steadily rising register where None was drawn, nonsense elsewhere."""
    return {minute: 500 + minute / 10 if value is None else value for minute, value in sorted(drawn.items())}


@given(chaos, chaos)
@settings(max_examples=300, deadline=None)
def test_only_affected_intervals_differ(drawn: dict[int, float | None], late: dict[int, float | None]) -> None:
    before = registers(drawn)
    first = min(late)
    change = {minute: value for minute, value in registers(late).items() if minute < first + 60}
    after = dict(sorted({**before, **change}.items()))
    old, new = readings(list(before), list(before.values())), readings(list(after), list(after.values()))
    spans = affected(COUNTER, steps_of(COUNTER, new), Span(START + first * MINUTE, START + max(change) * MINUTE + 1))
    for start in different(usage(COUNTER, old, WINDOW), usage(COUNTER, new, WINDOW)):
        assert any(span.start <= start < span.end for span in spans)


@given(chaos, st.integers(0, 70), st.integers(1, 8), st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=300, deadline=None)
def test_where_enough_was_loaded_more_changes_nothing(
    drawn: dict[int, float | None], quarter: int, length: int, before: int, after: int
) -> None:
    held = registers(drawn)
    window = Span(START + quarter * QUARTER_MS, START + (quarter + length) * QUARTER_MS)
    loaded = Span(window.start - before * MINUTE, window.end + after * MINUTE)
    part = steps_of(COUNTER, readings(list(held), list(held.values()), loaded))
    if all(enough(part, window)):
        whole = usage(COUNTER, readings(list(held), list(held.values())), window)
        assert not different(usage_of(COUNTER, part, window), whole)


def test_an_excursion_that_turns_out_to_be_none_is_computed_again_from_its_beginning() -> None:
    low = {minute: 0.1 * minute for minute in range(5, 55, 5)}
    before = {-5: 1000.0, 0: 1000.5, **low, 55: 1006.0, 60: 1006.5}
    after = dict(sorted({**before, 52: 300.0}.items()))
    counter = Counter(interval_ms=5 * MINUTE, rated=60.0, count=0.1)
    old, new = (readings(list(held), list(held.values())) for held in (before, after))
    changed = different(usage(counter, old, WINDOW), usage(counter, new, WINDOW))
    assert START in changed
    spans = affected(counter, steps_of(counter, new), Span(START + 52 * MINUTE, START + 52 * MINUTE + 1))
    assert any(span.start <= START < span.end for span in spans)


def test_a_reading_reaches_the_gaps_that_borrow_its_shape_and_no_others() -> None:
    weeks = 4 * 7 * 24 * 12
    counter = Counter(interval_ms=5 * MINUTE, rated=60.0, count=0.1)
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
    loaded = readings(minutes, [minute / 10 for minute in minutes], to_load(COUNTER, window))
    assert enough(steps_of(COUNTER, loaded), window) == (True, True)
    less = Span(loaded.span.start + HOUR_MS, loaded.span.end - HOUR_MS)
    assert enough(steps_of(COUNTER, readings(minutes, [1.0] * len(minutes), less)), window) == (False, False)


def test_spans_merge() -> None:
    assert merged([Span(4, 6), Span(0, 2), Span(2, 3), Span(5, 9)]) == [Span(0, 3), Span(4, 9)]
    assert Span(1, 900_001).outward() == Span(0, 2 * QUARTER_MS)

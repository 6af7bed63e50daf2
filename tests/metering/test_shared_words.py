"""Windows, dated entries, topics and patience: small words that every room leans on."""

import logging
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from metering.calendar import Window
from metering.dated import Values, at, edges, pieces
from metering.instants import Span, midnight_ms
from running.patience import LONGEST_S, Patience
from wire.topics import Channel, parse, topic

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
VALUES: TypeAdapter[Values] = TypeAdapter(Values)


def window(days: str, start: str, end: str) -> Window:
    return Window.model_validate({"days": days, "start": start, "end": end})


@pytest.mark.parametrize(
    ("days", "start", "end", "weekday", "minute", "inside"),
    [
        ("mon-sat", "17:30", "22:30", 0, 17 * 60 + 30, True),
        ("mon-sat", "17:30", "22:30", 0, 22 * 60 + 30, False),
        ("mon-sat", "17:30", "22:30", 6, 18 * 60, False),
        ("daily", "22:00", "04:00", 3, 23 * 60, True),
        ("daily", "22:00", "04:00", 3, 3 * 60 + 59, True),
        ("daily", "22:00", "04:00", 3, 4 * 60, False),
        ("sun", "22:00", "06:00", 0, 5 * 60, True),
        ("sun", "22:00", "06:00", 6, 5 * 60, False),
        ("fri-mon", "00:00", "24:00", 6, 0, True),
        ("fri-mon", "00:00", "24:00", 1, 0, False),
        ("mon, wed", "06:00", "14:00", 2, 6 * 60, True),
    ],
)
def test_a_window_covers(days: str, start: str, end: str, weekday: int, minute: int, inside: bool) -> None:
    assert window(days, start, end).covers(weekday, minute) is inside


@given(st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_a_window_and_its_complement_share_no_minute(weekday: int, minute: int, start: int, end: int) -> None:
    one, other = (Window(days=frozenset(range(7)), start=a, end=b) for a, b in ((start, end), (end, start)))
    if start != end:
        assert one.covers(weekday, minute) != other.covers(weekday, minute)
    else:
        assert one.covers(weekday, minute)


ENTRIES = VALUES.validate_python(
    [
        {"from": date(2025, 1, 1), "value": 1.0, "source": "s"},
        {"from": date(2025, 6, 1), "value": 2.0, "source": "s", "until": date(2026, 1, 1)},
    ]
)


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2024, 12, 31), None),
        (date(2025, 1, 1), 1.0),
        (date(2025, 5, 31), 1.0),
        (date(2025, 6, 1), 2.0),
        (date(2025, 12, 31), 2.0),
        (date(2026, 1, 1), None),
    ],
)
def test_what_holds_on_a_day(day: date, value: float | None) -> None:
    found = at(ENTRIES, day)
    assert (found.value if found else None) == value


def test_the_edges_of_dated_entries_inside_a_span() -> None:
    span = Span(midnight_ms(date(2025, 1, 1), ZONE), midnight_ms(date(2026, 1, 1), ZONE))
    assert edges(ENTRIES, span, ZONE) == (midnight_ms(date(2025, 6, 1), ZONE),)


def test_days_are_split_where_another_entry_holds() -> None:
    found = list(pieces(ENTRIES, date(2024, 12, 30), date(2025, 7, 1)))
    assert [(begin, end) for begin, end, _ in found] == [
        (date(2024, 12, 30), date(2025, 1, 1)),
        (date(2025, 1, 1), date(2025, 6, 1)),
        (date(2025, 6, 1), date(2025, 7, 1)),
    ]
    assert [entry.value if entry else None for _, _, entry in found] == [None, 1.0, 2.0]


def test_two_entries_of_one_day_are_refused() -> None:
    entry = {"from": date(2025, 1, 1), "value": 1.0, "source": "s"}
    with pytest.raises(ValidationError, match="oldest first"):
        VALUES.validate_python([entry, entry])


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,63}", fullmatch=True)


@given(names, names, st.sampled_from(Channel))
def test_a_topic_reads_back(park: str, gateway: str, channel: Channel) -> None:
    read = parse(topic(park, gateway, channel))
    assert read == (park, gateway, channel)
    assert str(read) == topic(park, gateway, channel)


@given(st.text(max_size=40) | st.text(max_size=40).map("ecopark/v1/".__add__))
def test_any_text_is_a_topic_of_ours_or_none(text: str) -> None:
    read = parse(text)
    assert read is None or str(read) == text


def test_patience_waits_longer_and_says_so_seldom(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    patience = Patience("writing", logging.getLogger("test"), lambda: now)
    pauses = []
    for _ in range(40):
        pauses.append(patience.failed(OSError("down")))
        now += 1.0
    assert all(0 < pause <= LONGEST_S for pause in pauses)
    assert pauses[0] <= 0.2
    assert pauses[-1] >= LONGEST_S / 2
    assert patience.failed(OSError("down"), 70.0) == 70.0
    assert 1 <= len(caplog.records) <= 3
    patience.succeeded()
    patience.succeeded()
    assert len([record for record in caplog.records if "recovered" in record.message]) == 1
    assert patience.failures == 0

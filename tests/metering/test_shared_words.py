"""Windows, dated entries, topics and patience: small types that every room uses."""

import logging
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from metering.calendar import Calendar, Window
from metering.dated import Values, at, edges, entries_between
from metering.instants import Span, midnight_ms
from running.patience import LONGEST_S, Patience
from wire.topics import Channel, parse, topic

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
VALUES: TypeAdapter[Values] = TypeAdapter(Values)


def window(days: str, start: str, end: str) -> Window:
    return Window.model_validate({"days": days, "start": start, "end": end})


def covers(one: Window, weekday: int, minute: int) -> bool:
    return Calendar().covers([one], date(2026, 11, 23 + weekday), minute)  # a Monday, and the days after it


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
    assert covers(window(days, start, end), weekday, minute) is inside


@given(st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_a_window_and_its_complement_share_no_minute(weekday: int, minute: int, start: int, end: int) -> None:
    one, other = (Window(days=frozenset(range(7)), start=a, end=b) for a, b in ((start, end), (end, start)))
    if start != end:
        assert covers(one, weekday, minute) != covers(other, weekday, minute)
    else:
        assert covers(one, weekday, minute)


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


def test_the_entries_that_hold_on_some_days() -> None:
    found = entries_between(ENTRIES, date(2024, 12, 30), date(2025, 7, 1))
    assert [entry.value if entry else None for entry in found] == [None, 1.0, 2.0]
    assert entries_between(ENTRIES, date(2025, 1, 1), date(2025, 6, 1)) == [ENTRIES[0]]


def test_two_entries_of_one_day_are_refused() -> None:
    entry = {"from": date(2025, 1, 1), "value": 1.0, "source": "s"}
    with pytest.raises(ValidationError, match="oldest first"):
        VALUES.validate_python([entry, entry])


CALENDAR = Calendar.model_validate(
    {
        "holidays": [
            {"from": "2026-02-16", "to": "2026-02-20", "name": {"en": "Tet", "vi": "Tết"}, "source": "s"},
            {"from": "04-30", "to": "05-01", "name": {"en": "Two days", "vi": "Hai ngày"}, "source": "s"},
        ],
        "seasons": {"summer": {"from": "06-01", "to": "09-30"}, "winter": {"from": "11-01", "to": "02-28"}},
    }
)


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        (date(2026, 2, 15), False),
        (date(2026, 2, 16), True),
        (date(2026, 2, 20), True),
        (date(2027, 2, 16), False),
        (date(2026, 4, 30), True),
        (date(2031, 5, 1), True),
        (date(2031, 5, 2), False),
    ],
)
def test_holidays_of_one_year_and_of_each(day: date, holiday: bool) -> None:
    assert (CALENDAR.holiday(day) is not None) is holiday


def test_a_season_may_run_over_the_end_of_the_year() -> None:
    days = (
        date(2026, 1, 5),
        date(2026, 3, 1),
        date(2026, 6, 1),
        date(2026, 9, 30),
        date(2026, 10, 1),
        date(2026, 12, 31),
    )
    found = [[name for name, season in CALENDAR.seasons.items() if season.holds(day)] for day in days]
    assert found == [["winter"], [], ["summer"], ["summer"], [], ["winter"]]


def test_a_window_that_is_not_on_holidays_does_not_start_on_them_but_may_reach_into_them() -> None:
    """Field case 48: 30 April 2026 is a Thursday."""
    night = {"days": "daily", "start": "22:00", "end": "06:00", "not_on": "holidays"}
    windows = (window("mon-fri", "09:00", "12:00"), Window.model_validate(night))
    peak = (windows[0].model_copy(update={"not_on": "holidays"}),)
    assert [CALENDAR.covers(peak, date(2026, 4, day), 10 * 60) for day in (29, 30)] == [True, False]
    assert CALENDAR.covers(windows[1:], date(2026, 4, 30), 60)
    assert not CALENDAR.covers(windows[1:], date(2026, 4, 30), 23 * 60)
    assert not CALENDAR.covers(windows[1:], date(2026, 5, 1), 60)
    summer = (windows[0].model_copy(update={"season": "summer"}),)
    assert [CALENDAR.covers(summer, day, 600) for day in (date(2026, 5, 29), date(2026, 6, 1))] == [False, True]


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,63}", fullmatch=True)


@given(names, names, st.sampled_from(Channel))
def test_a_topic_reads_back(park: str, gateway: str, channel: Channel) -> None:
    read = parse(topic(park, gateway, channel))
    assert read == (park, gateway, channel)
    assert str(read) == topic(park, gateway, channel)


@given(st.text(max_size=40) | st.text(max_size=40).map("ecopark/v1/".__add__))
def test_any_text_is_read_as_a_topic_or_rejected(text: str) -> None:
    read = parse(text)
    assert read is None or str(read) == text


def test_patience_waits_longer_and_logs_seldom(caplog: pytest.LogCaptureFixture) -> None:
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

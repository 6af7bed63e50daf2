"""The range that a panel asks for, as Grafana computes it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards.filling import Choice, filled, span

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
END = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
"""Half past three of the 25th in the park."""
START = END - timedelta(hours=6)


@pytest.mark.parametrize(
    ("window", "begins"),
    [
        (None, START),
        ("30d", END - timedelta(days=30)),
        ("now/d", datetime(2026, 11, 25, tzinfo=ZONE)),
        ("now-30d/d", datetime(2026, 10, 26, tzinfo=ZONE)),
        ("now/M", datetime(2026, 11, 1, tzinfo=ZONE)),
    ],
)
def test_a_window_begins_where_it_does_in_grafana(window: str | None, begins: datetime) -> None:
    assert span(window, None, START, END, ZONE) == (begins, END)


def test_a_shift_moves_both_ends() -> None:
    shifted = span("now/d", "7d", START, END, ZONE)
    assert shifted == (datetime(2026, 11, 18, tzinfo=ZONE), END - timedelta(days=7))


def test_a_value_is_never_read_as_a_variable_nor_leaves_its_pattern() -> None:
    statement = 'SELECT x FROM y WHERE "park" =~ /^$park$/ AND "tenant" =~ /^${tenant}$/'
    hostile = [Choice("park", "$tenant"), Choice("tenant", "/ OR 1 = 1 OR x =~ /")]
    assert filled(statement, hostile) == (
        r'SELECT x FROM y WHERE "park" =~ /^\$tenant$/ AND "tenant" =~ /^\/ OR 1 = 1 OR x =~ \/$/'
    )

"""F18: a month's budget falls evenly on its quarter hours, and cost is compared with what has passed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from efficiency.indicators.budget import budget_figures
from efficiency.indicators.figure import Figure, absent
from efficiency.usage.intervals import QUARTER_MS, Span, quarters_in
from efficiency.valuation.localtime import Slots, slots
from efficiency.valuation.valued import Reason
from metering.dated import HistoryEntry


def budget(since: date, value: float) -> HistoryEntry[float]:
    return HistoryEntry[float](since=since, value=value, source="s")


def over(first: str, last: str, zone: str = "Asia/Ho_Chi_Minh") -> Slots:
    begin, end = (int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()) for day in (first, last))
    return slots(quarters_in(Span(begin * 1000, end * 1000)), ZoneInfo(zone))


def test_a_third_of_the_month_has_a_third_of_its_budget() -> None:
    spent = Figure(value=12e6, unit="VND", completeness=0.9, estimated=0.2)
    found = budget_figures([budget(date(2026, 1, 1), 30e6)], over("2026-11-01", "2026-11-11"), 30 * 96, spent)
    assert found["budget_vnd"].value == pytest.approx(10e6)
    share = found["budget_share"]
    assert share.value == pytest.approx(1.2)
    assert (share.completeness, share.estimated) == (0.9, 0.2)
    assert share.reasons == Reason.INDICATIVE


def test_a_budget_that_changes_within_the_month_counts_from_its_day() -> None:
    dated = [budget(date(2026, 1, 1), 30e6), budget(date(2026, 11, 16), 60e6)]
    found = budget_figures(dated, over("2026-11-01", "2026-12-01"), 30 * 96, Figure(value=45e6, unit="VND"))
    assert found["budget_vnd"].value == pytest.approx(45e6)
    assert found["budget_share"].value == pytest.approx(1.0)


def test_a_month_with_a_clock_change_still_adds_up_to_its_budget() -> None:
    when = over("2026-10-01", "2026-11-01", "Europe/Berlin")
    assert len(when) == (31 * 24 + 1) * 3_600_000 // QUARTER_MS
    found = budget_figures([budget(date(2026, 1, 1), 31e6)], when, len(when), absent("VND", Reason.NO_PRICE))
    assert found["budget_vnd"].value == pytest.approx(31e6)
    assert found["budget_share"].reasons == Reason.NO_PRICE


@pytest.mark.parametrize(
    ("dated", "reason"),
    [
        ([], Reason.NO_BUDGET),
        ([budget(date(2026, 11, 2), 30e6)], Reason.NO_BUDGET),
        ([budget(date(2026, 1, 1), 0.0)], Reason.ZERO_DENOMINATOR),
    ],
)
def test_without_a_budget_there_is_no_share_but_a_reason(dated: list[HistoryEntry[float]], reason: Reason) -> None:
    found = budget_figures(dated, over("2026-11-01", "2026-11-11"), 30 * 96, Figure(value=1.0, unit="VND"))
    assert found["budget_share"].value is None
    assert found["budget_share"].reasons == reason

"""What is stored of closed months: what was stated, what was corrected, what waits; and which are not closed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from efficiency.closing.file import ClosedMonth, file_of_month
from efficiency.closing.making import MonthMaker, NotYetStated
from efficiency.closing.state import ClosingState
from metering.instants import midnight_ms
from metering.park import Park
from store.client import Store
from store.lines import point, series
from store.schema import CLOSING, EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE, tenant_database
from store.select import select
from tests.efficiency.closing.monthpark import NOW, OCTOBER, SEPTEMBER, Desk, of, two_o_clock

DEARER = {"water: [{from: 2026-01-01, value: 14500.0": "water: [{from: 2026-01-01, value: 15000.0"}
LATER = date(2026, 12, 5)


def state(desk: Desk, today: date = NOW) -> ClosingState:
    return ClosingState(desk.store, lambda: two_o_clock(desk.park, today), lambda: 0.0)


async def stored(
    store: Store, park: Park, month: date, tenant: str = "", database: str = OPERATOR_DATABASE
) -> dict[str, Any]:
    rows = await store.query(select(CLOSING, ["*"]), database)
    at = midnight_ms(month, park.zone) * NS_PER_MS
    return next((row for row in rows if row["time"] == at and (row.get("tenant") or "") == tenant), {})


async def test_where_nobody_closes_months_nothing_is_stored(desk: Desk) -> None:
    await state(desk).write(desk.park, desk.file)
    assert await desk.store.query(select(CLOSING, ["*"]), OPERATOR_DATABASE) == []


async def test_a_closed_month_is_stored_for_the_operator_and_for_each_tenant(desk: Desk) -> None:
    await desk.store.create_database(tenant_database("demo", "alpha"))
    closed = await desk.close(SEPTEMBER)
    await state(desk).write(desk.park, desk.file)
    whole = await stored(desk.store, desk.park, SEPTEMBER)
    assert whole["stated_vnd"] == closed.account.total_vnd
    assert (whole["open_days"], whole["obstacles"], whole["waiting_vnd"], whole["later_vnd"]) == (0, 0, 0, 0)
    assert whole["closed"] == closed.closed_at.timestamp() * 1000
    alpha = await stored(desk.store, desk.park, SEPTEMBER, "alpha")
    assert alpha["stated_vnd"] == of(closed, "alpha").total_vnd
    assert alpha["stated_vnd_completeness"] == 1
    own = await stored(desk.store, desk.park, SEPTEMBER, "alpha", tenant_database("demo", "alpha"))
    assert own["stated_vnd"] == alpha["stated_vnd"]


async def test_a_month_that_is_over_waits_to_be_closed_from_the_first_on(desk: Desk) -> None:
    await desk.close(SEPTEMBER)
    keeper = state(desk)
    await keeper.write(desk.park, desk.file)
    assert (await stored(desk.store, desk.park, OCTOBER))["open_days"] == 1
    await desk.close(OCTOBER)
    await keeper.write(desk.park, desk.file)
    assert (await stored(desk.store, desk.park, OCTOBER))["open_days"] == 0
    await state(desk, LATER).write(desk.park, desk.file)
    assert (await stored(desk.store, desk.park, date(2026, 11, 1)))["open_days"] == 4
    assert not await stored(desk.store, desk.park, date(2026, 12, 1))


async def test_what_changes_after_closing_waits_and_is_later_what_the_month_was_corrected_by(desk: Desk) -> None:
    before = await desk.close(SEPTEMBER)
    keeper = state(desk)
    await keeper.write(desk.park, desk.file)
    await desk.edit(**DEARER)
    await keeper.write(desk.park, desk.file)
    alpha = await stored(desk.store, desk.park, SEPTEMBER, "alpha")
    volume = next(each.quantity for each in of(before, "alpha").charges if each.utility.value == "water")
    assert alpha["waiting_vnd"] == pytest.approx(volume * 500 * 1.05, abs=2)
    assert alpha["why_en"] == "corrected price or tariff hours"
    assert alpha["why_vi"] == "sửa đơn giá hoặc khung giờ"
    assert alpha["stated_vnd"] == of(before, "alpha").total_vnd
    october = await desk.close(OCTOBER)
    await keeper.write(desk.park, desk.file)
    alpha = await stored(desk.store, desk.park, SEPTEMBER, "alpha")
    assert alpha["later_vnd"] == sum(line.with_vat_vnd for line in of(october, "alpha").corrections)
    assert alpha["waiting_vnd"] == 0
    next_month = await stored(desk.store, desk.park, OCTOBER, "alpha")
    assert next_month["of_earlier_vnd"] == alpha["later_vnd"]
    beta = await stored(desk.store, desk.park, SEPTEMBER, "beta")
    assert beta["later_vnd"] == 0
    whole = await stored(desk.store, desk.park, SEPTEMBER)
    assert whole["later_vnd"] == alpha["later_vnd"]


async def test_what_the_service_computes_otherwise_is_seen_without_a_changed_file(desk: Desk) -> None:
    await desk.close(SEPTEMBER)
    park, keeper = desk.park, state(desk)
    await keeper.write(park, desk.file)
    await desk.edit(**{"serial: A-1, multiplier: 40": "serial: A-1, multiplier: 41"})
    await keeper.write(park, desk.file)
    found = await stored(desk.store, park, SEPTEMBER, "alpha")  # its registers no longer agree with what is stored
    assert (found["waiting_vnd_reasons"], found.get("waiting_vnd")) == ("incomplete", None)


async def test_a_month_that_changes_all_the_time_does_not_keep_the_others_from_being_checked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[date] = []
    waiting = MonthMaker.waiting

    async def recorded(self: MonthMaker, month: date, closed: Sequence[ClosedMonth]) -> NotYetStated:
        checked.append(month)
        return await waiting(self, month, closed)

    async def change(month: date, value: int) -> None:
        head = series(EFFICIENCY, {"park": desk.park.id, "tenant": "alpha", "period": "month"})
        await desk.store.write(
            [point(head, {"changed": float(value)}, midnight_ms(month, desk.park.zone) * NS_PER_MS)], OPERATOR_DATABASE
        )

    monkeypatch.setattr(MonthMaker, "waiting", recorded)
    monkeypatch.setattr("efficiency.closing.state.AT_ONCE", 1)
    for month in (SEPTEMBER, OCTOBER):
        await desk.close(month)
    keeper = state(desk)
    for number in range(4):
        await change(OCTOBER, number)
        await keeper.write(desk.park, desk.file)
    assert checked == [OCTOBER, SEPTEMBER, OCTOBER, OCTOBER]
    await change(SEPTEMBER, 1)
    for number in range(4, 6):
        await change(OCTOBER, number)
        await keeper.write(desk.park, desk.file)
    assert checked[4:] == [SEPTEMBER, OCTOBER]
    await keeper.write(desk.park, desk.file)
    await keeper.write(desk.park, desk.file)
    assert len(checked) == 6  # nothing has changed any more


async def test_points_are_read_and_written_again_only_where_the_state_is_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.close(SEPTEMBER)
    asked: list[str] = []
    query = desk.store.query

    async def recorded(statement: str, database: str, **more: Any) -> Any:
        asked.append(statement)
        return await query(statement, database, **more)

    keeper = state(desk)
    await keeper.write(desk.park, desk.file)
    monkeypatch.setattr(desk.store, "query", recorded)
    await keeper.write(desk.park, desk.file)
    assert asked
    assert not [statement for statement in asked if f'FROM "{CLOSING}"' in statement]
    await desk.close(OCTOBER)
    await keeper.write(desk.park, desk.file)
    assert [statement for statement in asked if f'FROM "{CLOSING}"' in statement]
    monkeypatch.undo()
    assert (await stored(desk.store, desk.park, OCTOBER))["open_days"] == 0


async def test_a_month_that_cannot_be_computed_any_more_has_no_correction_waiting(desk: Desk) -> None:
    await desk.close(SEPTEMBER)
    await desk.edit(**{"water: [{from: 2026-01-01, value: 0.05": "water: [{from: 2026-09-20, value: 0.05"})
    await state(desk).write(desk.park, desk.file)
    found = await stored(desk.store, desk.park, SEPTEMBER, "alpha")
    assert found.get("waiting_vnd") is None
    assert found["waiting_vnd_reasons"] == "incomplete"


async def test_a_file_that_cannot_be_used_is_logged_and_stops_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.close(SEPTEMBER)
    file = file_of_month(desk.file, SEPTEMBER)
    file.write_text(file.read_text().replace("park: demo", "park: other"), encoding="utf-8")
    await state(desk).write(desk.park, desk.file)
    assert "restore the file from a backup" in caplog.text
    assert await desk.store.query(select(CLOSING, ["*"]), OPERATOR_DATABASE) == []

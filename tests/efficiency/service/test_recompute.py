"""Late, replayed or corrected readings and a changed park file change exactly what they affect, as if from scratch."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from efficiency.service.meterstatus import MeterStatus
from efficiency.service.park import ParkUsage
from efficiency.stored.readings import RegisterReader, Registers
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS, Span
from ingest.arrivals import ArrivalSource, Extent, Trace
from metering.meters import Meter
from metering.parkfile import load_park
from store.answers import Row
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, tenant_database
from tests.efficiency.conftest import Field, usage_rows

DERIVED = ("usage", "usage_cursor", "usage_basis", "efficiency", "balance")
METERS = ("sm-brewery", "em-brewery-filling", "em-brewery", "em-pharma-hvac", "em-pharma", "wm-packaging")
LATE = "sm-brewery"


class Service:
    """A usage service whose clock is set by the test for each cycle."""

    def __init__(self, store: Store, field: Field) -> None:
        self.store = store
        self.field = field
        self.trace = Trace("ingest-1")
        self.usage: ParkUsage | None = None

    async def cycle(self, now_ms: int) -> None:
        if self.usage is None:
            self.usage = ParkUsage(self.store, self.field.park)
            await self.usage.begin(now_ms)
        self.usage.park = self.field.park
        await self.usage.cycle(now_ms)

    async def arrive(self, meter: str, first: int, last: int, now_ms: int) -> None:
        """Readings of a meter come late."""
        await self.field.write(self.store, [meter], first, last)
        lines = self.trace.lines({ArrivalSource(self.field.park.id, meter): Extent(first, last - 1)}, now_ms)
        await self.store.write(lines, OPERATOR_DATABASE)

    async def from_scratch(self, now_ms: int) -> list[Row]:
        """Delete all that was computed, compute it again, and return it."""
        for measurement in DERIVED:
            await self.store.query(f'DROP MEASUREMENT "{measurement}"', OPERATOR_DATABASE)
        self.usage = None
        await self.cycle(now_ms)
        return await usage_rows(self.store)


@pytest.fixture
def service(store: Store, song_xanh_field: Field) -> Service:
    return Service(store, song_xanh_field)


def key(row: Row) -> tuple[Any, ...]:
    return row["meter"], row["band"], row["role"], row["time"]


def different(before: list[Row], after: list[Row]) -> dict[str, set[int]]:
    """Starts (ms) of what differs, by meter."""
    old, new = ({key(row): row for row in rows} for rows in (before, after))
    found: dict[str, set[int]] = {}
    for each in old.keys() | new.keys():
        if old.get(each) != new.get(each):
            found.setdefault(each[0], set()).add(each[3] // NS_PER_MS)
    return found


async def test_computed_along_the_way_is_bit_for_bit_what_is_computed_from_scratch(service: Service) -> None:
    field = service.field
    begin = field.ms()
    for hours in (7, 8.01, 9.3, 13, 15.2, 16.5, 17.4, 18.2, 18.3):
        end = field.ms(hours=hours)
        await field.write(service.store, METERS, begin, end, late=False)
        if hours > 18:
            await service.arrive(LATE, field.ms(hours=15), field.ms(hours=17), end)
        await service.cycle(end)
        begin = end
    end = field.ms(hours=40)  # a service that was down for a day
    await field.write(service.store, METERS, begin, end)
    await service.cycle(end)
    along = await usage_rows(service.store)
    figures = await service.store.query('SELECT * FROM "efficiency"', OPERATOR_DATABASE)
    assert len(along) >= len(METERS) * 40 * 4
    assert await service.from_scratch(end) == along
    assert await service.store.query('SELECT * FROM "efficiency"', OPERATOR_DATABASE) == figures


async def test_after_a_long_pause_no_reading_is_skipped(service: Service) -> None:
    field = service.field
    await field.write(service.store, [LATE], field.ms(), field.ms(hours=1))
    await field.write(service.store, METERS[1:], field.ms(), field.ms(hours=10))
    for hours in (9.9, 10):
        await service.cycle(field.ms(hours=hours))
    resumed = field.ms(hours=27)  # the meter is heard again while the service stands still
    await field.write(service.store, METERS, field.ms(hours=13), resumed)
    for seconds in (0, 5, 10):
        await service.cycle(resumed + seconds * 1000)
    along = await usage_rows(service.store)
    assert await service.from_scratch(resumed + 10_000) == along


async def test_late_readings_change_what_they_affect_and_note_since_when(service: Service) -> None:
    field, now = service.field, service.field.ms(days=1, hours=6)
    await field.write(service.store, METERS, field.ms(), now, late=True)
    gap = (field.ms(hours=10), field.ms(hours=12, minutes=5))
    where = f"\"meter\" = '{LATE}' AND time >= {gap[0] * NS_PER_MS} AND time < {gap[1] * NS_PER_MS}"
    await service.store.query(f'DELETE FROM "steam" WHERE {where}', OPERATOR_DATABASE)
    await service.cycle(now)
    before = await usage_rows(service.store)
    later = now + 20 * QUARTER_MS
    await service.arrive(LATE, *gap, later)
    await service.cycle(later)
    after = [row for row in await usage_rows(service.store) if row["time"] < (now - 2 * HOUR_MS) * NS_PER_MS]
    before = [row for row in before if row["time"] < (now - 2 * HOUR_MS) * NS_PER_MS]
    changed = different(before, after)
    assert changed.keys() == {LATE}
    assert min(changed[LATE]) >= gap[0] - 2 * QUARTER_MS
    assert max(changed[LATE]) < gap[1] + 2 * QUARTER_MS
    rows = await service.store.query('SELECT "revised","meter" FROM "usage"', OPERATOR_DATABASE)
    revised = {row["time"] // NS_PER_MS for row in rows if row["revised"] == later}
    assert revised <= changed[LATE]
    assert len(revised) >= 8


async def test_a_replay_changes_nothing(service: Service) -> None:
    field, now = service.field, service.field.ms(days=1, hours=6)
    await field.write(service.store, METERS, field.ms(), now)
    await service.cycle(now)
    before = await service.store.query('SELECT * FROM "usage"', OPERATOR_DATABASE)
    await service.arrive(LATE, field.ms(hours=3), field.ms(hours=6), now)
    await service.cycle(now + 1)
    assert await service.store.query('SELECT * FROM "usage"', OPERATOR_DATABASE) == before


async def test_a_corrected_reading_is_used(service: Service) -> None:
    field, now = service.field, service.field.ms(days=1, hours=6)
    await field.write(service.store, [LATE], field.ms(), now)
    at = field.ms(hours=4)
    (right,) = field.lines(field.park.meter[LATE], at, at + 1)
    await service.store.write([re.sub(r"mass_t=([\d.]+)", "mass_t=1.5", right)], OPERATOR_DATABASE)
    await service.cycle(now)
    wrong = await usage_rows(service.store)
    await service.arrive(LATE, at, at + 1, now)
    await service.cycle(now + 1)
    corrected = await usage_rows(service.store)
    assert different(wrong, corrected)[LATE] <= {at - QUARTER_MS, at}
    assert await service.from_scratch(now + 1) == corrected


def entered(field: Field, change: Callable[[str], str]) -> None:
    """Change the park file."""
    text = field.file.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    field.file.write_text(changed, encoding="utf-8")
    field.park = load_park(field.file)


async def changed_by(service: Service, change: Callable[[str], str], now: int) -> dict[str, set[int]]:
    """What a change of the park file changes; checked against computing from scratch."""
    await service.cycle(now)
    before = await usage_rows(service.store)
    entered(service.field, change)
    await service.cycle(now)
    after = await usage_rows(service.store)
    assert await service.from_scratch(now) == after
    return different(before, after)


async def test_a_swap_that_is_entered_afterwards_changes_the_hours_around_it(service: Service) -> None:
    field, now = service.field, service.field.ms(days=1, hours=6)
    with_swap = field.file.read_text(encoding="utf-8")
    at = next(field.plant.at(event) for event in field.plant.events if event.meter == "em-pharma-hvac")
    entered(field, lambda text: re.sub(r"(- id: em-pharma-hvac *\n) *instruments:\n.*\n.*\n", r"\1", text))
    await field.write(service.store, METERS, field.ms(), now)
    changed = await changed_by(service, lambda _: with_swap, now)
    assert changed == {"em-pharma-hvac": {at // QUARTER_MS * QUARTER_MS}}


async def test_a_future_swap_counts_once_it_has_happened(service: Service) -> None:
    field, now, later = service.field, service.field.ms(hours=13), service.field.ms(hours=16)
    with_swap = field.file.read_text(encoding="utf-8")
    await field.write(service.store, METERS, field.ms(), now)
    await service.cycle(now)
    ahead = await usage_rows(service.store)
    entered(field, lambda text: re.sub(r"(- id: em-pharma-hvac *\n) *instruments:\n.*\n.*\n", r"\1", text))
    assert await service.from_scratch(now) == ahead
    entered(field, lambda _: with_swap)
    await field.write(service.store, METERS, now, later)
    await service.cycle(later)
    assert await service.from_scratch(later) == await usage_rows(service.store)
    events = await service.store.query('SELECT * FROM "events" WHERE "kind" = \'swap\'', OPERATOR_DATABASE)
    assert [event["meter"] for event in events] == ["em-pharma-hvac"]


def with_multiplier(entries: str) -> Callable[[str], str]:
    def put(text: str) -> str:
        text = re.sub(r"(- id: em-brewery-filling *\n)(    multiplier: .*\n)?", r"\1    multiplier: HERE\n", text)
        return text.replace("HERE", f"[{entries}]")

    return put


async def test_a_corrected_multiplier_changes_what_came_after_its_day(service: Service) -> None:
    field, now = service.field, service.field.ms(days=2, hours=6)
    await field.write(service.store, METERS, field.ms(), now)
    old = "{from: 2025-01-01, value: 1.0, source: old}"
    entered(field, with_multiplier(old))
    corrected = with_multiplier(f"{old}, {{from: 2026-10-06, value: 0.9, source: corrected}}")
    changed = await changed_by(service, corrected, now)
    assert changed.keys() == {"em-brewery-filling"}
    # The step between the last reading before the change and the first one after it has a part in the quarter before.
    assert min(changed["em-brewery-filling"]) >= field.ms(days=1) - QUARTER_MS


async def test_a_new_tariff_moves_use_to_other_bands_and_leaves_nothing_behind(service: Service) -> None:
    field, now = service.field, service.field.ms(days=1, hours=12)
    await field.write(service.store, METERS, field.ms(), now)

    def new_hours(text: str) -> str:
        start = text.index("  electricity:\n    bands:\n") + len("  electricity:\n    bands:\n")
        end = text.index("    prices:", start)
        entry = text[start:end].rstrip("\n")
        peak = '{days: daily, start: "01:07", end: "05:00"}'
        added = f"\n      - {{from: 2026-10-06, source: new, peak: [{peak}], off_peak: []}}\n"
        return text[:start] + entry + added + text[end:]

    await service.cycle(now)
    entered_at = field.ms(days=1)
    changed = await changed_by(service, new_hours, now)
    electric = {"em-brewery-filling", "em-brewery", "em-pharma-hvac", "em-pharma"}
    assert changed.keys() == electric
    assert all(min(starts) >= entered_at for starts in changed.values())
    for database in (OPERATOR_DATABASE, tenant_database(field.park.id, "brewery")):
        rows = [row for row in await usage_rows(service.store, database) if row["meter"] == "em-brewery"]
        bands = {row["band"] for row in rows if row["time"] >= entered_at * NS_PER_MS}
        assert bands == {"peak", "normal"}
        edge = [row for row in rows if row["time"] == (entered_at + 4 * QUARTER_MS) * NS_PER_MS]
        assert {row["band"] for row in edge} == {"peak", "normal"}


async def test_a_new_budget_is_shared_out_over_the_days_and_compared_with_the_cost(service: Service) -> None:
    field, now = service.field, service.field.ms(days=1, hours=12)
    await field.write(service.store, METERS, field.ms(), now)
    await service.cycle(now)

    def doubled(text: str) -> str:
        before = '{from: 2026-01-01, value: 5000000000.0, source: "[invented] budget of 2026"}'
        return text.replace(before, f"{before}\n      - {{from: 2026-10-06, value: 10000000000.0, source: more}}")

    entered(field, doubled)
    await service.cycle(now + 600_000)  # months are not computed with every cycle
    for database in (OPERATOR_DATABASE, tenant_database(field.park.id, "brewery")):
        rows = await service.store.query(
            'SELECT "period", "budget_vnd", "budget_share", "cost_vnd" FROM "efficiency" WHERE "tenant" = \'brewery\'',
            database,
        )
        days = [row for row in rows if row["period"] == "day"]
        (month,) = (row for row in rows if row["period"] == "month")
        assert [row["budget_vnd"] for row in days] == pytest.approx([5e9 / 31, 10e9 / 31 / 2])
        assert all(row["budget_share"] == pytest.approx(row["cost_vnd"] / row["budget_vnd"]) for row in days)
        since = sum(row["budget_vnd"] for row in days)
        assert month["budget_share"] == pytest.approx(month["cost_vnd"] / since), "of the days that have a cost"
        assert month["budget_vnd"] == pytest.approx(4 * 5e9 / 31 + sum(row["budget_vnd"] for row in days))


async def test_a_tenants_database_has_its_meters_and_no_other(service: Service) -> None:
    field, now = service.field, service.field.ms(hours=8)
    await field.write(service.store, METERS, field.ms(), now)
    await service.cycle(now)
    rows = await usage_rows(service.store, tenant_database(field.park.id, "brewery"))
    assert {row["tenant"] for row in rows} == {"brewery"}
    assert rows == [row for row in await usage_rows(service.store) if row["tenant"] == "brewery"]
    figures = await service.store.query('SELECT * FROM "efficiency"', tenant_database(field.park.id, "brewery"))
    assert {row["period"] for row in figures} == {"day", "month", "year"}
    assert all(row["steam_t"] > 0 for row in figures)
    await MeterStatus(service.store).write(field.park, now)
    status = await service.store.query('SELECT * FROM "meter_status"', tenant_database(field.park.id, "brewery"))
    assert {row["meter"] for row in status} == {each.meter.id for each in field.park.points_of_tenant("brewery")}
    assert {row["meter"] for row in status if row["heard"]} == {row["meter"] for row in rows}


async def test_the_running_hour_is_read_once_for_all_meters(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as readings come regularly, no meter needs a separate query."""
    field, now = service.field, service.field.ms(days=1)
    await field.write(service.store, METERS, field.ms(), now, late=False)
    await service.cycle(now)
    asked: list[int] = []
    load = RegisterReader.load

    async def counted(self: RegisterReader, meters: Sequence[Meter], span: Span, now_ms: int) -> Registers:
        asked.append(len(meters))
        return await load(self, meters, span, now_ms)

    monkeypatch.setattr(RegisterReader, "load", counted)
    await field.write(service.store, METERS, now, now + 5 * 60_000, late=False)
    await service.cycle(now + 5 * 60_000)
    assert len(asked) == len({meter.utility for meter in field.park.meters})
    assert sum(asked) == len(field.park.meters)

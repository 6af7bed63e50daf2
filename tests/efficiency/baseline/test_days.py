"""What baselines expect of each day: correct, independent of the order of data and versions, deleted with them."""

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from efficiency.baseline.days import with_band
from efficiency.baseline.file import file_of, freeze
from efficiency.baseline.fitting import Wanted, fit_period
from efficiency.baseline.frozen import faults
from efficiency.baseline.model import Baseline, Subject
from efficiency.baseline.watch import BaselineWatch
from efficiency.baseline.weather import NO_WEATHER, WeatherSeries
from efficiency.indicators.figure import Figure
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import waiting
from efficiency.service.park import ParkUsage
from efficiency.stored.fields import Fields
from efficiency.usage.intervals import HOUR_MS
from efficiency.valuation.valued import ValueReason
from ingest.arrivals import ArrivalSource, Extent, Trace
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility
from store.answers import Row
from store.client import Store
from store.schema import BASELINE, EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE, tenant_database
from tests.efficiency.baseline.test_baseline import draft
from tests.efficiency.baseline.test_baseline import fitted as sample_fit
from tests.efficiency.smallpark import METERS, PARK, at, day, made_on, used, write_days

TEXTILE = Subject(tenant="textile", utility=Utility.ELECTRICITY)
PUMP = Subject(meter="em-pump", utility=Utility.ELECTRICITY)
DERIVED = ("usage", "usage_cursor", "usage_basis", "efficiency", "park_efficiency", "balance", "baseline")


async def computed(
    store: Store, park: Park, now: int, baselines: Sequence[Baseline] = (), weather: WeatherSeries = NO_WEATHER
) -> ParkUsage:
    """The usage service right after its start."""
    usage = ParkUsage(store, park)
    usage.baselines, usage.weather = baselines, weather
    await usage.begin(now)
    await usage.cycle(now)
    return usage


async def fitted(
    store: Store, park: Park, last: int, *, subject: Subject = TEXTILE, driver: str = "output", version: int = 1
) -> Baseline:
    found = await fit_period(store, park, Wanted(subject, [driver], day(0), day(last)))
    assert found.fit.offered
    name = f"{subject.tenant or subject.meter}-kwh"
    return found.draft(name, "test", day(last + 1)).model_copy(update={"version": version})


async def rows(store: Store, measurement: str, where: str = "", database: str = OPERATOR_DATABASE) -> list[Row]:
    found = await store.query(f'SELECT * FROM "{measurement}"{where}', database)
    return sorted(found, key=lambda row: (row["time"], row.get("baseline") or "", row.get("tenant") or ""))


def number_of(row: Row, park: Park) -> int:
    ms: int = row["time"] // NS_PER_MS
    return (ms - at(park, 0)) // (24 * HOUR_MS)


async def test_each_whole_day_has_what_was_expected_saved_and_summed(store: Store, park: Park) -> None:
    await write_days(store, park, range(30))
    now = at(park, 30, 5)
    await computed(store, park, now)
    baseline = await fitted(store, park, 19)
    slope, base = baseline.fit.drivers[0].slope, baseline.fit.intercept
    assert slope == pytest.approx(3, rel=0.03)
    await computed(store, park, now, [baseline])
    found = await rows(store, BASELINE)
    assert [number_of(row, park) for row in found] == list(range(20, 30)), "whole days, from the day it holds"
    cusum = 0.0
    for row in found:
        number = number_of(row, park)
        cusum += row["saving"]
        assert row["expected"] == pytest.approx(base + slope * made_on(number))
        assert row["actual"] == pytest.approx(used("em-textile", number))
        assert row["saving"] == pytest.approx(row["expected"] - row["actual"])
        assert row["enpi"] == pytest.approx(row["actual"] / row["expected"])
        assert row["cusum"] == pytest.approx(cusum)
        assert (row["version"], row["out_of_range"]) == (1, 0)
        assert (row["tenant"], row["utility"], row["baseline"]) == ("textile", "electricity", "textile-kwh")
    assert found[-1]["cusum"] < -50, "from the 25th day on it used 4 % more"
    assert await rows(store, BASELINE, database=tenant_database(park.id, "textile")) == found
    days = await rows(store, EFFICIENCY, " WHERE \"tenant\" = 'textile' AND \"period\" = 'day'")
    shown = {number_of(row, park): row for row in days if row["cusum_kwh"] is not None}
    assert {number: row["cusum_kwh"] for number, row in shown.items()} == {
        number_of(row, park): row["cusum"] for row in found
    }
    november = [row for row in found if number_of(row, park) >= 12]
    months = await rows(store, EFFICIENCY, " WHERE \"tenant\" = 'textile' AND \"period\" = 'month'")
    assert "enpi" not in {name for name, value in months[0].items() if value is not None}
    assert months[1]["saving_kwh"] == pytest.approx(sum(row["saving"] for row in november))
    assert months[1]["expected_kwh"] == pytest.approx(sum(row["expected"] for row in november))
    assert months[1]["enpi"] == pytest.approx(
        sum(row["actual"] for row in november) / sum(row["expected"] for row in november)
    )
    assert months[1]["cusum_kwh"] == found[-1]["cusum"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_in_whatever_order_days_and_versions_come_it_is_as_if_from_scratch(
    store: Store, park: Park, seed: int
) -> None:
    chance = random.Random(seed)
    trace = Trace("ingest-1")
    late = chance.sample(range(21, 27), 3)
    await write_days(store, park, range(20))
    usage = await computed(store, park, at(park, 20, 1))
    first = await fitted(store, park, 17)
    second = first.model_copy(update={"version": 2, "holds_from": day(23), "fit": first.fit.model_copy()})
    for number in range(20, 29):
        if number == 20 + chance.randrange(3):
            usage.baselines = [first]
        if number not in late:
            await write_days(store, park, [number])
        await usage.cycle(at(park, number + 1, chance.choice((0.02, 3.0))))
    now = at(park, 29, 5)
    usage.baselines = [first, second]
    for number in chance.sample(late, len(late)):
        await write_days(store, park, [number])
        times = Extent(at(park, number), at(park, number + 1))
        await store.write(
            trace.lines({ArrivalSource(park.id, meter): times for meter in METERS}, now), OPERATOR_DATABASE
        )
        await usage.cycle(now)
        now += 60_000
    along = [await rows(store, name) for name in (BASELINE, EFFICIENCY)]
    assert [number_of(row, park) for row in along[0]] == list(range(18, 29))
    for measurement in DERIVED:
        await store.query(f'DROP MEASUREMENT "{measurement}"', OPERATOR_DATABASE)
    await computed(store, park, now, [first, second])
    assert [await rows(store, name) for name in (BASELINE, EFFICIENCY)] == along
    restarted = next(row for row in along[0] if row["version"] == 2)
    assert number_of(restarted, park) == 23
    assert restarted["cusum"] == restarted["saving"], "a new version sums anew"


async def test_a_day_that_is_not_wholly_known_has_no_saving(store: Store, park: Park) -> None:
    await write_days(store, park, range(20))
    # The counter falls within a day: what was used in between is not known.
    await write_days(store, park, range(20, 24), more={"pm-textile": -2000.0})
    now = at(park, 24, 1)
    await computed(store, park, now)
    baseline = (await fitted(store, park, 17)).model_copy(update={"holds_from": day(16)})
    await computed(store, park, now, [baseline])
    found = [number_of(row, park) for row in await rows(store, BASELINE)]
    assert len(found) < 8
    assert {16, 17, 18, 22, 23} <= set(found)
    saved = {number_of(row, park): row["cusum"] for row in await rows(store, BASELINE)}
    savings = {number_of(row, park): row["saving"] for row in await rows(store, BASELINE)}
    assert saved[23] == pytest.approx(sum(savings.values()))


async def test_a_meter_of_the_parks_own_is_explained_by_another_meter(store: Store, park: Park) -> None:
    await write_days(store, park, range(24))
    now = at(park, 24, 1)
    await computed(store, park, now)
    baseline = await fitted(store, park, 17, subject=PUMP, driver="wm-textile")
    assert baseline.fit.drivers[0].unit == "m³"
    before = await rows(store, EFFICIENCY)
    await computed(store, park, now, [baseline])
    found = await rows(store, BASELINE)
    assert {(row["meter"], row.get("tenant")) for row in found} == {("em-pump", None)}
    assert [number_of(row, park) for row in found] == list(range(18, 24))
    assert await rows(store, EFFICIENCY) == before, "it is no tenant's efficiency"


async def test_a_driver_outside_what_the_fit_has_seen_is_marked(store: Store, park: Park) -> None:
    await write_days(store, park, range(24))
    now = at(park, 24, 1)
    await computed(store, park, now)
    baseline = await fitted(store, park, 17)
    narrow = baseline.fit.drivers[0].model_copy(update={"high": 200.0})
    seen = baseline.fit.model_copy(update={"drivers": (narrow,)})
    await computed(store, park, now, [baseline.model_copy(update={"fit": seen})])
    marked = {number_of(row, park) for row in await rows(store, BASELINE, ' WHERE "out_of_range" = 1')}
    assert marked == {number for number in range(18, 24) if made_on(number) > 200}


async def test_a_baseline_that_is_gone_takes_its_figures_along_and_comes_back_whole(store: Store, park: Park) -> None:
    await write_days(store, park, range(24))
    now = at(park, 24, 1)
    await computed(store, park, now)
    baseline = await fitted(store, park, 17)
    await computed(store, park, now, [baseline])
    found, shown = await rows(store, BASELINE), await rows(store, EFFICIENCY)
    assert len(found) == 6
    await computed(store, park, now, [])
    assert await rows(store, BASELINE) == []
    assert await rows(store, BASELINE, database=tenant_database(park.id, "textile")) == []
    assert not any(row.get("cusum_kwh") for row in await rows(store, EFFICIENCY))
    await computed(store, park, now, [baseline])
    assert await rows(store, BASELINE) == found
    assert await rows(store, EFFICIENCY) == shown


async def test_a_file_that_cannot_be_used_changes_nothing(store: Store, park: Park, tmp_path: Path) -> None:
    await write_days(store, park, range(24))
    now = at(park, 24, 1)
    await computed(store, park, now)
    baseline = await fitted(store, park, 17)
    await computed(store, park, now, [baseline])
    broken = tmp_path / "park.baselines.json"
    broken.write_text('{"baselines": [{"id": "textile-kwh"', encoding="utf-8")
    seen = BaselineWatch().look(tmp_path / "park.yaml")
    assert seen.baselines is None
    assert seen.fault is not None
    assert str(broken) in seen.fault
    usage = ParkUsage(store, park)  # restarted, and never read a file without faults
    usage.baselines = seen.baselines
    await usage.begin(now)
    await write_days(store, park, [24])
    await usage.cycle(at(park, 25, 1))
    assert [number_of(row, park) for row in await rows(store, BASELINE)] == list(range(18, 25))


async def test_a_baseline_is_in_the_months_of_the_cycle_that_took_it_in(
    store: Store, park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months are computed only now and then, but whoever freezes a baseline wants to see its effect."""
    monkeypatch.setattr("efficiency.service.park._MONTHS_EVERY_MS", 10**9)
    await write_days(store, park, range(24))
    now = at(park, 24, 1)
    usage = await computed(store, park, now)
    usage.baselines = [await fitted(store, park, 17)]
    await usage.cycle(now + 1000)
    months = await rows(store, EFFICIENCY, " WHERE \"tenant\" = 'textile' AND \"period\" = 'month'")
    assert [row["saving_kwh"] is not None for row in months] == [False, True]
    assert not await waiting(store, park, ReportPeriod(2026, 11))
    await write_days(store, park, [24])
    await usage.cycle(at(park, 25, 1))
    assert await waiting(store, park, ReportPeriod(2026, 11)), "its figures are older than its use"
    assert not await waiting(store, park, ReportPeriod(2026, 10)), "nothing of an older month waits"


async def test_when_its_tenant_is_gone_the_past_stays_and_a_warning_is_logged(
    store: Store, park: Park, tmp_path: Path
) -> None:
    await write_days(store, park, range(24))
    now = at(park, 24, 1)
    usage = await computed(store, park, now)
    baseline = await fitted(store, park, 17)
    usage.baselines = [baseline]
    await usage.cycle(now)
    found = await rows(store, BASELINE)
    bare = PARK.replace("  - {id: textile,", "  - {id: other,").replace("tenant: textile", "tenant: other")
    (tmp_path / "park.yaml").write_text(bare, encoding="utf-8")
    without = load_park(tmp_path / "park.yaml")
    file = tmp_path / "park.yaml"
    assert faults(file, park, [baseline], day(24)) == []
    (fault,) = faults(file, without, [baseline], day(24))
    assert f"{file_of(file)}: textile-kwh: version 1: demo has no tenant textile; it has idle, other" in fault
    usage.park = without
    await usage.cycle(now)
    assert await rows(store, BASELINE) == found
    usage.park = park
    await usage.cycle(now)
    assert await rows(store, BASELINE) == found


async def test_the_baseline_of_a_meter_is_that_of_who_had_it_and_ends_where_somebody_else_has_it(
    store: Store, park: Park, tmp_path: Path
) -> None:
    await write_days(store, park, range(26))
    now = at(park, 26, 1)
    usage = await computed(store, park, now)
    of_meter = Subject(meter="em-textile", utility=Utility.ELECTRICITY)
    baseline = await fitted(store, park, 17, subject=of_meter)
    usage.baselines = [baseline]
    await usage.cycle(now)
    before = await rows(store, BASELINE)
    assert {row["tenant"] for row in before} == {"textile"}
    assert [number_of(row, park) for row in before] == list(range(18, 26))

    noon = f"{day(22)}T12:00:00+07:00"
    owners = f"belongs: [{{tenant: textile}}, {{from: '{noon}', tenant: idle}}]"
    moved = PARK.replace("vi: Điện}, tenant: textile,", f"vi: Điện}}, {owners},")
    assert moved != PARK
    (tmp_path / "park.yaml").write_text(moved, encoding="utf-8")
    usage.park = load_park(tmp_path / "park.yaml")
    await usage.cycle(now + 60_000)
    after = await rows(store, BASELINE)
    assert after == [row for row in before if number_of(row, park) < 22]
    assert await rows(store, BASELINE, database=tenant_database(park.id, "textile")) == after
    assert await rows(store, BASELINE, database=tenant_database(park.id, "idle")) == []

    second = baseline.model_copy(update={"version": 2, "period_to": day(24), "holds_from": day(24)})
    assert second.subject == of_meter
    usage.baselines = [baseline, second]
    await usage.cycle(now + 120_000)
    latest = await rows(store, BASELINE)
    assert [row for row in latest if row["version"] == 1] == after
    assert [row for row in latest if row["version"] == 2] == [], "the new tenant makes nothing: no driver, no version"
    told = faults(tmp_path / "park.yaml", usage.park, [baseline, second], day(26))
    assert "version 2: tenant idle has no meter of production" in told[0]


def test_a_watch_takes_in_what_is_frozen(tmp_path: Path) -> None:
    watch, park_file = BaselineWatch(), tmp_path / "park.yaml"
    assert watch.look(park_file).baselines == ()
    frozen = freeze(tmp_path / "park.baselines.json", draft("x", sample_fit(), date(2026, 1, 1)))
    assert watch.look(park_file).baselines == (frozen,)
    (tmp_path / "park.baselines.json").write_text("{", encoding="utf-8")
    broken = watch.look(park_file)
    assert broken.baselines == (frozen,), "the last sound ones stay"
    assert broken.fault is not None


def test_a_year_is_judged_by_the_band_of_its_days_not_of_its_months() -> None:
    days: dict[int, Fields] = {
        number: {"version": 1.0, "spread": 10.0, "fitted": 60.0, "lever_1": 0.01} for number in range(360)
    }
    year = {"saving_kwh": Figure(700.0, "kWh", reasons=ValueReason.NOT_SIGNIFICANT)}
    found = with_band(year, days)
    band = 10 * np.sqrt(360 + 360**2 / 60 + 3.6**2)
    assert found["saving_band_kwh"].value == pytest.approx(band)
    assert found["saving_kwh"].reasons == 0
    assert with_band({"saving_kwh": Figure(-1.0, "kWh")}, days)["saving_kwh"].reasons == ValueReason.NOT_SIGNIFICANT
    assert with_band(year, {}) == year

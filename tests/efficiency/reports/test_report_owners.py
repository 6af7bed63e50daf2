"""Reports of a month in which owners change: each shows only the time of its owner, and sums agree."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from efficiency.reports.contents import TenantReport, park_report, tenant_report
from efficiency.reports.periods import ReportPeriod
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS
from ingest.arrivals import ArrivalSource, Extent, Trace
from metering.park import Park
from metering.quantities import Utility
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from tests.efficiency.service.test_edits import BEGIN, DAYS, NOW, begun, raw_park, written

SEPTEMBER, OCTOBER = ReportPeriod(2026, 9), ReportPeriod(2026, 10)
MADE_ON = date(2026, 9, 24)
FIRST = date(2026, 9, 21)
"""The day that begins at `BEGIN`."""
MOVED = BEGIN + 10 * HOUR_MS + 2 * QUARTER_MS
AT = "2026-09-21T10:30:00+07:00"
KW = {"e-main": 100.0, "e-1": 40.0, "e-2": 12.0, "e-3": 20.0}
CONTRACT = [{"from": "2020-01-01", "value": 0.1, "source": "invented"}]
GRID = [{"from": "2020-01-01", "value": 0.5, "source": "invented"}]


def moved(folder: Path) -> Park:
    """The hall e-1 is the weaver's, then the brewer's; e-2 is the smith's, and gets e-3 above it."""
    raw: dict[str, Any] = raw_park()
    raw["meters"] = [meter for meter in raw["meters"] if meter["id"] in KW]
    of = {meter["id"]: meter for meter in raw["meters"]}
    for name in ("e-1", "e-2", "e-3"):
        for key in ("tenant", "parent"):
            of[name].pop(key, None)
    of["e-1"]["belongs"] = [
        {"tenant": "weaver", "parent": "e-main"},
        {"from": AT, "tenant": "brewer", "parent": "e-main"},
    ]
    of["e-2"]["belongs"] = [
        {"tenant": "smith", "parent": "e-main"},
        {"from": AT, "tenant": "smith", "parent": "e-3"},
    ]
    of["e-3"] |= {"belongs": [{"tenant": "smith", "role": "main", "parent": "e-main"}], "from": AT}
    of["e-main"] |= {"role": "main"}
    raw["tenants"][0]["contract"]["co2e_kg_per_kwh"] = CONTRACT
    raw["factors"]["scope2"] = {"electricity": GRID}
    return written(folder / "park.yaml", raw)


async def stored(store: Store, folder: Path) -> Park:
    park = moved(folder)
    for name, power in KW.items():
        first = MOVED if name == "e-3" else BEGIN
        lines = [
            f"electricity,park={park.id},meter={name} energy_kwh={power * (ms - BEGIN) / HOUR_MS!r} {ms * NS_PER_MS}"
            for ms in range(first, NOW + 1, QUARTER_MS)
        ]
        await store.write(lines, OPERATOR_DATABASE)
    usage = await begun(store, park, NOW)
    await usage.cycle(NOW)
    return park


async def of(store: Store, park: Park, tenant: str, period: ReportPeriod = SEPTEMBER) -> TenantReport:
    return await tenant_report(store, park, park.tenant[tenant], period, MADE_ON)


HOURS = {
    "weaver": {(FIRST, hour): 40.0 for hour in range(10)},
    "brewer": {
        (FIRST + timedelta(days=day), hour): 40.0 for day in range(DAYS) for hour in range(24) if (day, hour) > (0, 10)
    },
    "smith": {
        (FIRST + timedelta(days=day), hour): 12.0 if (day, hour) < (0, 10) else 16.0 if (day, hour) == (0, 10) else 20.0
        for day in range(DAYS)
        for hour in range(24)
    },
}


@pytest.mark.parametrize("tenant", HOURS)
async def test_a_report_shows_what_was_the_tenants_while_it_was(tenant: str, store: Store, tmp_path: Path) -> None:
    park = await stored(store, tmp_path)
    report = await of(store, park, tenant)
    assert report.load == pytest.approx(HOURS[tenant])
    used = report.entries["electricity_kwh"].now.value
    assert used == pytest.approx({"weaver": 420.0, "brewer": 40 * 37.5, "smith": 12 * 10.5 + 20 * 37.5}[tenant])
    shown = [value for column in report.bands.values() for value in column if value is not None]
    assert sum(shown) == pytest.approx(used)
    cost = report.entries["cost_vnd"].now.value
    assert (report.costs[Utility.ELECTRICITY], sum(report.band_costs.values())) == pytest.approx((cost, cost))
    for each in report.quality:
        days = each.columns[FIRST.day - 1 :]
        assert max(days) == pytest.approx(1)
        assert {round(share, 9) for share in days} <= {0.0, 1.0}, "of the time in which it was the tenant's"


async def test_a_tenant_that_had_nothing_in_a_period_is_not_in_its_report(store: Store, tmp_path: Path) -> None:
    park = await stored(store, tmp_path)
    whole = await park_report(store, park, SEPTEMBER, MADE_ON)
    assert [firm.id for firm in whole.present] == ["weaver", "brewer", "smith"]
    assert [firm.id for firm in (await park_report(store, park, OCTOBER, date(2026, 10, 5))).present] == [
        "brewer",
        "smith",
    ]
    (balance,) = [each for each in whole.mains if each.main.id == "e-main"]
    taken = {branch.meter.id: branch.amount for branch in balance.branches}
    assert taken == pytest.approx({"e-1": 40.0 * 48, "e-2": 12.0 * 10.5, "e-3": 20.0 * 37.5})
    assert not (await of(store, park, "weaver", OCTOBER)).load


async def test_a_tenant_that_left_buys_nothing_under_its_contract(store: Store, tmp_path: Path) -> None:
    park = await stored(store, tmp_path)
    year = await park_report(store, park, ReportPeriod(2026), MADE_ON)
    bought = {
        (row.subject.id if row.subject else "", row.basis, row.standing): row.amount
        for row in year.inventory
        if row.scope == 2
    }
    assert bought["weaver", "market", "own_contract"] == pytest.approx(420.0)
    assert bought["", "market", "own_contract"] == pytest.approx(420.0)
    assert sum(value for (who, basis, _), value in bought.items() if (who, basis) == ("", "market")) == pytest.approx(
        100.0 * 48
    )


async def test_a_report_says_so_while_its_month_waits_to_be_computed_again(store: Store, tmp_path: Path) -> None:
    park = await stored(store, tmp_path)
    usage = await begun(store, park, NOW)
    await usage.cycle(NOW)
    assert not (await of(store, park, "weaver")).waiting
    at = BEGIN + 5 * HOUR_MS
    line = f"electricity,park={park.id},meter=e-1 energy_kwh=201.0 {at * NS_PER_MS}"
    trace = Trace("ingest-1").lines({ArrivalSource(park.id, "e-1"): Extent(at, at)}, NOW)
    await store.write([line, *trace], OPERATOR_DATABASE)
    await usage.cycle(NOW + 1000)  # too early for months
    assert (await of(store, park, "weaver")).waiting
    assert not (await of(store, park, "weaver", ReportPeriod(2026, 8))).waiting
    await usage.cycle(NOW + HOUR_MS)
    assert not (await of(store, park, "weaver")).waiting

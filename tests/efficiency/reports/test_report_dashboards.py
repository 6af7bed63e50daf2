"""A figure of a report is the one that the dashboards show: both read it as it is stored."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from dashboards.filling import EVERYTHING, Choice, as_sent
from dashboards.pages import account, ranking, tenant
from dashboards.panels import Page, Panel, PanelKind
from dashboards.setting import Setting
from dashboards.words import EDGE_PARTS
from efficiency.reports.contents import ParkReport, park_report
from efficiency.reports.entries import quantity
from efficiency.reports.pages import park_page
from metering.figures import FIGURES
from metering.instants import midnight_ms
from metering.words import Language
from store.answers import Row
from store.client import Store
from store.schema import BALANCE, OPERATOR_DATABASE
from tests.efficiency.reports.conftest import MADE_ON, MONTH, Reports

STORED = re.compile(r'SELECT "(?P<name>\w+)"(?: / (?P<divide>\d+))? AS .*"period" = \'month\'')


def setting_of(reports: Reports) -> Setting:
    return Setting((reports.park,), day=MONTH.last)


async def report_of(reports: Reports, store: Store) -> ParkReport:
    return await park_report(store, reports.park, MONTH, MADE_ON)


def panels(page: Page) -> Iterator[Panel]:
    return (panel for row in page.rows for panel in row.panels)


async def answers(reports: Reports, store: Store, panel: Panel, query: str, who: str = EVERYTHING) -> list[Row]:
    """What a panel gets in the last second of the month."""
    end = datetime.fromtimestamp(midnight_ms(MONTH.until, reports.park.zone) / 1000 - 1, reports.park.zone)
    choices = [
        Choice("park", reports.park.id),
        Choice("tenant", (who,) if who == EVERYTHING else who, ".*"),
        Choice("period", "month"),
    ]
    sent = as_sent(query, panel, choices, end - timedelta(days=1), end, reports.park.zone)
    return await store.query(sent, OPERATOR_DATABASE)


async def test_the_ranking_shows_the_figures_of_the_report(reports: Reports) -> None:
    compared = set()
    async with Store(reports.url) as store:
        report = await report_of(reports, store)
        for panel in panels(ranking.page(setting_of(reports))):
            for target in panel.targets if panel.newest else ():
                for row in await answers(reports, store, panel, target.query):
                    entries = report.tenants[row.get("tenant") or row["id"]]
                    for name in row.keys() & FIGURES.keys():
                        assert row[name] == entries[name].now.value, (panel.title.en, name)
                        compared |= {name} if row[name] is not None else set()
    assert len(compared) >= 12


async def test_a_tenants_page_shows_the_figures_of_its_report(reports: Reports) -> None:
    compared = set()
    async with Store(reports.url) as store:
        report = await report_of(reports, store)
        figures = {name: entry.now for name, entry in report.tenants["textile"].items()}
        stored = {name: each.value for name, each in figures.items()}
        stored |= {f"{name}_completeness": each.completeness for name, each in figures.items()}
        for panel in panels(tenant.page(setting_of(reports))):
            for found, query in ((STORED.match(target.query), target.query) for target in panel.targets):
                if found is not None and found["name"] in stored:
                    rows = await answers(reports, store, panel, query, "textile")
                    value = stored[found["name"]]
                    shown = [row[found["name"]] * float(found["divide"] or 1) for row in rows]
                    assert shown[-1:] == ([] if value is None else [pytest.approx(value, rel=1e-12)]), found["name"]
                    compared.add(found["name"])
    assert {"cost_vnd", "payable_vnd", "budget_share", "budget_share_completeness"} <= compared


async def test_the_parks_own_account_shows_the_four_numbers_of_the_report(reports: Reports) -> None:
    async with Store(reports.url) as store:
        report = await report_of(reports, store)
        page = account.page(setting_of(reports))
        (panel,) = (each for each in panels(page) if BALANCE in each.targets[0].query and each.kind is PanelKind.TABLE)
        rows = await answers(reports, store, panel, panel.targets[0].query)
    figures = {utility.value: each for utility, each in report.edges.items()}
    compared = [(row[name], figures[row["utility"]][name].value) for row in rows for name in EDGE_PARTS if name in row]
    assert len(compared) >= 2 * len(figures) > 0
    assert all(shown == stored for shown, stored in compared)


async def test_the_comparison_of_tenants_prints_the_stored_completeness(reports: Reports) -> None:
    async with Store(reports.url) as store:
        report = await report_of(reports, store)
    page = park_page(report, Language.EN, [], formulas=False)
    table = page[page.index(FIGURES["electricity_kwh"].label.en) :]
    for each in report.present:
        entry = report.tenants[each.id]["completeness"]
        printed = quantity(FIGURES["completeness"], entry.now, Language.EN).number
        assert re.search(rf"{re.escape(each.name.en)}.*?{re.escape(printed)}", table, re.DOTALL)

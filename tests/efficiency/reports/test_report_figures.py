"""A report says what is stored; a figure without a value has a reason; what is entered is checked."""

import csv
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from efficiency.baseline.model import CUSUM_CONVENTION
from efficiency.indicators.balance import LOSS, LOSS_SHARE
from efficiency.indicators.figure import Figure, absent, fields_of, figure, figures_in
from efficiency.indicators.park import edge_points
from efficiency.reports.contents import park_report, tenant_report
from efficiency.reports.forms import EnteredField, read_entered, rows
from efficiency.reports.pages import park_page, tenant_page
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import DayUse, LoadHour, costs
from efficiency.reports.sources import holding
from efficiency.reports.words import TEXTS
from efficiency.reports.write import ReportOrder, write_park_report, write_tenant_report
from efficiency.usage.quality import Rule
from efficiency.valuation.valued import REASON_TEXT, ValueReason
from metering.errors import OperatorError
from metering.instants import midnight_ms
from metering.park import Park
from metering.parkfile import load_park
from metering.quantities import Utility
from metering.words import Language
from store.client import Store
from store.lines import point, series
from store.schema import EFFICIENCY, NS_PER_MS, OPERATOR_DATABASE
from tests.efficiency.reports.conftest import EXAMPLE, MADE_ON, MONTH, YEAR, Reports
from tests.efficiency.reports.plausible import ESTIMATED, HOLE, SILENT

DAYS = MONTH.days


@pytest.fixture(scope="session")
def park() -> Park:
    return load_park(EXAMPLE)


def month_point(park: Park, tenant: str, month: date, **figures: Figure) -> str:
    head = series(EFFICIENCY, {"park": park.id, "tenant": tenant, "period": "month"})
    return point(head, fields_of(figures), midnight_ms(month, park.zone) * NS_PER_MS)


async def test_every_figure_of_a_report_is_the_stored_one(reports: Reports) -> None:
    """Of month and year, of all tenants: value, completeness, estimated share and reasons."""
    for period, tag in ((MONTH, "month"), (YEAR, "year")):
        async with Store(reports.url) as store:
            report = await park_report(store, reports.park, period, MADE_ON)
            for tenant, entries in report.tenants.items():
                (row,) = await store.query(
                    f'SELECT * FROM "{EFFICIENCY}" WHERE "tenant" = \'{tenant}\' AND "period" = \'{tag}\' '
                    f"AND time = {midnight_ms(period.first, reports.park.zone) * NS_PER_MS}",
                    OPERATOR_DATABASE,
                )
                stored = figures_in(row, units={name: entry.now.unit for name, entry in entries.items()})
                assert {name: entry.now for name, entry in entries.items()} == {name: stored[name] for name in entries}
                assert sum(entry.now.value is not None for entry in entries.values()) > 30


async def test_figures_are_those_of_the_store_with_worth_and_revision(reports: Reports) -> None:
    async with Store(reports.url) as store:
        report = await tenant_report(store, reports.park, reports.park.tenant["textile"], MONTH, MADE_ON)
    electricity, water = report.entries["electricity_kwh"], report.entries["water_m3"]
    assert electricity.now.value == pytest.approx(900_000 * (1 + 0.05 * 10 % 3))
    assert electricity.now.completeness == 1
    assert electricity.revised == date(2026, 10, 23)
    assert water.now.completeness == pytest.approx(1 - 0.5 / len(DAYS), abs=1e-9)
    assert report.entries["wastewater_m3"].now.estimated == pytest.approx(1 / len(DAYS))
    assert report.entries["water_per_output"].now.completeness == water.now.completeness
    assert not report.running
    silent = next(row for row in report.quality if row.meter.id == SILENT)
    assert silent.whole.completeness == 0
    hole = next(row for row in report.quality if row.meter.id == HOLE[0])
    assert hole.columns[HOLE[1] - 1] == pytest.approx(0.5)
    touched = {each.rule: (each.count, [meter.id for meter in each.meters]) for each in report.touched}
    assert touched == {
        Rule.GAP_SHAPED: (96, [ESTIMATED[0]]),
        Rule.STUCK: (96, [ESTIMATED[0]]),
        Rule.BOUND: (48, [HOLE[0]]),
    }


async def test_bands_of_a_day_add_up_to_the_load_of_its_hours(reports: Reports) -> None:
    async with Store(reports.url) as store:
        report = await tenant_report(store, reports.park, reports.park.tenant["textile"], MONTH, MADE_ON)
    for number, day in enumerate(DAYS):
        by_band = sum(columns[number] or 0.0 for columns in report.bands.values())
        assert by_band == pytest.approx(sum(report.load[LoadHour(day, hour)] for hour in range(24)))
    assert sum(report.band_costs.values()) == pytest.approx(report.costs[Utility.ELECTRICITY])


async def test_a_park_counts_at_its_edge_and_its_four_numbers_add_up(reports: Reports) -> None:
    async with Store(reports.url) as store:
        report = await park_report(store, reports.park, MONTH, MADE_ON)
    edge = edge_points(reports.park, Utility.ELECTRICITY, MONTH.span(reports.park))
    assert [point.meter.id for point in edge] == ["em-grid"]
    for figures in report.edges.values():
        incoming, *rest = (figures[name].value for name in ("incoming", "tenants", "own", "loss"))
        assert incoming == pytest.approx(sum(value or 0.0 for value in rest))
    assert report.intakes[Utility.ELECTRICITY].now == report.edges[Utility.ELECTRICITY]["incoming"]
    water = next(one for one in report.mains if one.main.id == "wm-main")
    assert water.figures[LOSS].completeness == pytest.approx(1 - 1 / len(DAYS))
    assert water.figures[LOSS].reasons == ValueReason.PARTLY
    assert water.figures[LOSS_SHARE].value == pytest.approx(0.06 / 1.06)
    page = reports.text("park-month", Language.EN)
    assert "What came into the park, and where it went" in page


def test_a_month_without_data_has_no_value_and_says_so(reports: Reports) -> None:
    for language in Language:
        page = reports.text("empty", language)
        assert language.say(REASON_TEXT[ValueReason.NO_DATA]) in page
        assert "NaN" not in page
        assert "None" not in page


async def test_a_figure_without_a_value_says_why_and_one_of_little_data_that_it_is_indicative(
    store: Store, park: Park
) -> None:
    tenant = park.tenant["textile"]
    line = month_point(
        park,
        tenant.id,
        MONTH.first,
        electricity_kwh=Figure(1000.0, "kWh", 0.9, reasons=ValueReason.INDICATIVE),
        output=Figure(0.0, "t"),
        electricity_per_output=absent("kWh/t", ValueReason.ZERO_DENOMINATOR),
    )
    await store.write([line], OPERATOR_DATABASE)
    report = await tenant_report(store, park, tenant, MONTH, MADE_ON)
    assert report.entries["output"].now.value == 0
    assert report.entries["enpi"].now.reasons == ValueReason.NOT_COMPUTED, "nothing is said of what was never computed"
    page = tenant_page(report, Language.VI)
    assert "mẫu số bằng không" in page
    assert "tham khảo · 90,0% số liệu" in page
    assert "chưa có đường cơ sở" not in page


async def test_a_baseline_is_summed_over_its_days_and_says_when_to_doubt_it(reports: Reports) -> None:
    async with Store(reports.url) as store:
        report = await tenant_report(store, reports.park, reports.park.tenant["textile"], MONTH, MADE_ON)
    whole, of_meter = report.baselines
    days = [report.daily[day] for day in DAYS]
    assert whole.meter is None
    assert of_meter.meter == reports.park.points_of_tenant("textile")[0].meter.id
    for name in ("expected_kwh", "saving_kwh"):
        assert whole.figures[name].value == pytest.approx(sum(day[name].value or 0.0 for day in days))
    used = sum(day["electricity_kwh"].value or 0.0 for day in days)
    assert whole.figures["enpi"].value == pytest.approx(used / (whole.figures["expected_kwh"].value or 1.0))
    assert whole.figures["cusum_kwh"].value == pytest.approx(days[-1]["cusum_kwh"].value)
    assert (whole.days, whole.outside, whole.versions) == (len(DAYS), 1, (1, 2))
    assert report.entries["saving_kwh"].change is None, "savings have either sign"
    for language in Language:
        page = reports.text("tenant-month", language)
        assert language.say(TEXTS["version"]).format(n="1, 2") in page
        assert language.say(TEXTS["days_outside"]).format(n=1) in page
        assert language.say(CUSUM_CONVENTION) in page


async def test_a_tenant_without_a_baseline_reads_how_to_get_one(store: Store, park: Park) -> None:
    tenant = park.tenant["textile"]
    none = absent("1", ValueReason.NO_BASELINE)
    await store.write(
        [month_point(park, tenant.id, MONTH.first, electricity_kwh=Figure(1000.0, "kWh"), enpi=none, cusum_kwh=none)],
        OPERATOR_DATABASE,
    )
    report = await tenant_report(store, park, tenant, MONTH, MADE_ON)
    assert "chưa có đường cơ sở" in tenant_page(report, Language.VI)
    assert "ecopark baseline fit textile --from NGÀY" in tenant_page(report, Language.VI)
    assert "ecopark baseline fit textile --from DAY" in tenant_page(report, Language.EN)
    whole = await park_report(store, park, MONTH, MADE_ON)
    assert "ecopark baseline fit TENANT --from DAY" in park_page(whole, Language.EN)
    assert "ecopark baseline fit" not in tenant_page(
        await tenant_report(store, park, tenant, MONTH.before, MADE_ON), Language.EN
    ), "without data there is nothing to fit"


async def test_a_saving_is_written_with_its_uncertainty_and_whether_it_is_significant(store: Store, park: Park) -> None:
    saving = Figure(4490.0, "kWh", reasons=ValueReason.NOT_SIGNIFICANT)
    figures = {"saving_kwh": saving, "saving_band_kwh": Figure(5200.0, "kWh"), "expected_kwh": Figure(9e4, "kWh")}
    head = series(EFFICIENCY, {"park": park.id, "tenant": "textile", "period": "year"})
    await store.write(
        [point(head, fields_of(figures), midnight_ms(YEAR.first, park.zone) * NS_PER_MS)], OPERATOR_DATABASE
    )
    report = await park_report(store, park, YEAR, MADE_ON)
    row = next(row for row in rows(report, {}) if row.field.code == "recp_electricity_saved_kwh")
    assert row.status == "computed"
    page = park_page(report, Language.EN, rows(report, {}))
    assert "4,490 ± 5,200" in page
    assert "computed (not significant" in page
    tenant = await tenant_report(store, park, park.tenant["textile"], YEAR, MADE_ON)
    assert "4,490 ± 5,200" in tenant_page(tenant, Language.EN)


async def test_nothing_at_all_makes_a_page_of_reasons(store: Store, park: Park) -> None:
    report = await park_report(store, park, YEAR, MADE_ON)
    assert report.empty
    for language in Language:
        assert language.say(REASON_TEXT[ValueReason.NOT_COMPUTED]) in park_page(report, language)


async def test_a_change_is_shown_between_whole_periods_only(store: Store, park: Park) -> None:
    now, before = MONTH.first, MONTH.before.first
    for tenant, completeness in (("textile", 0.99), ("seafood", 0.5)):
        await store.write(
            [
                month_point(park, tenant, now, electricity_kwh=Figure(110.0, "kWh")),
                month_point(park, tenant, before, electricity_kwh=figure(100.0, "kWh", completeness)),
            ],
            OPERATOR_DATABASE,
        )
    report = await park_report(store, park, MONTH, MADE_ON)
    assert report.tenants["textile"]["electricity_kwh"].change == pytest.approx(0.1)
    assert report.tenants["seafood"]["electricity_kwh"].change is None


def test_use_without_a_price_has_no_cost_rather_than_too_little(park: Park) -> None:
    def day(**cost: float) -> DayUse:
        return DayUse({"all": 5.0}, cost, None, None, 1.0, 0.0, 96, None)

    water = park.meter["wm-textile"]
    assert costs({water.id: {DAYS[0]: day(all=10.0), DAYS[1]: day(all=20.0)}}) == {"all": 30.0}
    assert costs({water.id: {DAYS[0]: day(all=10.0), DAYS[1]: day()}}) == {}


def test_periods_follow_each_other_without_a_gap() -> None:
    months = [ReportPeriod(2026, month) for month in range(1, 13)]
    assert all(earlier.until == later.first for earlier, later in pairwise(months))
    assert all(later.before == earlier for earlier, later in pairwise(months))
    assert months[0].before == ReportPeriod(2025, 12)
    assert len(YEAR.days) == 365


@pytest.mark.parametrize(
    ("month", "year"), [(None, None), ("2026-10", 2026), ("2026-13", None), ("10/2026", None), (None, 1)]
)
def test_an_invalid_period_is_explained(month: str | None, year: int | None) -> None:
    with pytest.raises(OperatorError):
        ReportPeriod.parse(month, year)


def test_the_month_of_the_change_shows_the_tariff_hours_of_both_decisions(park: Park) -> None:
    assert park.tariffs.electricity is not None
    bands = park.tariffs.electricity.bands
    assert [len(holding(bands, ReportPeriod(2026, month))) for month in (3, 4, 5)] == [1, 2, 1]


def test_forms_are_exported_with_what_is_measured_entered_and_open(reports: Reports) -> None:
    with (reports.folder / "park-year-vi-forms.csv").open(encoding="utf-8-sig", newline="") as file:
        cells_of = {(row[0], row[1], row[2]): row for row in csv.reader(file)}
    name = "Khu công nghiệp sinh thái Sông Xanh"
    textile = "Công ty TNHH Dệt nhuộm Thanh Giang"
    assert cells_of["A.4", name, "land_green_pct"][4:] == ["12.5", "", "%", "", "do đơn vị khai", ""]
    assert cells_of["A.5", name, "ghg_programme"][4] == "có"
    assert cells_of["A.5", name, "symbioses"][8] == "cần điền"
    assert cells_of["B.4", textile, "product"][4] == "'=1+1"
    assert float(cells_of["B.4", textile, "electricity_kwh"][4]) > 1e6
    assert cells_of["B.5", textile, "recp_share_pct"][4] == "40.0"
    book = load_workbook(reports.folder / "park-year-en-forms.xlsx")
    assert book.sheetnames == ["A.4", "A.5", "EIP", "B.4", "B.5"]
    cells = {(row[1], row[2]): row for row in book["B.4"].iter_rows(values_only=True)}
    row = cells["Thanh Giang Dyeing and Finishing Co., Ltd.", "electricity_kwh"]
    assert isinstance(row[4], int | float)
    assert row[8] == "measured"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A.6: {}", "A.6: one of the forms"),
        ("EIP: {waste_t: 1}", "EIP: in the park file, under entered_indicators"),
        ("A.4: {land_green: 1}", "A.4/land_green: one of the fields"),
        ("A.4:\n  land_green_pct: many", "2: A.4/land_green_pct: a number"),
        ("A.5: {climate_plan: 1}", "A.5/climate_plan: true or false"),
        ("B.4: {nobody: {}}", "B.4/nobody: a tenant of the park file"),
        ("B.5: {textile: 40}", "B.5/textile: a mapping of fields"),
        ("A.4: .nan", "A.4: a mapping of fields"),
        ("- 1", "a mapping of the forms"),
        ("a: [", "is not YAML"),
    ],
)
def test_faults_of_the_entered_values_name_file_and_key(tmp_path: Path, park: Park, text: str, told: str) -> None:
    file = tmp_path / "entered.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError) as error:
        read_entered(file, park)
    assert str(file) in str(error.value)
    assert told in str(error.value)


async def test_what_is_measured_may_not_be_entered(reports: Reports, tmp_path: Path) -> None:
    entered = {EnteredField("B.4", "textile", "electricity_kwh"): 1.0}
    async with Store(reports.url) as store:
        order = ReportOrder(YEAR, Language.EN, tmp_path / "x.html", MADE_ON)
        with pytest.raises(OperatorError, match="textile/electricity_kwh: is measured"):
            await write_park_report(store, reports.park, order, entered)


def test_the_grid_factor_is_shown_with_its_status_wherever_it_is_used(reports: Reports) -> None:
    for language in Language:
        for kind in ("tenant-month", "tenant-year", "park-month", "park-year"):
            page = reports.text(kind, language)
            said = f"{language.exact(0.6592)} kg CO₂e/kWh ({language.say(TEXTS['official'])})"
            assert said in page, f"{kind} {language.value}"


async def test_a_page_says_that_its_figures_are_still_to_be_computed_again(reports: Reports) -> None:
    park, language = reports.park, Language.VI
    said = language.say(TEXTS["waiting"])
    async with Store(reports.url) as store:
        textile = await tenant_report(store, park, park.tenant["textile"], MONTH, MADE_ON)
        whole = await park_report(store, park, MONTH, MADE_ON)
    assert not textile.waiting
    assert said not in tenant_page(textile, language)
    assert said in tenant_page(replace(textile, waiting=True), language)
    assert said in park_page(replace(whole, waiting=True), language)


async def test_a_report_is_written_as_pdf_but_not_in_an_unknown_format(reports: Reports) -> None:
    out = reports.folder / "tenant.PDF"
    async with Store(reports.url) as store:
        textile = reports.park.tenant["textile"]
        await write_tenant_report(store, reports.park, textile, ReportOrder(MONTH, Language.VI, out, MADE_ON))
        order = ReportOrder(MONTH, Language.VI, out.with_suffix(".doc"), MADE_ON)
        with pytest.raises(OperatorError, match="a report is written as"):
            await write_tenant_report(store, reports.park, textile, order)
    content = out.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 20_000


def test_possible_matches_are_listed_with_their_uncertainty(reports: Reports) -> None:
    page = reports.text("park-year", Language.EN)
    assert "Industrial symbiosis: possible matches" in page
    assert "151,000 kWh" in page
    assert "80.0% of the demand, 50.0% of the surplus" in page
    assert "180,000 kWh with a day&#39;s storage" in page
    assert "197,780,000 ₫" in page
    assert "from stated figures, not measured · 356 m apart in a straight line" in page
    assert "the distance is not known" in page
    assert "Wet grain for mixed feed" in page
    assert page.count("no value: no data in this period") >= 1
    assert "Cộng sinh công nghiệp: các liên kết có thể" in reports.text("park-year", Language.VI)
    assert "các liên kết có thể" not in reports.text("empty-park", Language.VI)


def test_the_inventory_names_every_factor_and_adds_up(reports: Reports) -> None:
    with (reports.folder / "park-year-en-inventory.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    assert all(row["Source, as the park file gives it"] and row["Standing"] for row in rows)
    park = [row for row in rows if row["Of"] == "Song Xanh Eco-Industrial Park"]
    lpg = next(row for row in park if row["Figure"] == "LPG")
    assert float(lpg["t CO₂e"]) == pytest.approx(3.9 * 47.3 * (63.1 + 0.001 * 28 + 0.0001 * 265) / 1000)
    assert float(next(row for row in park if row["Figure"] == "Wood chips")["biogenic CO₂, kg"]) == 128 * 15.6 * 112
    gas = next(row for row in park if row["Figure"] == "Natural gas")
    assert (gas["Scope"], gas["Basis"], gas["Standing"]) == ("1", "", "default of the IPCC")
    assert gas["Source, as the park file gives it"].endswith("without climate feedbacks")
    burnt = [float(gas[name]) for name in ("CO₂, kg", "CH₄, kg", "N₂O, kg", "biogenic CO₂, kg")]
    gj = float(gas["Value"]) * 0.036
    assert gj > 0
    assert burnt == pytest.approx([gj * 56.1, gj * 0.001, gj * 0.0001, 0.0])
    assert float(gas["t CO₂e"]) == pytest.approx((burnt[0] + 28 * burnt[1] + 265 * burnt[2]) / 1000)
    bought = {basis: [row for row in park if row["Basis"] == basis] for basis in ("location-based", "market-based")}
    assert sum(float(row["Value"]) for row in bought["market-based"]) == pytest.approx(
        sum(float(row["Value"]) for row in bought["location-based"])
    )
    assert [float(row["kg CO₂e per unit"]) for row in bought["market-based"]] == [0.0, 0.6592]
    sheet = load_workbook(reports.folder / "park-year-vi-inventory.xlsx")["Kiểm kê"]
    assert sheet.max_row == len(rows) + 1


def test_the_yearly_thresholds_are_shown_with_a_forecast(reports: Reports) -> None:
    page = reports.text("park-year", Language.EN)
    assert "Yearly lines of energy and emissions" in page
    assert "1,000 TOE" in page
    assert "3,000 t CO₂e" in page
    assert "<b>reached</b>" in page
    assert "Yearly lines" not in reports.text("park-month", Language.EN)


def test_the_park_s_indicators_say_where_they_come_from_and_what_the_target_is(reports: Reports) -> None:
    with (reports.folder / "park-year-en-forms.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Code"]: row for row in csv.DictReader(file) if row["Form"] == "EIP"}
    assert rows["reuse_pct"]["Value"] == "12.5"
    assert rows["reuse_pct"]["Status"].startswith("computed")
    assert rows["reuse_pct"]["Target"] == "15 %: not reached"
    assert rows["solar_pct"]["Target"] == "5 %: reached"
    assert rows["electricity_mwh"]["Status"].startswith("measured")
    assert (rows["waste_t"]["Value"], rows["waste_t"]["Status"]) == ("2480.0", "entered")
    assert rows["hazardous_t"]["Status"] == "missing (nothing is entered for this period yet)"
    assert float(rows["co2e_t_per_ha"]["Value"]) == pytest.approx(1.0 / 185)
    assert "target 15 %: not reached" in reports.text("park-year", Language.EN)

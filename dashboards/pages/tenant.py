"""One tenant: what do we use, what does it cost, when, and are we better than our own baseline?

The operator sees it with a choice of tenants; a tenant sees the same page over its own database, with no choice at all.
"""

from dataclasses import replace
from typing import Unpack

from dashboards.influxql import InfluxQL
from dashboards.pages.baselines import baselines
from dashboards.pages.closed import closed_months
from dashboards.pages.tenantfigures import budget, figures, year_end
from dashboards.panels import (
    DAILY,
    ENERGY,
    MONEY,
    POWER,
    SHARE,
    Column,
    Draw,
    Page,
    Panel,
    PanelOptions,
    PanelRow,
    Sort,
    ThresholdStep,
    Words,
    amount_unit,
)
from dashboards.queries import BILLING, NEWEST_ROWS, PageScope, figure, of, per_day, rates, summed
from dashboards.setting import Setting
from dashboards.tiles import (
    BANDS,
    BAR_METER,
    BY_UTILITY,
    EVENT_COLUMN,
    METER_COLUMN,
    MONTH,
    NO_BASELINE,
    ONE_TENANT,
    PARK_CHOICE,
    SETTLED,
    TIME_COLUMN,
    WHOLE_DAYS_30,
    daily,
    marks,
    ranking,
    table,
    trend,
)
from dashboards.words import EVENT, NONE, PLAIN
from metering.figures import ELECTRICITY, Period, called
from metering.model import Localized
from metering.quantities import Utility, figure_of
from metering.words import BAD, COLOUR, GOOD, UTILITY, text
from store.schema import EVENTS, USAGE

E = Utility.ELECTRICITY
_OTHERS = (
    Utility.WATER,
    Utility.WASTEWATER,
    Utility.STEAM,
    Utility.NATURAL_GAS,
    Utility.COMPRESSED_AIR,
    Utility.CHILLED_WATER,
)


_QUESTION = text(
    "What does this tenant use, what does it cost, when, and is it better than its own baseline?",
    "Doanh nghiệp sử dụng những gì, chi phí bao nhiêu, vào lúc nào, và có tốt hơn đường cơ sở của chính mình không?",
)
_OWN_QUESTION = text(
    "What do we use, what does it cost, when, and are we better than our own baseline?",
    "Chúng tôi sử dụng những gì, chi phí bao nhiêu, vào lúc nào, và có tốt hơn đường cơ sở của chính mình không?",
)


def page(setting: Setting) -> Page:
    """The page as the operator sees it, with a choice of tenants."""
    return _page(setting, PageScope(), "tenant", own=False)


def own_page(setting: Setting) -> Page:
    """The page as the tenant sees it, in an organization and over a database of its own."""
    return _page(setting, PageScope(park=False, tenant=False), "own", own=True)


def _page(setting: Setting, scope: PageScope, name: str, *, own: bool) -> Page:
    month = PageScope(scope.park, scope.tenant, Period.MONTH)
    links = not own
    return Page(
        name,
        text("Our resources", "Tài nguyên của chúng tôi") if own else text("Tenant", "Doanh nghiệp"),
        _OWN_QUESTION if own else _QUESTION,
        (
            PanelRow(figures(scope, month, setting)),
            PanelRow((_power(scope, setting), _month(month))),
            PanelRow((_days(scope, setting), _cost(scope, setting))),
            PanelRow((_spent(scope, setting), budget(month))),
            PanelRow(year_end(scope, setting)),
            PanelRow((_meters(scope, links=links), _enpi(scope), _savings(scope))),
            PanelRow((baselines(scope, 61),)),
            PanelRow(
                tuple(
                    _other(scope, utility, number, zone=setting.timezone)
                    for number, utility in enumerate(_OTHERS, start=50)
                ),
                text("Other utilities", "Các tiện ích khác"),
            ),
            PanelRow((closed_months(scope, 62),)),
            PanelRow((_events(scope, links=links),)),
        ),
        () if own else (PARK_CHOICE, ONE_TENANT),
        marks=marks(scope),
        tag="ecopark-own" if own else "ecopark",
    )


def _power(scope: PageScope, setting: Setting) -> Panel:
    return trend(
        3,
        text("Power", "Công suất"),
        text(
            "Mean power at the tenant's intake, from quarter-hour use.",
            "Công suất trung bình tại công tơ tổng, từ tiêu thụ 15 phút.",
        ),
        POWER,
        *rates(scope, E, zone=setting.timezone, alias="power"),
        shift=SETTLED,
        columns=(Column("power", text("Power", "Công suất")),),
        draw=Draw.AREA,
        colour=COLOUR[E],
        width=16,
    )


def _month(month: PageScope) -> Panel:
    return trend(
        4,
        text("Electricity by month", "Điện theo tháng"),
        text(
            "Each month's use and what the baseline expects (dashed), which counts whole days with all data only.",
            "Tiêu thụ từng tháng so với mức theo đường cơ sở (nét đứt); mức này chỉ tính những ngày trọn vẹn, đủ số liệu.",
        ),
        ENERGY,
        figure(month, ELECTRICITY, alias="used"),
        figure(month, "expected_kwh", alias="expected", ref="B"),
        columns=(
            Column("used", called(ELECTRICITY), colour=COLOUR[E]),
            Column("expected", called("expected_kwh"), colour=PLAIN, dashed=True),
        ),
        window="13M",
        step="1d",
        draw=Draw.BARS,
        width=8,
    )


def _days(scope: PageScope, setting: Setting) -> Panel:
    return daily(
        5,
        text("Electricity by day and band", "Điện theo ngày và khung giờ"),
        text(
            "kWh of each day in peak, normal and off-peak hours.",
            "kWh mỗi ngày trong giờ cao điểm, bình thường, thấp điểm.",
        ),
        ENERGY,
        per_day(scope, "amount", "band", utility=E, zone=setting.timezone),
        columns=BANDS,
        window=WHOLE_DAYS_30,
    )


def _cost(scope: PageScope, setting: Setting) -> Panel:
    inner = scope.where(BILLING)
    statement = (
        f'SELECT sum("cost_vnd") / 1000000 FROM "{USAGE}" {inner} '
        f"GROUP BY time(1d), \"utility\" fill(none) tz('{setting.timezone}')"
    )
    return daily(
        6,
        text("Cost by day and utility", "Chi phí theo ngày và tiện ích"),
        text(
            "All utilities at their dated prices, before surcharge and VAT.",
            "Tất cả các tiện ích theo đơn giá từng thời kỳ, trước thuế và tiền công suất phản kháng.",
        ),
        MONEY,
        InfluxQL(statement, "$tag_utility"),
        columns=BY_UTILITY,
        window=WHOLE_DAYS_30,
    )


def _spent(scope: PageScope, setting: Setting) -> Panel:
    def added_up(name: str, ref: str) -> InfluxQL:
        return summed(scope, name, zone=setting.timezone, divide=1e6, alias=name, ref=ref, running=True)

    return trend(
        56,
        text("Cost of the month against budget", "Chi phí lũy kế tháng so với ngân sách"),
        text(
            "Cost from the first of the month to the end of each day, and what the budget allows by then (dashed). The "
            "budget of a month is spread evenly over its days.",
            "Chi phí cộng dồn từ đầu tháng đến hết mỗi ngày, bên cạnh mức ngân sách cho phép đến lúc đó (nét đứt). Ngân sách "
            "tháng được chia đều cho các ngày.",
        ),
        MONEY,
        added_up("cost_vnd", "A"),
        added_up("budget_vnd", "B"),
        columns=(
            Column("cost_vnd", called("cost_vnd"), colour=COLOUR[E]),
            Column("budget_vnd", called("budget_vnd"), colour=PLAIN, dashed=True),
        ),
        window=MONTH,
        step="1d",
        width=16,
    )


def _meters(scope: PageScope, *, links: bool) -> Panel:
    where = scope.where(of(E), '"role" =~ /^(billing|sub)$/')
    return ranking(
        7,
        text("Electricity by meter", "Điện theo công tơ"),
        text("Intake and sub-meters, month to date.", "Công tơ tổng và công tơ nhánh, lũy kế từ đầu tháng."),
        unit=ENERGY,
        question=InfluxQL(f'SELECT sum("amount") AS "kwh" FROM "{USAGE}" {where} GROUP BY "meter"'),
        name="kwh",
        of_meters=True,
        window=MONTH,
        colour=COLOUR[E],
        link=BAR_METER if links else None,
    )


def _enpi(scope: PageScope) -> Panel:
    return _against_baseline(
        8,
        "enpi",
        text("Each day's use over what the baseline expects.", "Tiêu thụ từng ngày chia cho mức theo đường cơ sở."),
        SHARE,
        scope,
        steps=(ThresholdStep(None, GOOD), ThresholdStep(1.0, BAD)),
        lines=True,
    )


def _savings(scope: PageScope) -> Panel:
    return _against_baseline(
        9,
        "cusum_kwh",
        text(
            "Running sum of expected minus actual since the baseline took effect; positive is saving.",
            "Tổng lũy kế của (tiêu thụ theo đường cơ sở trừ thực tế) từ khi đường cơ sở có hiệu lực; dương là tiết kiệm.",
        ),
        ENERGY,
        scope,
        zero=True,
    )


def _against_baseline(
    number: int, name: str, about: Localized, unit: Words, scope: PageScope, **more: Unpack[PanelOptions]
) -> Panel:
    """A figure of whole days that a baseline is behind."""
    options: PanelOptions = {
        "columns": (Column(name, called(name)),),
        "nothing": NO_BASELINE,
        "least": DAILY,
        "window": "90d",
        "step": "1d",
        "low": None,
        "width": 8,
        "height": 12,
        "colour": COLOUR[E],
        **more,
    }
    return trend(number, called(name), about, unit, figure(scope, name, alias=name), **options)


def _other(scope: PageScope, utility: Utility, number: int, *, zone: str) -> Panel:
    name = UTILITY[utility]
    return daily(
        number,
        name,
        text(f"{name.en} of each day.", f"{name.vi} theo từng ngày."),
        amount_unit(utility),
        summed(scope, figure_of(utility), zone=zone, alias=utility.value),
        columns=(Column(utility.value, name),),
        nothing=text("not used", "không sử dụng"),
        window="30d",
        colour=COLOUR[utility],
        width=8,
        height=7,
        event_free=True,
    )


def _events(scope: PageScope, *, links: bool) -> Panel:
    return table(
        60,
        text("Events", "Sự kiện"),
        text(
            "What happened to meters and tariffs in the last 90 days.",
            "Những gì xảy ra với đồng hồ và biểu giá trong 90 ngày gần đây.",
        ),
        "none",
        InfluxQL(
            f'SELECT "kind", "meter", "text_en", "text_vi" FROM "{EVENTS}" {scope.where()} {NEWEST_ROWS}', form="table"
        ),
        columns=(
            TIME_COLUMN,
            Column("kind", text("Event", "Sự kiện"), mapped=EVENT, width=220),
            METER_COLUMN if links else replace(METER_COLUMN, link=None),
            EVENT_COLUMN,
        ),
        window="90d",
        nothing=NONE,
        sort=Sort("Time"),
        height=8,
        event_free=True,
    )

"""Park overview: is everything all right now, and who uses what?"""

from dashboards.heatmap import VALUE
from dashboards.influxql import InfluxQL
from dashboards.panels import (
    ENERGY,
    MONEY,
    POWER,
    SEPARATED,
    SHARE,
    Column,
    Draw,
    Page,
    Panel,
    PanelKind,
    PanelRow,
    Sort,
    amount_unit,
)
from dashboards.queries import BILLING, QUARTERS_PER_HOUR, PageScope, edge, figure, newest, of, rates, total
from dashboards.setting import Setting
from dashboards.tiles import (
    AGAINST_BUDGET,
    AGAINST_CONTRACT,
    CHOICES,
    COMPLETE,
    MONTH,
    SERIES_TENANT,
    SETTLED,
    TENANT_COLUMN,
    TODAY,
    daily,
    freshness,
    marks,
    ranking,
    reporting,
    stat,
    table,
    trend,
    used_a_week_ago,
    used_today,
)
from dashboards.words import EDGE_PARTS
from metering.figures import ELECTRICITY, WASTEWATER, WATER, Period, called
from metering.quantities import Utility
from metering.words import COLOUR, UTILITY, text
from store.schema import USAGE

E, W = Utility.ELECTRICITY, Utility.WATER


def page(setting: Setting) -> Page:
    """The first page of an operator."""
    scope, month = PageScope(), PageScope(period=Period.MONTH)
    return Page(
        "overview",
        text("Park overview", "Tổng quan khu công nghiệp"),
        text(
            "Is everything all right now, and who uses what?",
            "Hiện tại mọi thứ có bình thường không, và ai đang sử dụng những gì?",
        ),
        (
            PanelRow(_tiles(scope)),
            PanelRow((_park(),)),
            PanelRow((_alerts(),)),
            PanelRow((_power(scope, setting), _peaks(month))),
            PanelRow(tuple(_utility_today(scope, number, utility) for number, utility in enumerate(_OTHERS, start=30))),
            PanelRow((_days(scope, setting), _cost(scope, setting))),
            PanelRow((_hours(scope),)),
            PanelRow((_tenants(month),)),
        ),
        CHOICES,
        marks=marks(PageScope(tenant=False)),
    )


def _tiles(scope: PageScope) -> tuple[Panel, ...]:
    quarter = (
        f'SELECT sum("amount") * {QUARTERS_PER_HOUR} AS "kw" FROM "{USAGE}" '
        f"{scope.where(of(E), BILLING)} GROUP BY time(15m) fill(none)"
    )
    return (
        freshness(scope),
        reporting(scope),
        stat(
            10,
            text("Power now", "Công suất hiện tại"),
            text(
                "Mean power of all tenants in the highest quarter hour of the last 45 minutes.",
                "Công suất trung bình của các doanh nghiệp trong 15 phút cao nhất của 45 phút gần đây.",
            ),
            POWER,
            InfluxQL(quarter, alias="kW"),
            window="45m",
            calc="max",
            colour=COLOUR[E],
            sparkline=True,
        ),
        used_today(
            11, text("Used by the tenants since midnight.", "Lượng điện các doanh nghiệp tiêu thụ từ 0 giờ."), scope
        ),
        used_a_week_ago(
            12,
            text(
                "Electricity of the same weekday a week ago, up to the same time.",
                "Lượng điện của cùng thứ trong tuần trước, tính đến cùng thời điểm.",
            ),
            scope,
        ),
        stat(
            13,
            text("Water today", "Nước cấp trong ngày"),
            text("Used by the tenants since midnight.", "Lượng nước các doanh nghiệp tiêu thụ từ 0 giờ."),
            "suffix:m³",
            total(scope, "amount", utility=W, alias="m³"),
            window=TODAY,
            decimals=0,
            colour=COLOUR[W],
        ),
    )


def _hours(scope: PageScope) -> Panel:
    inner = (
        f'SELECT mean("amount") * {QUARTERS_PER_HOUR} AS "rate" FROM "{USAGE}" '
        f'{scope.where(of(E), BILLING)} GROUP BY time(1h), "meter"'
    )
    statement = f'SELECT sum("rate") AS "{VALUE}" FROM ({inner}) WHERE $timeFilter GROUP BY time(1h) fill(none)'
    return Panel(
        id=23,
        kind=PanelKind.HOURS,
        title=text("Power (kW) by hour and weekday", "Công suất (kW) theo giờ và thứ"),
        about=text(
            "Mean power of the chosen tenants in each hour of the week, in the park's time. A warm colour when nobody "
            "is working is load that could be switched off.",
            "Công suất trung bình của các doanh nghiệp đã chọn theo từng giờ trong tuần, theo giờ của khu. Ô màu nóng vào lúc không "
            "sản xuất là tải có thể cắt.",
        ),
        unit=SEPARATED,  # with a unit, a number of a large park is wider than its cell
        targets=(InfluxQL(statement, form="table"),),
        width=24,
        height=9,
        low=None,
        decimals=0,
        window="28d",
    )


def _park() -> Panel:
    return table(
        25,
        text("The park's electricity this month", "Điện toàn khu trong tháng"),
        text(
            "Intake at the main meters = tenants + own use + losses, of the month's days that could be computed; as in the "
            "park's report.",
            "Lượng qua công tơ tổng = doanh nghiệp + khu tự dùng + tổn thất, của các ngày tính được trong tháng; như trong báo "
            "cáo của khu.",
        ),
        ENERGY,
        edge(*EDGE_PARTS, period=Period.MONTH, also=(of(E),)),
        columns=tuple(Column(name, words, ENERGY) for name, words in EDGE_PARTS.items()),
        window=MONTH,
        nothing=text("no whole day in this month yet", "trong tháng chưa có ngày nào trọn vẹn"),
        height=4,
    )


def _alerts() -> Panel:
    return Panel(
        id=24,
        kind=PanelKind.ALERTS,
        title=text("Open alerts", "Cảnh báo đang mở"),
        about=text(
            "Alerts that fire or are about to, the most important first. Empty is good.",
            "Các cảnh báo đang kích hoạt hoặc sắp kích hoạt, quan trọng nhất ở trên. Trống là tốt.",
        ),
        unit="none",
        targets=(),
        width=24,
        height=5,
    )


def _power(scope: PageScope, setting: Setting) -> Panel:
    return trend(
        3,
        text("Power by tenant", "Công suất theo doanh nghiệp"),
        text(
            "Mean power of each tenant, from quarter-hour use; stacked, so the top edge is the whole park.",
            "Công suất trung bình của từng doanh nghiệp tính từ tiêu thụ 15 phút; xếp chồng, đường trên cùng là toàn khu.",
        ),
        POWER,
        *rates(scope, E, "tenant", zone=setting.timezone),
        shift=SETTLED,
        draw=Draw.AREA,
        width=16,
        height=12,
        link=SERIES_TENANT,
    )


def _peaks(month: PageScope) -> Panel:
    return ranking(
        4,
        text("Peak of the month against contract", "Công suất cực đại tháng so với đăng ký"),
        text(
            "Highest 30-minute demand of this month over the contract demand, the highest on top; the colour changes at "
            "80, 90 and 100 %. Tenants whose contract states no demand are left out.",
            "Công suất 30 phút cao nhất trong tháng so với công suất đăng ký, cao nhất ở trên; đổi màu ở 80, 90 và 100%. "
            "Không gồm doanh nghiệp có hợp đồng chưa ghi công suất đăng ký.",
        ),
        unit=SHARE,
        question=newest(month, "demand_share"),
        name="demand_share",
        steps=AGAINST_CONTRACT,
        low=0.0,
        high=1.0,
        decimals=1,
        window=MONTH,
        height=12,
    )


_OTHERS = (
    Utility.WASTEWATER,
    Utility.STEAM,
    Utility.NATURAL_GAS,
    Utility.COMPRESSED_AIR,
    Utility.CHILLED_WATER,
)


_WIDTHS = {Utility.WASTEWATER: 4, Utility.STEAM: 4, Utility.NATURAL_GAS: 6}
"""By the length of their names."""


def _utility_today(scope: PageScope, number: int, utility: Utility) -> Panel:
    name = UTILITY[utility]
    return stat(
        number,
        text(f"{name.en} today", f"{name.vi} trong ngày"),
        text(
            f"{name.en} of all chosen tenants since midnight.",
            f"{name.vi} của các doanh nghiệp đã chọn, tính từ 0 giờ.",
        ),
        amount_unit(utility),
        total(scope, "amount", utility=utility, alias="today"),
        window=TODAY,
        colour=COLOUR[utility],
        width=_WIDTHS.get(utility, 5),
    )


def _days(scope: PageScope, setting: Setting) -> Panel:
    return daily(
        20,
        text("Electricity by day", "Điện theo ngày"),
        text("Use of each day, stacked by tenant.", "Tiêu thụ của từng ngày, xếp chồng theo doanh nghiệp."),
        ENERGY,
        figure(scope, ELECTRICITY),
        window="30d",
        link=SERIES_TENANT,
    )


def _cost(scope: PageScope, setting: Setting) -> Panel:
    return daily(
        21,
        text("Cost by day", "Chi phí theo ngày"),
        text(
            "All utilities at the dated tariffs of the park file, before surcharge and VAT.",
            "Tất cả các tiện ích theo biểu giá từng thời kỳ trong hồ sơ khu, trước thuế và tiền công suất phản kháng.",
        ),
        MONEY,
        figure(scope, "cost_vnd", divide=1e6),
        window="30d",
        link=SERIES_TENANT,
    )


def _tenants(month: PageScope) -> Panel:
    return table(
        22,
        text("Tenants this month", "Các doanh nghiệp trong tháng"),
        text(
            "Month to date. Completeness under 95 % makes a figure indicative. Click a tenant to open its page.",
            "Lũy kế từ đầu tháng. Mức độ đầy đủ dưới 95% thì số liệu chỉ để tham khảo. Bấm vào tên để mở trang doanh nghiệp.",
        ),
        "none",
        newest(
            month,
            ELECTRICITY,
            WATER,
            WASTEWATER,
            "cost_vnd",
            "budget_share",
            "peak_demand_kw",
            "power_factor",
            "electricity_per_output",
            "completeness",
            divide={"cost_vnd": 1e6},
        ),
        columns=(
            TENANT_COLUMN,
            Column(ELECTRICITY, called(ELECTRICITY), ENERGY, bar=True, colour=COLOUR[E], width=130),
            Column(WATER, called(WATER), "suffix:m³", decimals=0, bar=True, colour=COLOUR[W], width=130),
            Column(WASTEWATER, called(WASTEWATER), "suffix:m³", decimals=0, width=100),
            Column("cost_vnd", called("cost_vnd"), MONEY, decimals=0, width=120),
            Column("budget_share", called("budget_share"), SHARE, decimals=1, steps=AGAINST_BUDGET, width=100),
            Column("peak_demand_kw", called("peak_demand_kw"), POWER, width=100),
            Column("power_factor", called("power_factor"), "none", decimals=3, width=90),
            Column(
                "electricity_per_output",
                called("electricity_per_output"),
                text("suffix:kWh/unit", "suffix:kWh/đơn vị"),
                decimals=1,
                width=135,
            ),
            Column("completeness", called("completeness"), SHARE, decimals=1, steps=COMPLETE),
        ),
        window=MONTH,
        sort=Sort(ELECTRICITY),
        height=13,
    )

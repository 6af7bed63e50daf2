"""The numbers at the head of a tenant's page."""

from dashboards.panels import ENERGY, MONEY, POWER, SEPARATED, SHARE, Column, Panel, ThresholdStep
from dashboards.queries import WHOLE_DAYS, PageScope, figure
from dashboards.setting import Setting
from dashboards.tiles import (
    AGAINST_BASELINE,
    AGAINST_BUDGET,
    AGAINST_CONTRACT,
    COMPLETE,
    MONTH,
    NO_BASELINE,
    freshness,
    reporting,
    stat,
    used_a_week_ago,
    used_today,
    with_factor,
)
from metering.figures import Period, called, completeness_field
from metering.model import Localized
from metering.quantities import Utility
from metering.words import BAD, COLOUR, GOOD, WARN, text

E = Utility.ELECTRICITY


def budget(month: PageScope) -> Panel:
    """Cost of this month against its budget so far."""
    return stat(
        57,
        text("Month against budget", "Chi phí tháng so với ngân sách"),
        text(
            "Cost of the month to date, divided by the part of the budget due by now; over 100 % is over budget. The budget is "
            "set in the park file.",
            "Chi phí lũy kế tháng chia cho phần ngân sách tính đến hiện tại; trên 100% là vượt. Ngân sách khai báo trong hồ sơ "
            "khu.",
        ),
        SHARE,
        figure(month, "budget_share", alias="share"),
        figure(month, "cost_vnd", divide=1e6, alias="cost", ref="B"),
        figure(month, "budget_vnd", divide=1e6, alias="budget", ref="C"),
        figure(month, completeness_field("budget_share"), alias="data", ref="D"),
        columns=(
            Column("share", called("budget_share"), SHARE, decimals=1, steps=AGAINST_BUDGET),
            Column("cost", called("cost_vnd"), MONEY),
            Column("budget", called("budget_vnd"), MONEY),
            OF_DATA,
        ),
        nothing=text("no budget", "chưa có ngân sách"),
        window=MONTH,
        width=8,
        height=8,
    )


def year_end(scope: PageScope, setting: Setting) -> tuple[Panel, ...]:
    """The forecast of the year (F34), in emissions and in energy."""
    year = PageScope(scope.park, scope.tenant, Period.YEAR)
    return (
        _forecast(
            63,
            text("Emissions of this year, t CO₂e", "Phát thải cả năm, tấn CO₂e"),
            with_factor(_LIKELY, setting),
            ("co2e_forecast_kg", "co2e_forecast_low_kg", "co2e_forecast_high_kg", "co2e_entered_kg"),
            divide=1000,
            year=year,
        ),
        _forecast(
            64,
            text("Energy of this year, TOE", "Năng lượng cả năm, TOE"),
            _LIKELY,
            ("toe_forecast", "toe_forecast_low", "toe_forecast_high", "toe_entered"),
            divide=1,
            year=year,
        ),
    )


_LIKELY = text(
    "The whole year if it continues like this, with the fuels entered in the park file; the range is that of its months.",
    "Dự báo cả năm nếu tiếp tục như hiện nay, gồm nhiên liệu khai báo trong hồ sơ khu; khoảng dự báo theo các tháng trong năm.",
)


def _forecast(
    number: int, title: Localized, about: Localized, names: tuple[str, ...], *, divide: float, year: PageScope
) -> Panel:
    words = (
        text("likely", "dự báo"),
        text("at least", "thấp nhất"),
        text("at most", "cao nhất"),
        text("entered so far", "đã khai báo"),
    )
    return stat(
        number,
        title,
        about,
        SEPARATED,
        *(figure(year, name, divide=divide, alias=name, ref="ABCD"[place]) for place, name in enumerate(names)),
        columns=tuple(Column(name, said) for name, said in zip(names, words, strict=True)),
        decimals=0,
        window="366d",
        width=12,
        nothing=text("under 28 days are known", "mới có số liệu dưới 28 ngày"),
        event_free=True,
    )


OF_DATA = Column("data", text("completeness", "đầy đủ số liệu"), SHARE, decimals=0, steps=COMPLETE)
"""The share of data behind a number, next to what is judged."""


def figures(scope: PageScope, month: PageScope, setting: Setting) -> tuple[Panel, ...]:
    """Today, this month, and whether the numbers can be trusted."""
    return (
        freshness(scope),
        reporting(scope),
        used_today(10, text("Used since midnight.", "Lượng điện tiêu thụ từ 0 giờ."), scope),
        used_a_week_ago(
            11,
            text(
                "The same weekday a week ago, up to the same time.",
                "Cùng thứ trong tuần trước, tính đến cùng thời điểm.",
            ),
            scope,
        ),
        stat(
            12,
            text("Cost, million ₫", "Chi phí, triệu đồng"),
            text(
                "All utilities, month to date: before surcharge and VAT, and what is to be paid with both. The surcharge is that "
                "of the month so far.",
                "Tất cả các tiện ích, lũy kế tháng: trước thuế và tiền công suất phản kháng, và số phải trả gồm cả hai. Tiền công "
                "suất phản kháng tính đến hiện tại.",
            ),
            SEPARATED,
            figure(month, "cost_vnd", divide=1e6, alias="cost"),
            figure(month, "payable_vnd", divide=1e6, alias="payable", ref="B"),
            decimals=0,
            columns=(
                Column("cost", text("before tax", "trước thuế")),
                Column("payable", text("to be paid", "phải trả")),
            ),
            window=MONTH,
        ),
        stat(
            13,
            text("CO₂e this month, t", "CO₂e trong tháng, t"),
            with_factor(
                text(
                    "Month to date: scope 1 (metered fuel), scope 2 (bought energy, location-based; market-based with a contract), "
                    "and fuels entered by month.",
                    "Lũy kế tháng: phạm vi 1 (nhiên liệu có đo đếm), phạm vi 2 (năng lượng mua ngoài, theo vị trí; theo thị trường "
                    "nếu có hợp đồng) và nhiên liệu khai báo.",
                ),
                setting,
            ),
            SEPARATED,
            figure(month, "co2e_scope2_kg", divide=1000, alias="scope 2"),
            figure(month, "co2e_scope1_kg", divide=1000, alias="scope 1", ref="B"),
            figure(month, "co2e_scope2_market_kg", divide=1000, alias="market", ref="C"),
            figure(month, "co2e_entered_kg", divide=1000, alias="entered", ref="D"),
            columns=(
                Column("scope 2", text("scope 2", "phạm vi 2")),
                Column("scope 1", text("scope 1", "phạm vi 1")),
                Column("market", text("scope 2, market-based", "phạm vi 2, thị trường")),
                Column("entered", text("fuels entered", "nhiên liệu khai báo")),
            ),
            decimals=1,
            window=MONTH,
        ),
        stat(
            14,
            text("Peak of the month", "Công suất cực đại"),
            text(
                "Highest 30-minute demand of this month, and the highest over the contract demand; coloured at 80, 90 and 100 %.",
                "Công suất 30 phút cao nhất trong tháng, và mức cao nhất so với công suất đăng ký; đổi màu ở 80, 90 và 100%.",
            ),
            POWER,
            figure(month, "peak_demand_kw", alias="peak"),
            figure(month, "demand_share", alias="share", ref="B"),
            figure(month, completeness_field("peak_demand_kw"), alias="data", ref="C"),
            columns=(
                Column("peak", text("peak", "cực đại")),
                Column("share", text("of contract", "so với đăng ký"), SHARE, decimals=1, steps=AGAINST_CONTRACT),
                OF_DATA,
            ),
            window=MONTH,
            colour=COLOUR[E],
        ),
        stat(
            15,
            text("Base load", "Phụ tải nền"),
            text(
                "The load that keeps running when nobody works; newest whole day.",
                "Phần tải vẫn chạy khi không sản xuất; ngày trọn vẹn gần nhất.",
            ),
            POWER,
            figure(scope, "base_load_kw", also=(WHOLE_DAYS,)),
            window="3d",
            colour=COLOUR[E],
        ),
        stat(
            16,
            text("Power factor, month", "Cosφ lũy kế tháng"),
            text(
                "Under 0.9 over the month the reactive power surcharge applies.",
                "Tính cả tháng dưới 0,9 thì phải trả tiền mua công suất phản kháng.",
            ),
            "none",
            figure(month, "power_factor"),
            window=MONTH,
            decimals=3,
            steps=(ThresholdStep(None, BAD), ThresholdStep(0.9, WARN), ThresholdStep(0.92, GOOD)),
        ),
        stat(
            17,
            text("EnPI this month", "EnPI trong tháng"),
            text(
                "Actual divided by expected use; under 100 % is better than the tenant's own baseline. A saving smaller than the ± "
                "figure is not significant. Empty where no baseline is good enough.",
                "Tiêu thụ thực tế chia cho mức theo đường cơ sở; dưới 100% là tốt hơn. Mức tiết kiệm nhỏ hơn giá trị sau dấu ± thì "
                "không có ý nghĩa thống kê. Trống nếu chưa có đường cơ sở đủ tin cậy.",
            ),
            SHARE,
            figure(month, "enpi", alias="enpi"),
            figure(month, "saving_kwh", alias="saving", ref="B"),
            figure(month, "saving_band_kwh", alias="band", ref="C"),
            columns=(
                Column("enpi", text("EnPI", "EnPI"), SHARE, decimals=1, steps=AGAINST_BASELINE),
                Column("saving", text("saving", "tiết kiệm"), ENERGY),
                Column("band", text("± (95 %)", "± (95%)"), ENERGY),
            ),
            nothing=NO_BASELINE,
            window=MONTH,
        ),
        stat(
            18,
            text("Share in peak hours", "Tỷ trọng giờ cao điểm"),
            text(
                "Part of this month's electricity bought at the peak price.",
                "Phần điện trong tháng mua theo giá cao điểm.",
            ),
            SHARE,
            figure(month, "peak_share"),
            window=MONTH,
            decimals=1,
        ),
        stat(
            19,
            text("Completeness, month", "Độ đầy đủ trong tháng"),
            text("Under 95 % the figures are indicative.", "Dưới 95% thì các chỉ tiêu chỉ để tham khảo."),
            SHARE,
            figure(month, "completeness"),
            window=MONTH,
            decimals=1,
            steps=COMPLETE,
        ),
    )

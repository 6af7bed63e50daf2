"""Heat and gas: steam, natural gas, compressed air and chilled water; who takes how much, and what does it cost?"""

from dashboards.panels import MONEY, POWER, Draw, Page, Panel, PanelRow, amount_unit, rate_unit
from dashboards.queries import PageScope, figure, rates, total, totals
from dashboards.setting import Setting
from dashboards.tiles import CHOICES, MONTH, SERIES_TENANT, SETTLED, daily, freshness, marks, reporting, stat, trend
from metering.quantities import Utility, figure_of
from metering.words import COLOUR, UTILITY, text

_SHOWN = (Utility.STEAM, Utility.NATURAL_GAS, Utility.COMPRESSED_AIR, Utility.CHILLED_WATER)


def page(setting: Setting) -> Page:
    """The page of heat and gas."""
    scope = PageScope()
    return Page(
        "heat",
        text("Heat and gas", "Hơi, khí và nước lạnh"),
        text(
            "Who takes how much steam, natural gas, compressed air and chilled water, when, and at what cost?",
            "Ai dùng bao nhiêu hơi, khí thiên nhiên, khí nén và nước lạnh, lúc nào, chi phí bao nhiêu?",
        ),
        (
            PanelRow((freshness(scope), reporting(scope), *_used(scope))),
            *(
                PanelRow(_course(scope, setting, number, utility), UTILITY[utility])
                for number, utility in enumerate(_SHOWN, start=2)
            ),
        ),
        CHOICES,
        marks=marks(PageScope(tenant=False)),
    )


def _used(scope: PageScope) -> tuple[Panel, ...]:
    return tuple(
        stat(
            number,
            UTILITY[utility],
            text(
                f"{UTILITY[utility].en} taken by the chosen tenants in this period.",
                f"Lượng {UTILITY[utility].vi.lower()} các doanh nghiệp đã chọn sử dụng trong kỳ xem.",
            ),
            amount_unit(utility),
            *totals(scope, utility, "used"),
            colour=COLOUR[utility],
        )
        for number, utility in enumerate(_SHOWN, start=10)
    )


def _course(scope: PageScope, setting: Setting, row: int, utility: Utility) -> tuple[Panel, ...]:
    flow = rate_unit(utility)
    return (
        trend(
            row * 10,
            text("Rate by tenant", "Công suất theo doanh nghiệp" if flow == POWER else "Lưu lượng theo doanh nghiệp"),
            text(
                f"{UTILITY[utility].en}: mean rate from quarter-hour use, stacked.",
                f"{UTILITY[utility].vi}: mức sử dụng trung bình tính từ tiêu thụ 15 phút, xếp chồng.",
            ),
            flow,
            *rates(scope, utility, "tenant", zone=setting.timezone),
            shift=SETTLED,
            draw=Draw.AREA,
            width=10,
            link=SERIES_TENANT,
        ),
        daily(
            row * 10 + 1,
            text("By day", "Theo ngày"),
            text(
                f"{UTILITY[utility].en} of each day, stacked by tenant.",
                f"{UTILITY[utility].vi} mỗi ngày, xếp chồng theo doanh nghiệp.",
            ),
            amount_unit(utility),
            figure(scope, figure_of(utility)),
            window="30d",
            width=10,
            link=SERIES_TENANT,
        ),
        stat(
            row * 10 + 2,
            text("Cost this month", "Chi phí trong tháng"),
            text(
                "Month to date, at the dated price, before VAT.",
                "Lũy kế từ đầu tháng, theo đơn giá từng thời kỳ, chưa gồm thuế GTGT.",
            ),
            MONEY,
            total(scope, "cost_vnd", utility=utility, divide=1e6, alias="cost"),
            window=MONTH,
            height=8,
        ),
    )

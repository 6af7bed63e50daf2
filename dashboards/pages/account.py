"""The park's account: what does this month cost, does the intake keep to its contract, and which months are closed?"""

from dashboards.influxql import InfluxQL
from dashboards.pages.closed import MONTH_COLUMN, closed_columns, closed_fields
from dashboards.panels import (
    COUNT,
    DAILY,
    ENERGY,
    MONEY,
    POWER,
    SEPARATED,
    Column,
    Page,
    Panel,
    PanelRow,
    Sort,
    ThresholdStep,
)
from dashboards.queries import AT_EDGE, NEWEST_ROWS, OF_DAYS, WHOLE_DAYS, PageScope, edge
from dashboards.setting import Setting
from dashboards.tiles import (
    BY_UTILITY,
    MONTH,
    PARK_CHOICE,
    TENANT_COLUMN,
    UTILITY_COLUMN,
    daily,
    freshness,
    marks,
    reporting,
    stat,
    table,
)
from dashboards.words import NONE, PLAIN
from metering.dated import value_on
from metering.figures import PARK_FIGURES, Period
from metering.quantities import Utility
from metering.words import BAD, COLOUR, GOOD, NEAR, WARN, Language, text
from store.schema import BALANCE, CLOSING, EFFICIENCY, PARK_EFFICIENCY

_PARK = PageScope(tenant=False)
_OF_MONTH = f"\"period\" = '{Period.MONTH}'"
_NO_PRICE = text("no purchase price, or no whole day yet", "chưa có giá mua vào hoặc chưa có ngày trọn vẹn")
_NO_CONTRACT = text("no contract is entered", "chưa khai báo hợp đồng")
_NONE_CLOSED = text("no month is closed", "chưa khóa sổ tháng nào")


def page(setting: Setting) -> Page:
    """The page of the park's account."""
    return Page(
        "account",
        text("Month's account and closing", "Chi phí tháng và khóa sổ"),
        text(
            "What does this month cost the park, does the intake keep to its contract, and which months are closed?",
            "Tháng này khu chi bao nhiêu, lượng mua vào có trong mức hợp đồng không, và tháng nào đã khóa sổ?",
        ),
        (
            PanelRow((freshness(_PARK), reporting(_PARK), _bought(), _charged(), _lost(), _open(setting))),
            PanelRow((_peak(setting), _intake(setting))),
            PanelRow((_peaks(setting), _cost_by_day(setting), _loss_by_day(setting))),
            PanelRow((_purchase(),)),
            PanelRow((_closed(),), text("Closed months", "Các tháng đã khóa sổ")),
            PanelRow((_waiting(),)),
        ),
        (PARK_CHOICE,),
        start="now-30d",
        marks=marks(_PARK),
    )


def _bought() -> Panel:
    return stat(
        10,
        text("Bought, with VAT", "Mua vào, gồm thuế"),
        text(
            "Month to date: all that came in at the main meters and has a purchase price, of the month's days that could be computed. Without "
            "surcharge and demand charge, which are of the whole month.",
            "Lũy kế tháng: toàn bộ lượng qua đồng hồ tổng có giá mua vào, của các ngày tính được trong tháng. Chưa gồm tiền công suất phản kháng "
            "và tiền công suất, là khoản của cả tháng.",
        ),
        MONEY,
        _last_sum("bought_with_vat_vnd"),
        window=MONTH,
        nothing=_NO_PRICE,
        event_free=True,
    )


def _charged() -> Panel:
    where = _PARK.where(_OF_MONTH)
    inner = f'SELECT last("payable_vnd") AS "due" FROM "{EFFICIENCY}" {where} GROUP BY "tenant"'
    return stat(
        11,
        text("Tenants, with VAT", "Doanh nghiệp trả"),
        text(
            "What all tenants together would have to pay for the month to date, with surcharge and VAT; without shares of losses "
            "and common use.",
            "Tổng số các doanh nghiệp phải trả lũy kế tháng, gồm tiền công suất phản kháng và thuế; chưa gồm phần phân bổ tổn thất "
            "và dùng chung.",
        ),
        MONEY,
        InfluxQL(f'SELECT sum("due") / 1000000 FROM ({inner})', alias="due"),
        window=MONTH,
    )


def _lost() -> Panel:
    return stat(
        12,
        text("Losses this month", "Tổn thất trong tháng"),
        text(
            "Losses of all utilities times what a unit of the intake cost on average, before VAT. A loss within the meters' error "
            "band is counted too.",
            "Tổn thất các tiện ích nhân giá mua vào bình quân, chưa thuế. Tính cả tổn thất trong khoảng sai số đồng hồ.",
        ),
        MONEY,
        _last_sum("loss_vnd"),
        window=MONTH,
        nothing=_NO_PRICE,
        event_free=True,
    )


def _last_sum(name: str) -> InfluxQL:
    where = _PARK.where(AT_EDGE, _OF_MONTH)
    inner = f'SELECT last("{name}") AS "value" FROM "{BALANCE}" {where} GROUP BY "utility"'
    return InfluxQL(f'SELECT sum("value") / 1000000 FROM ({inner})', alias=name)


def _open(setting: Setting) -> Panel:
    days = max((park.park.thresholds.unclosed_days for park in setting.parks), default=0)
    return stat(
        13,
        text("Month not closed", "Tháng chưa khóa sổ"),
        text(
            f"Days since the end of the oldest month that is not closed; 0 where all are. Over {days} days an alert says so.",
            f"Số ngày từ khi kết thúc tháng chưa khóa sổ lâu nhất; 0 nếu đã khóa hết. Quá {days} ngày sẽ có cảnh báo.",
        ),
        text("suffix: days", "suffix: ngày"),
        InfluxQL(f'SELECT max("open_days") FROM "{CLOSING}" {_PARK.where()}', alias="days"),
        window="400d",
        newest=True,
        decimals=0,
        steps=(ThresholdStep(None, GOOD), ThresholdStep(1, PLAIN), ThresholdStep(days, WARN)),
        nothing=_NONE_CLOSED,
        event_free=True,
    )


def _agreed(setting: Setting, name: str) -> float | None:
    """A value of the parks' contracts with their supplier, where it is the same for all of them."""
    found = {value_on(getattr(park.park.contract, name), setting.day) for park in setting.parks}
    return found.pop() if len(found) == 1 else None


def _steps(agreed: float | None) -> tuple[ThresholdStep, ...]:
    if agreed is None:
        return ()
    return (
        ThresholdStep(None, GOOD),
        ThresholdStep(0.8 * agreed, NEAR),
        ThresholdStep(0.9 * agreed, WARN),
        ThresholdStep(agreed, BAD),
    )


def _of_park(name: str) -> str:
    return f'SELECT last("{name}") FROM "{PARK_EFFICIENCY}" ' + _PARK.where(_OF_MONTH)


def _peak(setting: Setting) -> Panel:
    agreed = _agreed(setting, "demand_kw")
    return stat(
        14,
        text("Peak of the intake against the contract", "Công suất mua vào cực đại so với hợp đồng"),
        text(
            f"Highest 30-minute demand of all main meters this month; coloured at 80, 90 and 100 % of {Language.EN.exact(agreed)} kW.",
            f"Công suất 30 phút cao nhất của các công tơ tổng trong tháng; đổi màu ở 80, 90 và 100% của {Language.VI.exact(agreed)} kW.",
        )
        if agreed is not None
        else _NO_CONTRACT,
        POWER,
        InfluxQL(_of_park("intake_peak_kw"), alias="peak"),
        columns=(Column("peak", text("peak", "cực đại")),),
        window=MONTH,
        steps=_steps(agreed),
        width=12,
    )


def _intake(setting: Setting) -> Panel:
    agreed = _agreed(setting, "kwh_per_month")
    return stat(
        15,
        text("Electricity bought this month against the contract", "Điện mua vào trong tháng so với hợp đồng"),
        text(
            f"Bought at the main meters, month to date; coloured at 80, 90 and 100 % of {Language.EN.exact(agreed)} kWh a month.",
            f"Điện qua công tơ tổng, lũy kế tháng; đổi màu ở 80, 90 và 100% của {Language.VI.exact(agreed)} kWh mỗi tháng.",
        )
        if agreed is not None
        else _NO_CONTRACT,
        ENERGY,
        InfluxQL(_of_park("intake_kwh"), alias="bought"),
        columns=(Column("bought", PARK_FIGURES["intake_kwh"].label),),
        window=MONTH,
        steps=_steps(agreed),
        width=12,
    )


def _peaks(setting: Setting) -> Panel:
    agreed = _agreed(setting, "demand_kw")
    where = _PARK.where(OF_DAYS, WHOLE_DAYS)
    asked = f'SELECT max("intake_peak_kw") FROM "{PARK_EFFICIENCY}" {where} GROUP BY time(1d) fill(none)'
    return daily(
        20,
        text("Peak of the intake by day", "Công suất mua vào cực đại theo ngày"),
        text(
            "Highest 30-minute demand of each whole day; the line is the park's contract.",
            "Công suất 30 phút cao nhất từng ngày trọn vẹn; đường kẻ là mức đăng ký của khu.",
        ),
        POWER,
        InfluxQL(f"{asked} tz('{setting.timezone}')", alias="peak"),
        columns=(Column("peak", text("Peak of the intake", "Công suất mua vào cực đại")),),
        window="30d",
        colour=COLOUR[Utility.ELECTRICITY],
        steps=() if agreed is None else (ThresholdStep(None, GOOD), ThresholdStep(agreed, BAD)),
        lines=agreed is not None,
        least=DAILY,
        width=8,
    )


def _purchase() -> Panel:
    names = ("incoming", "bought_vnd", "bought_with_vat_vnd", "bought_price_vnd", "loss", "loss_vnd")
    return table(
        21,
        text("Bought and lost this month, by utility", "Mua vào và tổn thất trong tháng, theo tiện ích"),
        text(
            "Of the month's days that could be computed. Price: what a unit of the intake cost on average before VAT, by which "
            "losses are counted.",
            "Của các ngày tính được trong tháng. Đơn giá: giá mua vào bình quân chưa thuế, dùng để tính tiền tổn thất.",
        ),
        COUNT,
        edge(*names, period=Period.MONTH, by=("utility",)),
        columns=(
            UTILITY_COLUMN,
            Column("incoming", text("Intake", "Lượng vào khu"), SEPARATED, decimals=0),
            Column("bought_vnd", text("Before VAT, ₫", "Chưa thuế, ₫"), SEPARATED, decimals=0),
            Column("bought_with_vat_vnd", text("With VAT, ₫", "Gồm thuế, ₫"), SEPARATED, decimals=0),
            Column("bought_price_vnd", text("Price, ₫", "Đơn giá, ₫"), SEPARATED, decimals=0),
            Column("loss", text("Losses", "Tổn thất"), SEPARATED, decimals=0),
            Column("loss_vnd", text("Losses, ₫", "Tổn thất, ₫"), SEPARATED, decimals=0),
        ),
        window=MONTH,
        nothing=NONE,
        height=10,
    )


def _by_day(setting: Setting, name: str) -> InfluxQL:
    where = _PARK.where(AT_EDGE, OF_DAYS, WHOLE_DAYS)
    by = f"GROUP BY time(1d), \"utility\" fill(none) tz('{setting.timezone}')"
    return InfluxQL(f'SELECT sum("{name}") / 1000000 FROM "{BALANCE}" {where} {by}', "$tag_utility")


def _cost_by_day(setting: Setting) -> Panel:
    return daily(
        22,
        text("Purchase by day, before VAT", "Chi phí mua vào theo ngày, chưa thuế"),
        text(
            "What came in at the main meters on each whole day at the park's purchase prices, stacked by utility.",
            "Lượng qua đồng hồ tổng từng ngày trọn vẹn theo giá mua vào của khu, xếp chồng theo tiện ích.",
        ),
        MONEY,
        _by_day(setting, "bought_vnd"),
        columns=BY_UTILITY,
        window="30d",
        width=8,
        least=DAILY,
        nothing=_NO_PRICE,
        event_free=True,
    )


def _loss_by_day(setting: Setting) -> Panel:
    return daily(
        23,
        text("Losses by day, in money", "Tiền tổn thất theo ngày"),
        text(
            "Loss of each whole day times the day's mean purchase price, before VAT; below zero where sub-meters counted more "
            "than came in.",
            "Tổn thất từng ngày trọn vẹn nhân giá mua vào bình quân của ngày, chưa thuế; âm nếu đồng hồ nhánh đếm nhiều hơn "
            "lượng vào.",
        ),
        MONEY,
        _by_day(setting, "loss_vnd"),
        columns=BY_UTILITY,
        window="30d",
        width=8,
        low=None,
        zero=True,
        least=DAILY,
        nothing=_NO_PRICE,
        event_free=True,
    )


def _closed() -> Panel:
    own = f'"closed", "obstacles", "open_days", {closed_fields()}'
    return table(
        30,
        text("State of the months", "Tình trạng khóa sổ các tháng"),
        text(
            "When each month was closed, in spite of how many obstacles, what was stated with VAT, and by how much that has been "
            "corrected since, or waits to be. A month without a closing day waits for it.",
            "Mỗi tháng khóa sổ khi nào, còn bao nhiêu vướng mắc lúc khóa, số tiền đã chốt gồm thuế, đã điều chỉnh bao nhiêu và còn "
            "chờ điều chỉnh bao nhiêu. Tháng không có ngày khóa là tháng đang chờ.",
        ),
        COUNT,
        InfluxQL(f'SELECT {own} FROM "{CLOSING}" {_PARK.where(_OF_THE_PARK)} {NEWEST_ROWS}', form="table"),
        columns=(
            MONTH_COLUMN,
            Column("closed", text("Closed on", "Ngày khóa sổ"), text("time:YYYY-MM-DD", "time:DD/MM/YYYY"), width=125),
            Column("open_days", text("Days open", "Số ngày chờ"), COUNT, decimals=0, steps=_WAITS, width=120),
            Column("obstacles", text("Obstacles", "Vướng mắc"), COUNT, decimals=0, width=115),
            *closed_columns(),
        ),
        window="800d",
        sort=Sort("Time"),
        nothing=NONE,
        event_free=True,
        height=9,
    )


def _waiting() -> Panel:
    found = f'SELECT "tenant", {closed_fields()} FROM "{CLOSING}" {_PARK.where(_OF_TENANTS)} {NEWEST_ROWS}'
    return table(
        31,
        text("Statements of closed months by tenant", "Bảng kê các tháng đã khóa sổ theo doanh nghiệp"),
        text(
            "What was stated to each tenant, and what its next statement will correct as things are now, with the reason.",
            "Số tiền đã chốt với từng doanh nghiệp, và phần mà bảng kê kỳ sau sẽ điều chỉnh theo hiện trạng, kèm lý do.",
        ),
        COUNT,
        InfluxQL(found, form="table"),
        columns=(MONTH_COLUMN, TENANT_COLUMN, *closed_columns()),
        window="800d",
        sort=Sort("Time"),
        nothing=NONE,
        event_free=True,
        height=11,
    )


_OF_THE_PARK, _OF_TENANTS = "\"tenant\" = ''", "\"tenant\" != ''"
_WAITS = (ThresholdStep(None, PLAIN), ThresholdStep(1, WARN))

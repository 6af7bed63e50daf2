"""Balance and losses: does what enters the park arrive at its tenants, and is the difference more than meter error?"""

from dashboards.influxql import InfluxQL
from dashboards.panels import (
    COUNT,
    DAILY,
    SEPARATED,
    SHARE,
    Column,
    Draw,
    Page,
    Panel,
    PanelRow,
    ThresholdStep,
    amount_unit,
)
from dashboards.queries import AT_MAINS, OF_DAYS, WHOLE_DAYS, PageScope, balance, edge
from dashboards.setting import Setting
from dashboards.tiles import (
    BY_UTILITY,
    PARK_CHOICE,
    UTILITY_COLUMN,
    bars,
    freshness,
    marks,
    reporting,
    stat,
    table,
    trend,
)
from dashboards.words import EDGE_PARTS, IN_UNITS, NONE, PLAIN
from metering.figures import INDICATIVE_BELOW, Period
from metering.quantities import Utility
from metering.words import COLOUR, GOOD, UTILITY, WARN, text
from store.schema import BALANCE
from store.select import ONE_OF

_UTILITIES = tuple(utility for utility in Utility if utility is not Utility.PRODUCTION)


_OF_DAYS = PageScope(tenant=False).where(OF_DAYS, AT_MAINS)


def page(setting: Setting) -> Page:
    """The page of the balance."""
    return Page(
        "balance",
        text("Balance and losses", "Cân bằng và tổn thất"),
        text(
            "Does what enters the park arrive at its tenants, and is the difference more than meter error?",
            "Lượng vào khu có đến đủ các doanh nghiệp không, và chênh lệch có vượt sai số đồng hồ không?",
        ),
        (
            PanelRow((*_heard(PageScope(tenant=False)), _outside(), _uncomputable())),
            PanelRow((_edge(),)),
            PanelRow((_worst(setting), _table())),
            PanelRow(
                tuple(_course(setting, utility, number) for number, utility in enumerate(_UTILITIES, start=20)),
                text("Loss and error band by day", "Tổn thất và khoảng sai số theo ngày"),
            ),
        ),
        (PARK_CHOICE,),
        start="now-30d",
        marks=marks(PageScope(tenant=False)),
    )


def _heard(scope: PageScope) -> tuple[Panel, ...]:
    return freshness(scope, width=6), reporting(scope, 90, width=6)


def _outside() -> Panel:
    inner = f'SELECT "loss" - "band" AS "excess" FROM "{BALANCE}" {_OF_DAYS}'
    return stat(
        2,
        text("Daily balances with a real loss", "Lần cân bằng ngày có tổn thất thật"),
        text(
            "Balances of one day, of all utilities together, whose loss is larger than the meters' error band.",
            "Số lần cân bằng ngày, tính mọi tiện ích, có tổn thất vượt khoảng sai số của đồng hồ.",
        ),
        "none",
        InfluxQL(f'SELECT count("excess") FROM ({inner}) WHERE "excess" > 0', alias="days"),
        steps=(ThresholdStep(None, GOOD), ThresholdStep(1, WARN)),
        nothing=NONE,
        least=DAILY,
        event_free=True,
        width=6,
    )


def _uncomputable() -> Panel:
    return stat(
        3,
        text("Daily balances not computable", "Lần cân bằng ngày không tính được"),
        text(
            "Balances of one day that have no value because a meter of the sum was incomplete.",
            "Số lần cân bằng ngày không tính được vì một đồng hồ trong tổng bị thiếu số liệu.",
        ),
        "none",
        InfluxQL(
            f'SELECT count("loss_completeness") FROM "{BALANCE}" {_OF_DAYS} AND "loss_completeness" < {INDICATIVE_BELOW}',
            alias="days",
        ),
        steps=(ThresholdStep(None, PLAIN), ThresholdStep(1, WARN)),
        nothing=NONE,
        least=DAILY,
        event_free=True,
        width=6,
    )


def _mains(setting: Setting) -> str:
    """Condition on the park's own main meters: balances inside tenants would be counted twice."""
    mains = {
        meter
        for park in setting.parks
        for meter in park.parents
        if any(belonging.tenant is None for belonging in park.meter[meter].belongs)
    }
    return f'"main" =~ {ONE_OF.format("|".join(sorted(mains)))}'


def _edge() -> Panel:
    return table(
        6,
        text("What came into the park, and where it went", "Lượng vào khu và phân bổ"),
        text(
            "Intake at the main meters = tenants + own use + losses, of all days of this period that could be computed. The "
            "park's report has the same four numbers.",
            "Lượng qua đồng hồ tổng = doanh nghiệp + khu tự dùng + tổn thất, của mọi ngày tính được trong kỳ xem. Báo cáo của "
            "khu có cùng bốn số này.",
        ),
        COUNT,
        edge(*EDGE_PARTS, period=Period.DAY, by=("utility",)),
        columns=(
            Column("utility", text("Utility", "Tiện ích"), mapped=IN_UNITS),
            *(Column(name, words, SEPARATED, decimals=0) for name, words in EDGE_PARTS.items()),
        ),
        least=DAILY,
        nothing=text("no whole day in this range", "kỳ xem chưa có ngày nào trọn vẹn"),
        height=9,
    )


def _worst(setting: Setting) -> Panel:
    return bars(
        4,
        text(
            "Loss as a share of the main meter, newest whole day",
            "Tổn thất so với đồng hồ tổng, ngày trọn vẹn gần nhất",
        ),
        text(
            "The park's own main meters. Compare with the error band in the table.",
            "Các đồng hồ tổng của khu. So sánh với khoảng sai số trong bảng.",
        ),
        SHARE,
        balance('"loss_share" AS "share"', "$tag_utility", _mains(setting)),
        columns=BY_UTILITY,
        low=None,
        window="3d",
        newest=True,
        width=8,
        height=18,
    )


def _table() -> Panel:
    fields = ", ".join(f'sum("{name}") AS "{name}"' for name in ("incoming", "submeters", "loss", "band"))
    return table(
        5,
        text("Balance of this period", "Cân bằng trong kỳ xem"),
        text(
            "Sums over all computable days. A loss inside the band is meter error. Bands of single days are added up, so the "
            "band of a long period is on the safe side.",
            "Tổng của các ngày tính được. Tổn thất nằm trong khoảng sai số là do sai số đồng hồ. Khoảng sai số từng ngày được "
            "cộng dồn, nên với kỳ dài là thiên về an toàn.",
        ),
        COUNT,
        InfluxQL(f'SELECT {fields} FROM "{BALANCE}" {_OF_DAYS} GROUP BY "utility", "main"', form="table"),
        columns=(
            UTILITY_COLUMN,
            Column("main", text("Main meter", "Đồng hồ tổng"), width=270),
            Column("incoming", text("Came in", "Tổng đầu vào"), SEPARATED, decimals=0, width=108),
            Column("submeters", text("Sub-meters", "Đồng hồ nhánh"), SEPARATED, decimals=0, width=108),
            Column("loss", text("Loss", "Tổn thất"), SEPARATED, decimals=1, width=108),
            Column("band", text("Error band", "Khoảng sai số"), SEPARATED, decimals=1, width=108),
        ),
        least=DAILY,
        nothing=text("no whole day in this range", "kỳ xem chưa có ngày nào trọn vẹn"),
        width=16,
        height=18,
    )


def _course(setting: Setting, utility: Utility, number: int) -> Panel:
    where = f"{_OF_DAYS} AND \"utility\" = '{utility.value}' AND {_mains(setting)} AND {WHOLE_DAYS}"
    statement = (
        f'SELECT sum("loss") AS "loss", sum("band") AS "band" FROM "{BALANCE}" {where} '
        f"GROUP BY time(1d) fill(none) tz('{setting.timezone}')"
    )
    return trend(
        number,
        UTILITY[utility],
        text(
            "Main meter minus sub-meters of each whole day, and the band of the meters' accuracy. Gaps: not computable.",
            "Đồng hồ tổng trừ đồng hồ nhánh từng ngày trọn vẹn và khoảng sai số. Chỗ trống: không tính được.",
        ),
        amount_unit(utility),
        InfluxQL(statement, "$col"),
        columns=(
            Column("loss", text("Loss", "Tổn thất"), colour=COLOUR[utility]),
            Column("band", text("Error band", "Khoảng sai số"), colour=PLAIN, dashed=True),
        ),
        window="30d",
        low=None,
        draw=Draw.BARS,
        step="1d",
        width=6,
    )

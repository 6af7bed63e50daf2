"""One meter: is it right, what does it show now, and how much was used?"""

from collections.abc import Callable, Iterable
from typing import Any

from dashboards.influxql import InfluxQL
from dashboards.panels import (
    SHARE,
    Column,
    Draw,
    Page,
    Panel,
    PanelRow,
    Sort,
    ThresholdStep,
    Variable,
    Words,
    amount_unit,
    grafana_unit,
    rate_unit,
)
from dashboards.queries import NEWEST_ROWS, QUARTERS_PER_HOUR, PageScope, tags_of
from dashboards.setting import Setting
from dashboards.tiles import (
    COMPLETE,
    EVENT_COLUMN,
    PARK_CHOICE,
    SETTLED,
    TENANT_CHOICE,
    TIME_COLUMN,
    WHOLE_DAYS_30,
    daily,
    freshness,
    marks,
    reporting,
    stat,
    table,
    trend,
)
from dashboards.words import EVENT, METER, NONE
from metering.model import Localized
from metering.quantities import UTILITIES, Utility
from metering.words import BAD, COLOUR, GOOD, NEUTRAL, UTILITY, WARN, text
from store.schema import EVENTS, USAGE

ONE = '"meter" =~ /^$meter$/'
METER_CHOICE = Variable("meter", METER, tags_of("meter", '"park" =~ /^$park$/', '"tenant" =~ /^$tenant$/'))


_RATES: dict[str, Words] = {
    spec.rate: grafana_unit(spec.quantities[spec.rate].unit) for spec in UTILITIES.values() if spec.rate is not None
}


def _by_utility(unit: Callable[[Utility], Words]) -> tuple[Column, ...]:
    """A series named after its utility gets that utility's name, unit and colour."""
    return tuple(Column(u.value, UTILITY[u], unit(u), COLOUR[u]) for u in Utility)


def _measurements(quantity: str) -> str:
    """The measurements that have a quantity, as a pattern."""
    return "|".join(utility.value for utility, spec in UTILITIES.items() if quantity in spec.quantities)


_NO_SUM = text(
    "In the meter's own unit: kWh for electricity and chilled water, m³ for water, t for steam, Nm³ for gas and air.",
    "Theo đơn vị của đồng hồ: kWh với điện và nước lạnh, m³ với nước, t với hơi, Nm³ với khí thiên nhiên và khí nén.",
)


def page(setting: Setting) -> Page:
    """The page of one meter."""
    scope = PageScope(tenant=False)
    return Page(
        "meter",
        text("Meter", "Đồng hồ"),
        text(
            "Is this meter right, what does it show now, and how much was used?",
            "Đồng hồ này có đúng không, chỉ số hiện tại bao nhiêu, và đã tiêu thụ bao nhiêu?",
        ),
        (
            PanelRow(_tiles(scope)),
            PanelRow((_use(scope), _days(scope, setting))),
            PanelRow((_readings(scope), _counter(scope))),
            PanelRow((_quality(scope), _events(scope))),
        ),
        (PARK_CHOICE, TENANT_CHOICE, METER_CHOICE),
        marks=marks(scope, ONE),
    )


def _tiles(scope: PageScope) -> tuple[Panel, ...]:
    def over(number: int, title: Localized, about: Localized, unit: Words, value: str, **more: Any) -> Panel:
        statement = f'SELECT {value} FROM "{USAGE}" {scope.where(ONE)}'
        return stat(number, title, about, unit, InfluxQL(statement, alias="value"), width=5, shift=SETTLED, **more)

    return (
        freshness(scope, 1, ONE, width=5),
        reporting(scope, 90),
        stat(
            10,
            text("Used in this period", "Tiêu thụ trong kỳ xem"),
            _NO_SUM,
            grafana_unit(""),
            InfluxQL(f'SELECT sum("amount") FROM "{USAGE}" {scope.where(ONE)} GROUP BY "utility"', "$tag_utility"),
            columns=_by_utility(amount_unit),
            width=5,
        ),
        over(
            11,
            text("Completeness", "Mức độ đầy đủ dữ liệu"),
            text(
                "Mean share of expected readings of the quarter hours in this period.",
                "Tỷ lệ trung bình số lần đọc có được trên số phải có, của các khoảng 15 phút trong kỳ xem.",
            ),
            SHARE,
            'mean("completeness")',
            high=1.0,
            decimals=1,
            steps=COMPLETE,
        ),
        over(
            12,
            text("Estimated share", "Tỷ lệ ước tính"),
            text(
                "Mean share of use that was estimated because readings were missing or wrong.",
                "Phần tiêu thụ phải ước tính do số liệu thiếu hoặc sai, trung bình kỳ xem.",
            ),
            SHARE,
            'mean("estimated")',
            high=1.0,
            decimals=1,
            steps=(ThresholdStep(None, GOOD), ThresholdStep(0.05, WARN), ThresholdStep(0.2, BAD)),
        ),
    )


def _use(scope: PageScope) -> Panel:
    statement = (
        f'SELECT mean("amount") * {QUARTERS_PER_HOUR} FROM "{USAGE}" {scope.where(ONE)} '
        'GROUP BY time($__interval), "utility" fill(null)'
    )
    return trend(
        2,
        text("Use per hour", "Tiêu thụ quy đổi theo giờ"),
        text(
            "Validated quarter-hour use as an hourly rate: kW for electricity, m³/h for water.",
            "Tiêu thụ 15 phút đã kiểm tra, quy đổi theo giờ: kW với điện, m³/h với nước.",
        ),
        grafana_unit("/h"),
        InfluxQL(statement, "$tag_utility"),
        columns=_by_utility(rate_unit),
        shift=SETTLED,
        draw=Draw.AREA,
    )


def _days(scope: PageScope, setting: Setting) -> Panel:
    statement = (
        f'SELECT sum("amount") FROM "{USAGE}" {scope.where(ONE)} '
        f"GROUP BY time(1d), \"utility\" fill(none) tz('{setting.timezone}')"
    )
    return daily(
        3,
        text("Use by day", "Tiêu thụ theo ngày"),
        _NO_SUM,
        grafana_unit(""),
        InfluxQL(statement, "$tag_utility"),
        columns=_by_utility(amount_unit),
        window=WHOLE_DAYS_30,
    )


def _raw(scope: PageScope, how: str, quantities: Iterable[str]) -> tuple[InfluxQL, ...]:
    """One query per quantity: those that this meter does not have return no series."""
    return tuple(
        InfluxQL(
            f'SELECT {how}("{name}") FROM /^({_measurements(name)})$/ {scope.where(ONE)} '
            "GROUP BY time($__interval) fill(none)",
            name,
            ref=chr(ord("A") + place),
        )
        for place, name in enumerate(quantities)
    )


def _readings(scope: PageScope) -> Panel:
    return trend(
        4,
        text("Momentary readings", "Giá trị tức thời"),
        text(
            "Power or flow as the instrument sends it, not validated.",
            "Công suất hoặc lưu lượng do thiết bị gửi, chưa qua kiểm tra.",
        ),
        grafana_unit("/h"),
        *_raw(scope, "mean", _RATES),
        columns=tuple(
            Column(name, text("Power", "Công suất") if name == "power_kw" else text("Flow", "Lưu lượng"), unit, NEUTRAL)
            for name, unit in _RATES.items()
        ),
        window="24h",
        step="5m",
        low=None,
        zero=True,
        nothing=text("no momentary readings", "không có giá trị tức thời"),
        event_free=True,
    )


def _counter(scope: PageScope) -> Panel:
    units: dict[str, Words] = {
        spec.counter: f"suffix:{spec.unit}" if spec.unit else grafana_unit("") for spec in UTILITIES.values()
    }
    return trend(
        5,
        text("Register as read", "Chỉ số đọc được"),
        text(
            "The counter as it was read, before multiplier and roll-over. A step down is a reset, a swap or a roll-over.",
            "Chỉ số đúng như đọc được, chưa nhân hệ số và chưa xét quay vòng. Chỉ số tụt xuống là do đặt lại, thay đồng hồ hoặc quay vòng.",
        ),
        "none",
        *_raw(scope, "last", sorted(units)),
        columns=tuple(Column(name, text("Register", "Chỉ số"), unit, NEUTRAL) for name, unit in sorted(units.items())),
        window="24h",
        step="5m",
        low=None,
        decimals=1,
        event_free=True,
    )


def _quality(scope: PageScope) -> Panel:
    statement = (
        f'SELECT mean("completeness") AS "completeness", mean("estimated") AS "estimated" FROM "{USAGE}" '
        f"{scope.where(ONE)} GROUP BY time($__interval) fill(none)"
    )
    return trend(
        6,
        text("Completeness and estimated share", "Mức độ đầy đủ và tỷ lệ ước tính"),
        text("How much of each interval was really read.", "Bao nhiêu phần của mỗi khoảng là số liệu đọc thật."),
        SHARE,
        InfluxQL(statement, "$col"),
        columns=(
            Column("completeness", text("Completeness", "Mức độ đầy đủ"), colour=GOOD),
            Column("estimated", text("Estimated", "Ước tính"), colour=WARN),
        ),
        shift=SETTLED,
        high=1.0,
        width=24,
        height=6,
    )


def _events(scope: PageScope) -> Panel:
    return table(
        7,
        text("Events of this meter", "Sự kiện của đồng hồ này"),
        text(
            "Replacements, resets, roll-overs, stuck values, in the last year.",
            "Thay đồng hồ, đặt lại, quay vòng, đứng số trong một năm gần đây.",
        ),
        "none",
        InfluxQL(f'SELECT "kind", "text_en", "text_vi" FROM "{EVENTS}" {scope.where(ONE)} {NEWEST_ROWS}', form="table"),
        columns=(
            TIME_COLUMN,
            Column("kind", text("Event", "Sự kiện"), mapped=EVENT, width=170),
            EVENT_COLUMN,
        ),
        window="365d",
        nothing=NONE,
        height=8,
        sort=Sort("Time"),
        event_free=True,
    )

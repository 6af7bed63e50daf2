"""Water and wastewater: where does the water go, does it leak at night, and is the wastewater within its limits?"""

from dashboards.influxql import InfluxQL
from dashboards.panels import DAILY, SHARE, Column, Draw, Page, Panel, PanelRow, ThresholdStep
from dashboards.queries import WHOLE_DAYS, PageScope, by_day, figure, newest, of, rates, totals
from dashboards.setting import Setting
from dashboards.tiles import (
    CHOICES,
    SERIES_METER,
    SERIES_TENANT,
    SETTLED,
    TODAY,
    daily,
    freshness,
    marks,
    meter_columns,
    permitted,
    ranking,
    reporting,
    stat,
    trend,
)
from dashboards.words import NONE
from metering.model import Localized
from metering.quantities import Utility, figure_of
from metering.words import BAD, COLOUR, GOOD, WARN, text

W, WW = Utility.WATER, Utility.WASTEWATER
CUBIC = "suffix:m³"
FLOW = "suffix:m³/h"

QUALITY = (
    ("ph", text("Outfall: pH", "Điểm xả thải: pH"), "none", 20),
    ("cod_mgl", text("Outfall: COD", "Điểm xả thải: COD"), "suffix:mg/L", 21),
    (
        "tss_mgl",
        text("Outfall: suspended solids (TSS)", "Điểm xả thải: tổng chất rắn lơ lửng (TSS)"),
        "suffix:mg/L",
        22,
    ),
    ("nh4_mgl", text("Outfall: ammonium", "Điểm xả thải: amoni"), "suffix:mg/L", 23),
    ("temperature_c", text("Outfall: temperature", "Điểm xả thải: nhiệt độ"), "celsius", 24),
)
"""What an outfall's instruments measure: quantity, title, unit, panel."""


SET_ASIDE = "(\"state\" = 'calibrating' OR \"state\" = 'fault')"
"""Condition of readings that count for no limit."""


def measured(scope: PageScope, quantity: str, *conditions: str, every: str = "5m") -> str:
    """Statement of a quantity by interval, without those in which the instrument was calibrated or at fault.

    `fill(0)` is needed: only with it does InfluxDB 1.6 compare the count of states with zero; empty intervals drop out
    because no instrument here shows an exact zero.
    """
    by = f'GROUP BY time({every}), "meter"'
    off = f'SELECT count("state") AS "off" FROM "{WW.value}" {scope.where(*conditions, SET_ASIDE)} {by} fill(none)'
    mean = f'SELECT mean("{quantity}") AS "{quantity}" FROM "{WW.value}" {scope.where(*conditions)} {by} fill(none)'
    both = f'SELECT max("off") AS "off", max("{quantity}") AS "{quantity}" FROM ({off}), ({mean}) WHERE $timeFilter {by} fill(0)'
    good = f'SELECT "{quantity}", "off" FROM ({both}) WHERE "off" = 0 AND "{quantity}" > 0 GROUP BY "meter"'
    return f'SELECT "{quantity}" FROM ({good}) GROUP BY "meter"'


def page(setting: Setting) -> Page:
    """The page of water and wastewater."""
    scope = PageScope()
    return Page(
        "water",
        text("Water and wastewater", "Nước cấp và nước thải"),
        text(
            "Where does the water go, does it leak at night, and is the wastewater within its limits?",
            "Nước đi đâu, ban đêm có rò rỉ không, và nước thải xả ra có trong giới hạn cho phép không?",
        ),
        (
            PanelRow(_tiles(scope)),
            PanelRow((_flow(scope, setting, W, 3), _flow(scope, setting, WW, 4))),
            PanelRow((_days(scope, W, 5), _days(scope, WW, 6))),
            PanelRow((_night(scope, setting), _ratio(scope))),
            PanelRow(
                (*(_quality(setting, *each) for each in QUALITY), _state(setting)), text("Outfall", "Điểm xả thải")
            ),
        ),
        CHOICES,
        marks=marks(PageScope(tenant=False)),
    )


def _tiles(scope: PageScope) -> tuple[Panel, ...]:
    def used(number: int, utility: Utility, en: str, vi: str) -> Panel:
        return stat(
            number,
            text(f"{en} in this period", f"{vi} trong kỳ xem"),
            text(f"{en} of the chosen tenants.", f"{vi} của các doanh nghiệp đã chọn."),
            CUBIC,
            *totals(scope, utility, "m³"),
            decimals=0,
            colour=COLOUR[utility],
            width=6 if utility is W else 5,
        )

    return (
        freshness(scope, 1, of(W)),
        reporting(scope),
        used(10, W, "Water", "Nước cấp"),
        used(11, WW, "Wastewater", "Nước thải"),
        stat(
            12,
            text("Highest night flow yesterday", "Lưu lượng đêm hôm qua"),
            text(
                "Flow between 02:00 and 04:00 over the mean of the day, of the tenant where it is highest. High without "
                "a night shift means a leak.",
                "Lưu lượng 02:00-04:00 chia cho trung bình ngày, của doanh nghiệp cao nhất. Cao mà không có ca đêm là dấu hiệu rò rỉ.",
            ),
            SHARE,
            _worst_night(scope),
            window=TODAY,
            shift="1d",
            nothing=text("night shift", "có ca đêm"),
            event_free=True,
            steps=(ThresholdStep(None, GOOD), ThresholdStep(0.35, WARN), ThresholdStep(0.6, BAD)),
            width=5,
        ),
    )


def _worst_night(scope: PageScope) -> InfluxQL:
    where = scope.where("\"period\" = 'day'")
    return InfluxQL(f'SELECT max("night_water_ratio") FROM "efficiency" {where}', alias="ratio")


def _flow(scope: PageScope, setting: Setting, utility: Utility, number: int) -> Panel:
    water = utility is W
    return trend(
        number,
        text("Water flow by tenant", "Lưu lượng nước theo doanh nghiệp")
        if water
        else text("Wastewater flow by tenant", "Lưu lượng nước thải theo doanh nghiệp"),
        text(
            "Mean flow from quarter-hour use, stacked by tenant.",
            "Lưu lượng trung bình tính từ tiêu thụ 15 phút, xếp chồng theo doanh nghiệp.",
        ),
        FLOW,
        *rates(scope, utility, "tenant", zone=setting.timezone),
        shift=SETTLED,
        draw=Draw.AREA,
        link=SERIES_TENANT,
        height=9,
    )


def _days(scope: PageScope, utility: Utility, number: int) -> Panel:
    water = utility is W
    return daily(
        number,
        text("Water by day", "Nước cấp theo ngày") if water else text("Wastewater by day", "Nước thải theo ngày"),
        text("Volume of each day, stacked by tenant.", "Lượng mỗi ngày, xếp chồng theo doanh nghiệp."),
        CUBIC,
        figure(scope, figure_of(utility)),
        window="30d",
        link=SERIES_TENANT,
    )


def _night(scope: PageScope, setting: Setting) -> Panel:
    return trend(
        7,
        text("Night flow", "Lưu lượng nước ban đêm"),
        text(
            "Flow between 02:00 and 04:00 over the mean flow of the day, without days that have a night shift. A step up that "
            "stays is a leak.",
            "Lưu lượng 02:00-04:00 chia cho lưu lượng trung bình ngày, không tính ngày có ca đêm. Tăng lên và giữ nguyên là dấu "
            "hiệu rò rỉ.",
        ),
        SHARE,
        by_day(scope, "night_water_ratio", zone=setting.timezone),
        least=DAILY,
        window="30d",
        step="1d",
        draw=Draw.STEP,
        height=12,
        link=SERIES_TENANT,
    )


def _ratio(scope: PageScope) -> Panel:
    return ranking(
        8,
        text("Wastewater to water", "Tỷ lệ nước thải trên nước cấp"),
        text(
            "Share of the water that comes back as wastewater, newest whole day. Over 100 % means a second source, rain, "
            "or a wrong meter.",
            "Phần nước cấp trở thành nước thải, ngày trọn vẹn gần nhất. Trên 100% là có nguồn nước khác, nước mưa hoặc đồng hồ sai.",
        ),
        unit=SHARE,
        question=newest(scope, "wastewater_ratio", also=(WHOLE_DAYS,)),
        name="wastewater_ratio",
        window="3d",
        newest=True,
        width=12,
        steps=(ThresholdStep(None, COLOUR[WW]), ThresholdStep(1.0, BAD)),
    )


def _quality(setting: Setting, quantity: str, title: Localized, unit: str, number: int) -> Panel:
    lines = permitted(setting.parks, quantity, setting.day)
    return trend(
        number,
        title,
        text(
            "Mean of the interval, without calibration and faults. Dashed: the permit's limits in the park file.",
            "Trung bình từng khoảng, không tính lúc hiệu chuẩn và lúc lỗi. Nét đứt: giới hạn theo giấy phép, ghi trong hồ sơ khu.",
        ),
        unit,
        InfluxQL(measured(PageScope(tenant=False), quantity, every="$__interval"), alias="$tag_meter"),
        columns=_names(setting),
        steps=lines,
        lines=bool(lines),
        colour=COLOUR[WW],
        width=8,
        link=SERIES_METER,
        low=None if quantity in {"ph", "temperature_c"} else 0.0,
    )


def _names(setting: Setting) -> tuple[Column, ...]:
    return meter_columns(setting.parks, lambda meter: meter.utility is WW)


def _state(setting: Setting) -> Panel:
    where = PageScope(tenant=False).where(SET_ASIDE)
    return trend(
        25,
        text("Calibration and faults", "Hiệu chuẩn và lỗi thiết bị đo"),
        text(
            "How many readings of an interval the instruments marked as calibrating or at fault; they count for no limit.",
            "Số lần đo trong từng khoảng mà thiết bị báo đang hiệu chuẩn hoặc lỗi; không dùng để xét giới hạn.",
        ),
        "none",
        InfluxQL(
            f'SELECT count("state") FROM "{WW.value}" {where} GROUP BY time($__interval), "meter" fill(none)',
            "$tag_meter",
        ),
        columns=_names(setting),
        draw=Draw.BARS,
        width=8,
        colour=WARN,
        nothing=NONE,
        event_free=True,
    )

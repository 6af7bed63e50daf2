"""Data quality: which meters are silent, incomplete, estimated or refused, and since when?"""

from dashboards.influxql import InfluxQL
from dashboards.panels import SECONDS, SHARE, Column, Page, Panel, PanelRow, Sort, ThresholdStep
from dashboards.queries import NEWEST_ROWS, PageScope, of_usage_or_days
from dashboards.setting import Setting
from dashboards.tiles import (
    BY_UTILITY,
    CHOICES,
    COMPLETE,
    EVENT_COLUMN,
    METER_COLUMN,
    SETTLED,
    SILENCE,
    TENANT_COLUMN,
    TIME_COLUMN,
    freshness,
    marks,
    ranking,
    reporting,
    stat,
    table,
    trend,
)
from dashboards.words import EVENT, NONE, NOT_KNOWN, REASON
from metering.words import BAD, GOOD, UTILITY, WARN, text
from store.schema import EVENTS, GATEWAY_CLOCK, METER_STATUS, REFUSED_COUNT, USAGE

_NAMES = {utility.value: name for utility, name in UTILITY.items()}


def page(setting: Setting) -> Page:
    """The page of data quality."""
    scope = PageScope()
    return Page(
        "quality",
        text("Data quality", "Chất lượng số liệu"),
        text(
            "Which meters are silent, incomplete, estimated or refused, and since when?",
            "Đồng hồ nào mất tín hiệu, thiếu số liệu, phải ước tính hoặc có số liệu bị từ chối, và từ bao giờ?",
        ),
        (
            PanelRow(
                (
                    freshness(scope),
                    reporting(scope),
                    _silent_count(scope),
                    _complete(scope),
                    _estimated(scope),
                    _refused(),
                )
            ),
            PanelRow((_silent(scope), _course(scope))),
            PanelRow((_worst(scope), _refusals())),
            PanelRow((_clocks(),)),
            PanelRow((_events(scope),)),
        ),
        CHOICES,
        marks=marks(PageScope(tenant=False)),
    )


def _silent_count(scope: PageScope) -> Panel:
    inner = f'SELECT {SILENCE} FROM "{METER_STATUS}" {scope.where()} GROUP BY "meter"'
    return stat(
        3,
        text("Silent meters", "Đồng hồ mất tín hiệu"),
        text(
            "Not heard for longer than they may be: 15 minutes unless the park file says otherwise, or three of their own "
            "intervals.",
            "Mất tín hiệu quá thời gian cho phép: 15 phút nếu hồ sơ khu không quy định khác, hoặc ba chu kỳ đọc của đồng hồ.",
        ),
        "none",
        InfluxQL(f'SELECT count("age") FROM ({inner}) WHERE "silence" > 1', alias="silent"),
        window="15m",
        steps=(ThresholdStep(None, GOOD), ThresholdStep(1, BAD)),
        nothing=NONE,
        event_free=True,
    )


def _complete(scope: PageScope) -> Panel:
    return stat(
        4,
        text("Completeness", "Mức độ đầy đủ dữ liệu"),
        text("Of all quarter hours of all meters in this period.", "Của mọi khoảng 15 phút, mọi đồng hồ trong kỳ xem."),
        SHARE,
        *of_usage_or_days(scope, "mean", "completeness"),
        shift=SETTLED,
        high=1.0,
        decimals=2,
        steps=COMPLETE,
    )


def _estimated(scope: PageScope) -> Panel:
    return stat(
        5,
        text("Estimated share", "Tỷ lệ ước tính"),
        text(
            "Mean over all quarter hours and meters in this period.",
            "Trung bình mọi khoảng 15 phút và đồng hồ trong kỳ xem.",
        ),
        SHARE,
        *of_usage_or_days(scope, "mean", "estimated"),
        shift=SETTLED,
        high=1.0,
        decimals=2,
        steps=(ThresholdStep(None, GOOD), ThresholdStep(0.05, WARN), ThresholdStep(0.2, BAD)),
    )


def _refused() -> Panel:
    return stat(
        6,
        text("Refused readings", "Số liệu bị từ chối"),
        text(
            "Counted by reason; the messages themselves are kept up to each gateway's limit.",
            "Được đếm theo lý do; nội dung được lưu lại trong hạn mức của mỗi thiết bị thu thập.",
        ),
        "none",
        InfluxQL(
            f'SELECT sum("count") FROM "{REFUSED_COUNT}" WHERE "park" =~ /^$park$/ AND $timeFilter',
            alias="refused",
        ),
        steps=(ThresholdStep(None, GOOD), ThresholdStep(1, WARN)),
        nothing=NONE,
        event_free=True,
    )


def _silent(scope: PageScope) -> Panel:
    inner = f'SELECT {SILENCE} FROM "{METER_STATUS}" {scope.where()} GROUP BY "tenant", "utility", "meter"'
    return table(
        10,
        text("Longest silence", "Mất tín hiệu lâu nhất"),
        text(
            "Time since the last reading of each meter, longest first as a share of what it may be silent.",
            "Thời gian từ lần đọc cuối của từng đồng hồ, xếp theo tỷ lệ so với thời gian mất tín hiệu cho phép, lâu nhất trước.",
        ),
        "none",
        InfluxQL(f'SELECT "age", "silence" FROM ({inner}) GROUP BY "tenant", "utility", "meter"', form="table"),
        columns=(
            METER_COLUMN,
            TENANT_COLUMN,
            Column("utility", text("Utility", "Tiện ích"), mapped=_NAMES, width=125),
            Column("age", text("Since last reading", "Từ lần đọc cuối"), SECONDS, decimals=0, width=90),
            Column(
                "silence",
                text("Of what is allowed", "So với mức cho phép"),
                SHARE,
                steps=(ThresholdStep(None, GOOD), ThresholdStep(1, WARN), ThresholdStep(4, BAD)),
                decimals=0,
                width=90,
            ),
        ),
        window="15m",
        newest=True,
        width=16,
        height=10,
        sort=Sort("silence"),
    )


def _course(scope: PageScope) -> Panel:
    statement = (
        f'SELECT mean("completeness") FROM "{USAGE}" {scope.where()} GROUP BY time($__interval), "utility" fill(none)'
    )
    return trend(
        11,
        text("Completeness by utility, 24 hours", "Mức độ đầy đủ theo tiện ích, 24 giờ"),
        text(
            "A dip of one utility alone points to its gateway.",
            "Chỉ một tiện ích bị tụt thường do thiết bị thu thập của tiện ích đó.",
        ),
        SHARE,
        InfluxQL(statement, "$tag_utility"),
        columns=BY_UTILITY,
        window="24h",
        shift=SETTLED,
        high=1.0,
        width=8,
        height=10,
    )


def _worst(scope: PageScope) -> Panel:
    each = f'SELECT mean("estimated") AS "share" FROM "{USAGE}" {scope.where()} GROUP BY "meter"'
    estimated = f'SELECT "share" FROM ({each}) WHERE "share" > 0 GROUP BY "meter"'
    return ranking(
        12,
        text("Most estimated meters, 24 hours", "Đồng hồ phải ước tính nhiều nhất, 24 giờ"),
        text(
            "Mean estimated share of the last 24 hours; the ten worst.",
            "Tỷ lệ ước tính trung bình 24 giờ gần nhất; mười đồng hồ cao nhất.",
        ),
        unit=SHARE,
        question=InfluxQL(estimated),
        name="share",
        of_meters=True,
        steps=(ThresholdStep(None, GOOD), ThresholdStep(0.05, WARN), ThresholdStep(0.2, BAD)),
        window="24h",
        shift=SETTLED,
        high=1.0,
        most=10,
        nothing=text("nothing was estimated", "không phải ước tính"),
        event_free=True,
        width=12,
    )


def _refusals() -> Panel:
    where = 'WHERE "park" =~ /^$park$/ AND $timeFilter'
    return table(
        13,
        text("Refusals by gateway and reason", "Số liệu bị từ chối theo thiết bị thu thập và lý do"),
        text(
            "How often in this period. The command `ecopark refused list` shows what was received.",
            "Số lần trong kỳ xem. Xem nội dung nhận được bằng lệnh: ecopark refused list.",
        ),
        "none",
        InfluxQL(
            f'SELECT sum("count") AS "count" FROM "{REFUSED_COUNT}" {where} GROUP BY "gateway", "reason"',
            form="table",
        ),
        columns=(
            Column("gateway", text("Gateway", "Thiết bị thu thập"), mapped={"": NOT_KNOWN}, width=200),
            Column("reason", text("Reason", "Lý do"), mapped=REASON),
            Column("count", text("Times", "Số lần"), decimals=0, width=100),
        ),
        width=12,
        height=12,
        sort=Sort("count"),
        event_free=True,
    )


def _clocks() -> Panel:
    statement = (
        f'SELECT median("behind_s") FROM "{GATEWAY_CLOCK}" WHERE "park" =~ /^$park$/ AND $timeFilter '
        'GROUP BY time($__interval), "gateway" fill(none)'
    )
    return trend(
        15,
        text("Clocks of gateways", "Giờ hệ thống của các thiết bị thu thập"),
        text(
            "From the instant that a reading names to its receipt, the least of each minute. Near zero the clocks agree; below "
            "zero the gateway's is ahead; above, it is behind, or all comes late.",
            "Từ thời điểm ghi trong bản tin đến lúc nhận, giá trị nhỏ nhất mỗi phút. Gần 0: giờ khớp; dưới 0: giờ của thiết bị chạy "
            "nhanh; trên 0: chạy chậm, hoặc mọi số liệu đều đến trễ.",
        ),
        SECONDS,
        InfluxQL(statement, "$tag_gateway"),
        step="1m",
        width=24,
        event_free=True,
    )


def _events(scope: PageScope) -> Panel:
    return table(
        14,
        text("Events", "Sự kiện"),
        text(
            "What happened to meters, tariffs and gateways in the last 90 days.",
            "Sự kiện của đồng hồ, biểu giá, thiết bị thu thập (gateway) trong 90 ngày gần đây.",
        ),
        "none",
        InfluxQL(
            f'SELECT "kind", "tenant", "meter", "text_en", "text_vi" FROM "{EVENTS}" {scope.where()} {NEWEST_ROWS}',
            form="table",
        ),
        columns=(
            TIME_COLUMN,
            Column("kind", text("Event", "Sự kiện"), mapped=EVENT, width=200),
            TENANT_COLUMN,
            METER_COLUMN,
            EVENT_COLUMN,
        ),
        window="90d",
        nothing=NONE,
        sort=Sort("Time"),
        event_free=True,
    )

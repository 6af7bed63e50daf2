"""The pipeline's own health: do readings reach the database, how fast, and what delays them?"""

from dashboards.influxql import InfluxQL
from dashboards.panels import SECONDS, Page, Panel, PanelRow, ThresholdStep, Words
from dashboards.queries import PageScope
from dashboards.setting import Setting
from dashboards.tiles import PARK_CHOICE, freshness, reporting, stat, trend
from dashboards.words import PLAIN
from metering.model import Localized
from metering.words import BAD, GOOD, WARN, text
from store.schema import PIPELINE

PER_SECOND = "suffix:/s"
INGEST = "\"service\" = 'ingest'"


def _now(field: str, how: str, each: str = "last") -> InfluxQL:
    inner = f'SELECT {each}("{field}") AS "value" FROM "{PIPELINE}" WHERE {INGEST} AND $timeFilter GROUP BY "instance"'
    return InfluxQL(f'SELECT {how}("value") FROM ({inner})', alias="value")


def _course(field: str, how: str = "mean") -> InfluxQL:
    return InfluxQL(
        f'SELECT {how}("{field}") FROM "{PIPELINE}" WHERE {INGEST} AND $timeFilter '
        'GROUP BY time($__interval), "instance" fill(none)',
        "$tag_instance",
    )


def page(setting: Setting) -> Page:
    """The page of the pipeline."""
    return Page(
        "pipeline",
        text("Pipeline health", "Tình trạng đường truyền số liệu"),
        text(
            "Do readings get from the broker into the database, how fast, and what is holding them up?",
            "Số liệu có đi từ máy chủ MQTT vào cơ sở dữ liệu không, nhanh chậm ra sao, vướng ở đâu?",
        ),
        (
            PanelRow(
                (
                    freshness(PageScope(tenant=False), width=8),
                    reporting(PageScope(tenant=False), 90, width=8),
                    *_tiles(),
                )
            ),
            PanelRow((_rates(), _refused())),
            PanelRow((_lag(), _write())),
            PanelRow((_held(), _memory())),
        ),
        (PARK_CHOICE,),
        start="now-6h",
    )


def _tile(
    number: int, title: Localized, about: Localized, unit: Words, field: str, how: str, steps: tuple[ThresholdStep, ...]
) -> Panel:
    return stat(
        number,
        title,
        about,
        unit,
        _now(field, how, "mean" if unit == PER_SECOND else "last"),
        window="15m",
        steps=steps,
        decimals=1 if unit in {SECONDS, PER_SECOND} else 0,
        width=8 if unit == PER_SECOND else 6,
    )


def _tiles() -> tuple[Panel, ...]:
    plain = (ThresholdStep(None, PLAIN),)
    return (
        _tile(
            2,
            text("Readings stored per second", "Số liệu lưu mỗi giây"),
            text(
                "Mean of the last 15 minutes, summed over all ingesters.",
                "Trung bình 15 phút gần nhất, tổng các bộ tiếp nhận.",
            ),
            unit=PER_SECOND,
            field="readings_per_s",
            how="sum",
            steps=plain,
        ),
        _tile(
            3,
            text("Time since the last write", "Từ lần ghi cuối"),
            text("Of the ingester that has waited longest.", "Của bộ tiếp nhận chờ lâu nhất."),
            unit=SECONDS,
            field="last_write_age_s",
            how="max",
            steps=(ThresholdStep(None, GOOD), ThresholdStep(120, WARN), ThresholdStep(600, BAD)),
        ),
        _tile(
            4,
            text("Age of readings when stored", "Độ trễ số liệu khi ghi"),
            text(
                "Age of the newest reading of the last batch when the database confirmed it.",
                "Thời gian từ lúc đo đến lúc cơ sở dữ liệu xác nhận, của số liệu mới nhất trong lô cuối.",
            ),
            unit=SECONDS,
            field="lag_s",
            how="max",
            steps=(ThresholdStep(None, GOOD), ThresholdStep(120, WARN), ThresholdStep(900, BAD)),
        ),
        _tile(
            5,
            text("Unacknowledged messages", "Tin chưa xác nhận"),
            text("Received, not yet confirmed by the database.", "Đã nhận nhưng cơ sở dữ liệu chưa xác nhận."),
            unit=text("suffix:msg", "suffix:tin"),
            field="unacknowledged",
            how="sum",
            steps=(ThresholdStep(None, GOOD), ThresholdStep(10000, WARN)),
        ),
        _tile(
            6,
            text("Retries since start", "Số lần thử lại từ khi chạy"),
            text("Writes that had to be tried again.", "Số lần ghi phải thử lại."),
            unit="none",
            field="retries",
            how="sum",
            steps=plain,
        ),
    )


def _rates() -> Panel:
    return trend(
        10,
        text("Readings stored per second", "Số liệu lưu mỗi giây"),
        text("By ingester.", "Theo bộ tiếp nhận."),
        PER_SECOND,
        _course("readings_per_s"),
        step="10s",
    )


def _refused() -> Panel:
    return trend(
        11,
        text("Readings refused per second", "Số liệu bị từ chối mỗi giây"),
        text(
            "By ingester; the page on data quality tells the reasons.",
            "Theo bộ tiếp nhận; lý do xem trang chất lượng số liệu.",
        ),
        PER_SECOND,
        _course("refused_per_s"),
        step="10s",
        colour=BAD,
    )


def _lag() -> Panel:
    return trend(
        12,
        text("Age of readings when stored", "Độ trễ số liệu khi ghi"),
        text(
            "Rises while a backlog is worked off, for instance after a gateway was offline.",
            "Tăng khi đang xử lý phần tồn đọng, ví dụ sau khi thiết bị thu thập mất kết nối.",
        ),
        SECONDS,
        _course("lag_s", "max"),
        step="10s",
    )


def _write() -> Panel:
    return trend(
        13,
        text("Time per write", "Thời gian một lần ghi"),
        text(
            "Mean time until the database confirmed a batch.",
            "Thời gian trung bình đến khi cơ sở dữ liệu xác nhận một lô.",
        ),
        "ms",
        _course("write_ms"),
        step="10s",
    )


def _held() -> Panel:
    return trend(
        14,
        text("Held in memory", "Đang giữ trong bộ nhớ"),
        text("Bytes of messages waiting for the database.", "Dung lượng tin đang chờ cơ sở dữ liệu."),
        "bytes",
        _course("held_bytes", "max"),
        step="10s",
    )


def _memory() -> Panel:
    return trend(
        15,
        text("Memory of the process", "Bộ nhớ của tiến trình"),
        text("Highest resident size so far.", "Dung lượng bộ nhớ thực chiếm lớn nhất đến nay."),
        "decmbytes",
        _course("resident_mb", "max"),
        step="10s",
    )

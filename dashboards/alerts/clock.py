"""A gateway whose clock is off: what it reads is put into the wrong quarter hours, and into the wrong price band."""

from collections.abc import Iterator
from datetime import date

from dashboards.alerts.asking import HOUR, had_by, where
from dashboards.alerts.rule import AlertRule, Outside, Question, Severity
from metering.park import Park
from metering.words import text
from store.schema import GATEWAY_CLOCK

_MARGIN_S = 10


def rules(park: Park, day: date) -> Iterator[AlertRule]:
    """One rule for each gateway that has meters on a day.

    A reading may come as late as the meter that is read most often has its next one.
    """
    for gateway in park.gateways:
        read = [meter.interval_s for meter in park.meters_of(gateway.id) if had_by(park, meter, day) is not None]
        if read:
            yield _clock(park, gateway.id, park.park.clock_off_s + min(read))


def _clock(park: Park, gateway: str, behind_s: float) -> AlertRule:
    """Of the minutes of an hour, the one in the middle: a backlog that comes late for some of them is no clock."""
    found = where(park, f"\"gateway\" = '{gateway}'")
    return AlertRule(
        kind="gateway-clock",
        park=park.id,
        of=gateway,
        name=text("Clock of a gateway is off", "Đồng hồ hệ thống của thiết bị thu thập bị lệch"),
        severity=Severity.WARNING,
        questions=(Question(f'SELECT median("behind_s") FROM "{GATEWAY_CLOCK}" {found} GROUP BY "gateway"', HOUR),),
        fires=Outside(-park.park.clock_off_s, behind_s, _MARGIN_S),
        what=text(
            "Readings of gateway {labels.gateway} come {value} s after the instants that they name (below zero: before), most "
            "of the last hour: its clock is off, or all of it comes late.",
            "Trong phần lớn giờ qua, số liệu của thiết bị thu thập {labels.gateway} đến sau thời điểm ghi trong bản tin {value} giây "
            "(số âm: đến trước): giờ của thiết bị bị lệch hoặc mọi số liệu đều đến trễ.",
        ),
        first=text(
            "Look first at the gateway's clock and its time server. What it read meanwhile stands at the wrong time, and near a "
            "change of price band in the wrong band.",
            "Kiểm tra trước giờ hệ thống và máy chủ thời gian (NTP) của thiết bị. Số liệu trong thời gian đó bị ghi sai thời điểm; gần lúc "
            "đổi khung giờ thì bị tính sai khung giá.",
        ),
        page="quality",
        panel=15,
        hold="10m",
        shape="%.0f",
    )

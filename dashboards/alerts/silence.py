"""Alerts on the path of readings: silence, refusals, a stalled pipeline, and what cannot be computed.

A silent gateway mutes its meters: the rule of the meters multiplies by whether any meter of the same gateway is heard.
"""

from typing import Final

from dashboards.alerts.rule import AlertKind, Allowed, Margin, Question, Severity, Silence
from dashboards.alerts.statements import GATEWAY, HOUR, MINUTE, statement
from dashboards.alerts.subjects import clocks, gateways, meters_of_gateways
from metering.words import text
from store.schema import GATEWAY_CLOCK, METER_STATUS, PIPELINE, REFUSED_COUNT

_LOOK_BACK = 10 * MINUTE
_EACH_METER = '"tenant", "utility", "meter"'
_AGE = statement('last("seconds_since_last")', METER_STATUS, "{meters}", by=_EACH_METER)
_AGES = statement('last("seconds_since_last") AS "age"', METER_STATUS, "{others}", by='"meter"')
_YOUNGEST = f'SELECT min("age") FROM ({_AGES})'
_HEARD = statement('last("heard") AS "heard"', METER_STATUS, by=_EACH_METER)
_NEVER_HEARD = f'SELECT count("heard") FROM ({_HEARD}) WHERE "heard" = false GROUP BY {_EACH_METER}'
_WAITING = (
    f'SELECT last("waiting_s") FROM "{PIPELINE}" WHERE "service" = \'ingest\' AND $timeFilter GROUP BY "instance"'
)
_CLOCK = statement('median("behind_s")', GATEWAY_CLOCK, GATEWAY, by='"gateway"')
"""The median of the minutes of an hour: a backlog that comes late in some of them does not count as a wrong clock."""
_CLOCKS_SPREAD = statement('spread("behind_s")', GATEWAY_CLOCK, GATEWAY, by='"gateway"')
_STEADY_S = 5 * MINUTE
"""A wrong clock is off by nearly the same all the time; a backlog that is being delivered gets less and less late."""

KINDS: Final = (
    AlertKind(
        id="silent-meter",
        subjects=meters_of_gateways,
        of="{gateway}, {seconds} s",
        name=text("Silent meter", "Đồng hồ mất tín hiệu"),
        questions=(Question(_AGE, _LOOK_BACK), Question(_YOUNGEST, _LOOK_BACK)),
        combine="$A * ($B < {others_s})",
        margin=Margin(share=0.5),
        what=text(
            "Meter {labels.meter} ({labels.tenant}) at {gateway} has sent nothing for {value}; the other meters there are heard.",
            "Đồng hồ {labels.meter} ({labels.tenant}) tại thiết bị thu thập {gateway} đã {value} không gửi số liệu; các đồng hồ "
            "khác ở đó vẫn có tín hiệu.",
        ),
        first=text(
            "Check the meter's own line first: supply, bus address, cable, and whether it was replaced today.",
            "Kiểm tra trước nguồn, địa chỉ truyền thông và cáp của đồng hồ, và hôm nay có thay đồng hồ không.",
        ),
        page="quality",
        panel=10,
        shape="duration",
    ),
    AlertKind(
        id="silent-gateway",
        subjects=gateways,
        of="{gateway}",
        name=text("Silent gateway", "Thiết bị thu thập mất tín hiệu"),
        severity=Severity.CRITICAL,
        questions=(Question(_YOUNGEST, _LOOK_BACK),),
        margin=Margin(share=0.5),
        what=text(
            "No meter of gateway {gateway} ({count} meters) has been heard for {value}. Its readings are waiting in its spool.",
            "Không đồng hồ nào của thiết bị thu thập (gateway) {gateway} ({count} đồng hồ) có tín hiệu trong {value} qua. Số liệu "
            "đang chờ trong bộ đệm của thiết bị.",
        ),
        first=text(
            "Check its power and network first. As long as it runs nothing is lost: it sends later what it has kept.",
            "Kiểm tra trước nguồn điện và mạng; thiết bị thu thập còn chạy thì không mất số liệu và sẽ gửi bù.",
        ),
        page="quality",
        panel=10,
        shape="duration",
    ),
    AlertKind(
        id="never-heard",
        name=text("Meter never heard", "Đồng hồ chưa từng có số liệu"),
        severity=Severity.INFO,
        questions=(Question(_NEVER_HEARD, _LOOK_BACK),),
        what=text(
            "Meter {labels.meter} ({labels.tenant}) is in the park file but has never sent a reading.",
            "Đồng hồ {labels.meter} ({labels.tenant}) có trong hồ sơ khu nhưng chưa từng gửi số liệu.",
        ),
        first=text(
            "Check first whether it is installed, and whether its gateway, address and id in the park file are right.",
            "Kiểm tra trước đồng hồ đã lắp chưa; thiết bị thu thập, địa chỉ và mã trong hồ sơ khu có đúng không.",
        ),
        page="quality",
        panel=2,
        hold=HOUR,
        shape="%.0f",
    ),
    AlertKind(
        id="status-missing",
        name=text("Meters are not being watched", "Không giám sát được đồng hồ"),
        severity=Severity.CRITICAL,
        questions=(Question(statement('count("heard")', METER_STATUS), _LOOK_BACK),),
        allowed=Allowed(high=1e12),
        margin=Margin(),
        what=text(
            "The usage service has written no meter status for 10 minutes: alerts on silent meters cannot fire.",
            "Đã 10 phút dịch vụ tính tiêu thụ không ghi tình trạng đồng hồ: cảnh báo đồng hồ mất tín hiệu không hoạt động được.",
        ),
        first=text(
            "Check first whether the usage service is running and the database answers.",
            "Kiểm tra trước dịch vụ tính tiêu thụ có chạy và cơ sở dữ liệu có trả lời không.",
        ),
        page="quality",
        panel=1,
        silence=Silence.ALERTING,
        shape="%.0f",
    ),
    AlertKind(
        id="refused",
        name=text("Readings refused", "Số liệu bị từ chối"),
        questions=(Question(statement('sum("count")', REFUSED_COUNT, by='"gateway", "reason"'), HOUR),),
        what=text(
            "Gateway {labels.gateway}: {value} refused within the last hour ({labels.reason}).",
            "Thiết bị thu thập {labels.gateway}: {value} số liệu bị từ chối trong một giờ qua ({labels.reason}).",
        ),
        first=text(
            "Look at the list of refusals first: a meter missing from the park file, a wrong unit, a wrong clock.",
            "Xem trước danh sách số liệu bị từ chối: đồng hồ chưa có trong hồ sơ khu, sai đơn vị, sai giờ của thiết bị.",
        ),
        page="quality",
        panel=13,
        hold=10 * MINUTE,
        shape="%.0f",
    ),
    AlertKind(
        id="ingest-stalled",
        name=text("Nothing is written", "Không ghi được số liệu"),
        severity=Severity.CRITICAL,
        questions=(Question(_WAITING, 5 * MINUTE),),
        allowed=Allowed(high=300),
        margin=Margin(by=240),
        what=text(
            "Messages have waited for {value} at ingester {labels.instance} and nothing is written, or it says nothing at all.",
            "Tin đã chờ {value} ở bộ tiếp nhận {labels.instance} mà không ghi được, hoặc nó không còn phản hồi.",
        ),
        first=text(
            "Check first whether database and broker answer and the disk has room; messages are waiting in the broker.",
            "Kiểm tra trước cơ sở dữ liệu và máy chủ MQTT có trả lời, đĩa còn chỗ không; số liệu đang chờ ở máy chủ MQTT.",
        ),
        page="pipeline",
        panel=3,
        silence=Silence.ALERTING,
        shape="duration",
    ),
    AlertKind(
        id="not-computed",
        name=text("Not computed", "Không tính được"),
        severity=Severity.CRITICAL,
        questions=(Question(statement('last("not_computed")', PIPELINE, by='"part"'), 2 * MINUTE),),
        allowed=Allowed(high=0.5),
        margin=Margin(by=0.3),
        what=text(
            "The usage service cannot compute {labels.part} and has set it aside; everything else is computed.",
            "Dịch vụ tính tiêu thụ không tính được {labels.part} và tạm bỏ qua; phần còn lại vẫn được tính.",
        ),
        first=text(
            "Look first at the event of this kind and the log of the usage service: they name the cause. Please report a fault of "
            "Ecopark; what a wrong reading or park file caused is computed again once that is corrected.",
            "Xem trước sự kiện cùng loại và nhật ký dịch vụ tính tiêu thụ để biết nguyên nhân. Lỗi của Ecopark: hãy báo lại; số liệu hoặc "
            "hồ sơ khu sai: sau khi sửa, dịch vụ tự tính lại.",
        ),
        page="quality",
        panel=1,
        shape="%.0f",
    ),
    AlertKind(
        id="gateway-clock",
        subjects=clocks,
        of="{gateway}",
        name=text("Clock of a gateway is off", "Đồng hồ hệ thống của thiết bị thu thập bị lệch"),
        questions=(Question(_CLOCK, HOUR), Question(_CLOCKS_SPREAD, HOUR)),
        combine=f"$A * ($B < {_STEADY_S})",
        margin=Margin(by=10),
        what=text(
            "Readings of gateway {labels.gateway} come {value} s after the instants that they name (below zero: before), all "
            "of the last hour: its clock is off, or all of it comes late.",
            "Trong suốt giờ qua, số liệu của thiết bị thu thập {labels.gateway} đến sau thời điểm ghi trong bản tin {value} giây "
            "(số âm: đến trước): giờ của thiết bị bị lệch hoặc mọi số liệu đều đến trễ.",
        ),
        first=text(
            "Look first at the gateway's clock and its time server. Its readings meanwhile have the wrong time, and near a "
            "change of price band the wrong band.",
            "Kiểm tra trước giờ hệ thống và máy chủ thời gian (NTP) của thiết bị. Số liệu trong thời gian đó bị ghi sai thời điểm; gần lúc "
            "đổi khung giờ thì bị tính sai khung giá.",
        ),
        page="quality",
        panel=15,
        hold=10 * MINUTE,
        shape="%.0f",
    ),
)

"""Alerts 1: silent meters and gateways, refused readings, a pipeline that stands still, and what cannot be computed.

A silent gateway mutes its meters: the rule of the meters multiplies by whether any meter of the same gateway is heard.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dashboards.alerts.asking import HOUR, MINUTE, had_by, one_of, where
from dashboards.alerts.rule import Above, AlertRule, Question, Severity, Silence
from metering.park import Park
from metering.words import text
from store.schema import METER_STATUS, PIPELINE, REFUSED_COUNT

LOOK_BACK = 10 * MINUTE


def rules(park: Park, day: date) -> Iterator[AlertRule]:
    """Every rule of this kind for one park; `day` decides which meters there are, and whose."""
    for gateway in park.gateways:
        groups: dict[int, list[str]] = defaultdict(list)
        for meter in park.meters_of(gateway.id):
            had = had_by(park, meter, day)
            if had is not None:
                groups[park.silent_after_s(meter, had.tenant, day)].append(meter.id)
        if not groups:
            continue
        every = [name for ids in groups.values() for name in ids]
        for seconds, ids in sorted(groups.items()):
            yield _meters(park, gateway.id, seconds, ids, _Others(every, min(groups)))
        yield _gateway(park, gateway.id, min(groups), every)
    yield _never(park)
    yield _status(park)
    yield _refused(park)
    yield _stalled(park)
    yield _not_computed(park)


@dataclass(frozen=True, slots=True)
class _Others:
    """All meters of a gateway, and after how long without any of them it is silent itself."""

    ids: list[str]
    seconds: int


def _youngest(park: Park, meters: list[str]) -> str:
    found = where(park, one_of("meter", meters))
    inner = f'SELECT last("seconds_since_last") AS "age" FROM "{METER_STATUS}" {found} GROUP BY "meter"'
    return f'SELECT min("age") FROM ({inner})'


def _meters(park: Park, gateway: str, seconds: int, ids: list[str], others: _Others) -> AlertRule:
    each = (
        f'SELECT last("seconds_since_last") FROM "{METER_STATUS}" {where(park, one_of("meter", ids))} '
        'GROUP BY "tenant", "utility", "meter"'
    )
    return AlertRule(
        kind="silent-meter",
        park=park.id,
        of=f"{gateway}, {seconds} s",
        name=text("Silent meter", "Đồng hồ mất tín hiệu"),
        severity=Severity.WARNING,
        questions=(Question(each, LOOK_BACK), Question(_youngest(park, others.ids), LOOK_BACK)),
        fires=Above(seconds, seconds / 2),
        what=text(
            f"Meter {{labels.meter}} ({{labels.tenant}}) at {gateway} has sent nothing for {{value}}; the other meters there are heard.",
            f"Đồng hồ {{labels.meter}} ({{labels.tenant}}) tại thiết bị thu thập {gateway} đã {{value}} không gửi số liệu; các đồng hồ "
            "khác ở đó vẫn có tín hiệu.",
        ),
        first=text(
            "Check the meter's own line first: supply, bus address, cable, and whether it was replaced today.",
            "Kiểm tra trước nguồn, địa chỉ truyền thông và cáp của đồng hồ, và hôm nay có thay đồng hồ không.",
        ),
        page="quality",
        panel=10,
        combine=f"$A * ($B < {others.seconds})",
        shape="duration",
    )


def _gateway(park: Park, gateway: str, seconds: int, ids: list[str]) -> AlertRule:
    return AlertRule(
        kind="silent-gateway",
        park=park.id,
        of=gateway,
        name=text("Silent gateway", "Thiết bị thu thập mất tín hiệu"),
        severity=Severity.CRITICAL,
        questions=(Question(_youngest(park, ids), LOOK_BACK),),
        fires=Above(seconds, seconds / 2),
        what=text(
            f"No meter of gateway {gateway} ({len(ids)} meters) has been heard for {{value}}. Its readings are waiting in its spool.",
            f"Không đồng hồ nào của thiết bị thu thập (gateway) {gateway} ({len(ids)} đồng hồ) có tín hiệu trong {{value}} qua. Số liệu "
            "đang chờ trong bộ đệm của thiết bị.",
        ),
        first=text(
            "Check its power and network first. As long as it runs nothing is lost: it sends later what it has kept.",
            "Kiểm tra trước nguồn điện và mạng; thiết bị thu thập còn chạy thì không mất số liệu và sẽ gửi bù.",
        ),
        page="quality",
        panel=10,
        shape="duration",
    )


def _never(park: Park) -> AlertRule:
    meter = 'GROUP BY "tenant", "utility", "meter"'
    newest = f'SELECT last("heard") AS "heard" FROM "{METER_STATUS}" {where(park)} {meter}'
    query = f'SELECT count("heard") FROM ({newest}) WHERE "heard" = false {meter}'
    return AlertRule(
        kind="never-heard",
        park=park.id,
        of="",
        name=text("Meter never heard", "Đồng hồ chưa từng có số liệu"),
        severity=Severity.INFO,
        questions=(Question(query, LOOK_BACK),),
        fires=Above(0, 0.5),
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
        hold="1h",
        shape="%.0f",
    )


def _status(park: Park) -> AlertRule:
    return AlertRule(
        kind="status-missing",
        park=park.id,
        of="",
        name=text("Meters are not being watched", "Không giám sát được đồng hồ"),
        severity=Severity.CRITICAL,
        questions=(Question(f'SELECT count("heard") FROM "{METER_STATUS}" {where(park)}', LOOK_BACK),),
        fires=Above(1e12, 1e12),
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
    )


def _refused(park: Park) -> AlertRule:
    query = f'SELECT sum("count") FROM "{REFUSED_COUNT}" {where(park)} GROUP BY "gateway", "reason"'
    return AlertRule(
        kind="refused",
        park=park.id,
        of="",
        name=text("Readings refused", "Số liệu bị từ chối"),
        severity=Severity.WARNING,
        questions=(Question(query, HOUR),),
        fires=Above(0, 0.5),
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
        hold="10m",
        shape="%.0f",
    )


def _stalled(park: Park) -> AlertRule:
    query = (
        f'SELECT last("waiting_s") FROM "{PIPELINE}" WHERE "service" = \'ingest\' AND $timeFilter GROUP BY "instance"'
    )
    return AlertRule(
        kind="ingest-stalled",
        park=park.id,
        of="",
        name=text("Nothing is written", "Không ghi được số liệu"),
        severity=Severity.CRITICAL,
        questions=(Question(query, 5 * MINUTE),),
        fires=Above(300, 60),
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
    )


def _not_computed(park: Park) -> AlertRule:
    query = f'SELECT last("not_computed") FROM "{PIPELINE}" {where(park)} GROUP BY "part"'
    return AlertRule(
        kind="not-computed",
        park=park.id,
        of="",
        name=text("Not computed", "Không tính được"),
        severity=Severity.CRITICAL,
        questions=(Question(query, 2 * MINUTE),),
        fires=Above(0.5, 0.2),
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
    )

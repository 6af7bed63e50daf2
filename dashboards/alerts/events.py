"""Alerts on events of a meter that the usage service finds."""

from typing import Final

from dashboards.alerts.rule import AlertKind, Question, Severity
from dashboards.alerts.statements import DAY_S, HOUR, one_of, statement
from dashboards.words import DOUBTFUL_EVENTS, UNIT_EVENT
from metering.words import text
from store.schema import EVENTS


def _counted(*kinds: str, by: str = '"tenant", "meter"') -> str:
    return statement('count("text_en")', EVENTS, one_of("kind", kinds), by=by)


_IN_DOUBT = _counted(*(kind for kind in DOUBTFUL_EVENTS if kind != UNIT_EVENT), by='"tenant", "meter", "kind"')

KINDS: Final = (
    AlertKind(
        id="meter-event",
        name=text("Meter reset, stuck or doubtful", "Đồng hồ bị đặt lại, đứng số hoặc chỉ số bất thường"),
        questions=(Question(_IN_DOUBT, 2 * HOUR, "sum"),),
        what=text(
            "Meter {labels.meter} of {labels.tenant}: {labels.kind} ({value} in the last two hours); its use is estimated or not known.",
            "Đồng hồ {labels.meter} của {labels.tenant}: {labels.kind}, {value} lần trong hai giờ qua; tiêu thụ được ước tính hoặc không xác định được.",
        ),
        first=text(
            "Answer the question of the event. Was the meter replaced? Enter it with both registers in the park file.",
            "Trả lời câu hỏi của sự kiện. Có thay đồng hồ không? Nếu có, ghi cùng chỉ số tháo và chỉ số lắp vào hồ sơ khu.",
        ),
        page="quality",
        panel=14,
        hold=0,
        shape="%.0f",
    ),
    AlertKind(  # Fires until the question is answered: all use since then may be off by a power of ten.
        id="meter-unit",
        name=text("Unit of a register in doubt", "Nghi vấn đơn vị của chỉ số"),
        questions=(Question(_counted(UNIT_EVENT), 90 * DAY_S, "sum"),),
        what=text(
            "Meter {labels.meter} of {labels.tenant}: its use changed by a power of ten; until somebody says why, all use since "
            "then is in doubt.",
            "Đồng hồ {labels.meter} của {labels.tenant}: mức tiêu thụ thay đổi theo lũy thừa của 10; khi chưa rõ nguyên nhân thì mọi "
            "lượng tiêu thụ từ lúc đó còn nghi vấn.",
        ),
        first=text(
            "Answer the question of the event: was the register's unit changed by an update or an exchange? Enter in the park file "
            "what it was.",
            "Trả lời câu hỏi của sự kiện: đơn vị của chỉ số có đổi do cập nhật hay thay thiết bị không? Khai báo vào hồ sơ khu.",
        ),
        page="quality",
        panel=14,
        hold=0,
        shape="%.0f",
    ),
    AlertKind(  # Normal and counted; reported because a wrong roll-over value in the park file shows here first.
        id="meter-rollover",
        name=text("Counter rolled over", "Bộ đếm quay vòng"),
        severity=Severity.INFO,
        questions=(Question(_counted("rollover"), 2 * HOUR, "sum"),),
        what=text(
            "Meter {labels.meter} of {labels.tenant}: the counter has rolled over and started again from zero; use is counted on.",
            "Đồng hồ {labels.meter} của {labels.tenant}: bộ đếm đã quay vòng và đếm lại từ đầu; tiêu thụ vẫn liên tục.",
        ),
        first=text(
            "Check first whether the roll-over value in the park file is that of the meter.",
            "Kiểm tra trước giá trị quay vòng trong hồ sơ khu có đúng với đồng hồ không.",
        ),
        page="quality",
        panel=14,
        hold=0,
        shape="%.0f",
    ),
)

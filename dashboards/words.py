"""Words that several pages of the dashboards use, and no other module.

A word for one page is in that page; both languages are always next to each other.
"""

from typing import Final

from metering.quantities import UTILITIES, Utility
from metering.words import UTILITY, text

IN_UNITS: Final = {
    utility.value: text(f"{name.en} ({UTILITIES[utility].unit})", f"{name.vi} ({UTILITIES[utility].unit})")
    for utility, name in UTILITY.items()
    if utility is not Utility.PRODUCTION
}
"""Utilities with their unit, for tables whose rows differ in it."""

TENANT_COLOURS: Final = (
    "#4E79C4",
    "#CF8225",
    "#57A35B",
    "#C2575B",
    "#8E6BB8",
    "#3DA19A",
    "#AF8F3B",
    "#C46BA0",
    "#7D8A99",
    "#8C6A4F",
    "#469BD1",
    "#839C40",
)
"""Tenants in the order of the park file."""
PLAIN: Final = "text"
"""The theme's text colour, for numbers that are neither good nor bad: a grey fades on one of the themes."""

EVENT: Final = {
    "swap": text("Meter replaced", "Thay công tơ, đồng hồ"),
    "reset": text("Counter reset", "Bộ đếm bị đặt lại"),
    "restored": text("Counter fell back", "Chỉ số lùi về giá trị cũ"),
    "rise": text("Impossible rise", "Chỉ số tăng bất hợp lý"),
    "rollover": text("Counter rolled over", "Bộ đếm quay vòng"),
    "ambiguous": text("Ambiguous registers", "Chỉ số không rõ ràng"),
    "unit": text("Unit may have changed", "Đơn vị có thể đã thay đổi"),
    "stuck": text("Stuck meter", "Đồng hồ đứng số"),
    "spike": text("Spike", "Giá trị đột biến"),
    "gap": text("Gap", "Thiếu số liệu"),
    "tariff": text("Tariff changed", "Thay đổi biểu giá"),
    "gateway_offline": text("Gateway offline", "Thiết bị thu thập mất kết nối"),
    "not_computed": text("Not computed", "Không tính được"),
}
"""Kinds of `store.schema.EVENTS`, for people."""

EDGE_PARTS: Final = {
    "incoming": text("Intake", "Lượng vào khu"),
    "tenants": text("Tenants together", "Tổng doanh nghiệp"),
    "own": text("Own use", "Khu tự dùng"),
    "loss": text("Losses", "Tổn thất"),
}
"""What crossed the park's edge, and where it went: fields of `store.schema.BALANCE` at the edge."""

UNIT_EVENT: Final = "unit"
DOUBTFUL_EVENTS: Final = ("reset", "restored", "rise", "ambiguous", UNIT_EVENT, "stuck", "spike")
"""Kinds that leave use unknown, estimated or hard to believe."""

REASON: Final = {
    "malformed": text("malformed", "sai định dạng"),
    "too_large": text("too large", "bản tin quá lớn"),
    "unknown_gateway": text("unknown gateway", "thiết bị thu thập không có trong hồ sơ khu"),
    "unknown_meter": text("unknown meter", "đồng hồ không có trong hồ sơ khu"),
    "wrong_gateway": text("wrong gateway", "sai thiết bị thu thập"),
    "unknown_quantity": text("unknown quantity", "đại lượng không có trong danh mục"),
    "not_a_number": text("not a number", "không phải số"),
    "out_of_range": text("out of range", "ngoài phạm vi"),
    "bad_time": text("bad time", "thời gian không hợp lệ"),
    "future_time": text("in the future", "thời gian ở tương lai"),
    "store_rejected": text("rejected by the database", "cơ sở dữ liệu từ chối"),
}
"""Why readings are refused."""

PARK: Final = text("Park", "Khu công nghiệp")
TENANT: Final = text("Tenant", "Doanh nghiệp")
METER: Final = text("Meter", "Đồng hồ")
ALL: Final = text("All", "Tất cả")
NOT_KNOWN: Final = text("not known", "không rõ")
NOTHING: Final = text("no data", "chưa có số liệu")
NONE: Final = text("none", "không có")

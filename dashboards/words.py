"""Words that more than one page uses, in both languages, and the colours that belong to them.

A word that one page alone needs stands in that page; both languages always stand side by side.
"""

from enum import StrEnum
from typing import Final

from metering.figures import FIGURES
from metering.model import Localized
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Band


class Language(StrEnum):
    """The languages that every page is generated in."""

    EN = "en"
    VI = "vi"


def text(en: str, vi: str) -> Localized:
    """A text in both languages."""
    return Localized(en=en, vi=vi)


def say(words: Localized, language: Language) -> str:
    """The text in one language."""
    return words.vi if language is Language.VI else words.en


UTILITY: Final = {
    Utility.ELECTRICITY: text("Electricity", "Điện"),
    Utility.WATER: text("Water", "Nước cấp"),
    Utility.WASTEWATER: text("Wastewater", "Nước thải"),
    Utility.STEAM: text("Steam", "Hơi"),
    Utility.NATURAL_GAS: text("Natural gas", "Khí thiên nhiên"),
    Utility.COMPRESSED_AIR: text("Compressed air", "Khí nén"),
    Utility.CHILLED_WATER: text("Chilled water", "Nước lạnh"),
    Utility.PRODUCTION: text("Production", "Sản lượng"),
}

IN_UNITS: Final = tuple(
    (utility.value, text(f"{name.en} ({UTILITIES[utility].unit})", f"{name.vi} ({UTILITIES[utility].unit})"))
    for utility, name in UTILITY.items()
    if utility is not Utility.PRODUCTION
)
"""Utilities with their unit, for tables whose rows differ in it."""

COLOUR: Final = {
    Utility.ELECTRICITY: "#BD8A09",
    Utility.WATER: "#2F72D6",
    Utility.WASTEWATER: "#8C6D46",
    Utility.STEAM: "#D9662B",
    Utility.NATURAL_GAS: "#8F4FBF",
    Utility.COMPRESSED_AIR: "#3E9C94",
    Utility.CHILLED_WATER: "#289DCF",
    Utility.PRODUCTION: "#6B7785",
}
"""One colour a utility on every page and in the reports, readable on light and dark."""

SOLAR_COLOUR: Final = "#5CA339"
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
GOOD: Final = "#3B9A4B"
NEAR: Final = "#A79317"
"""Not yet worth a warning, but on the way there."""
WARN: Final = "#D57E19"
BAD: Final = "#D1323C"
NEUTRAL: Final = "#6B7785"
PLAIN: Final = "text"
"""The theme's own colour of text, for numbers that are neither good nor bad: a grey fades on one of the themes."""

BAND: Final = {
    Band.OFF_PEAK: text("Off-peak", "Giờ thấp điểm"),
    Band.NORMAL: text("Normal", "Giờ bình thường"),
    Band.PEAK: text("Peak", "Giờ cao điểm"),
}

BAND_COLOUR: Final = {Band.OFF_PEAK: "#4C8F5B", Band.NORMAL: "#BD8A09", Band.PEAK: "#C2452D"}

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
"""Kinds of `store.schema.EVENTS`, as people call them."""

DOUBTFUL_EVENTS: Final = ("reset", "restored", "rise", "ambiguous", "unit", "stuck", "spike")
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
NOTHING: Final = text("no data", "chưa có số liệu")


def vietnamese(value: float) -> str:
    """A number as it is written in Vietnamese: 1.234,5."""
    return f"{value:,.10g}".translate(str.maketrans(",.", ".,"))


def figure(name: str) -> Localized:
    """What a figure of the store is called."""
    return FIGURES[name].label

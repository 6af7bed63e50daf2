"""The rules that may have affected a quarter hour, in both languages."""

from enum import IntFlag

from metering.model import Localized


class Rule(IntFlag):
    """Rules of validation and estimation; an interval may have met several."""

    ROLLOVER = 1
    RESET = 2
    RESTORED = 4
    BOUND = 8
    SWAP = 16
    GAP_INTERPOLATED = 32
    GAP_SHAPED = 64
    GAP_LINEAR = 128
    SPIKE = 256
    HELD = 512
    STUCK = 1024
    CALIBRATING = 2048
    FAULT = 4096
    EXPORT = 8192
    NO_INSTRUMENT = 16384
    SPARSE = 32768
    AMBIGUOUS = 65536
    WRAPS = 131072
    DAILY = 262144
    LOST = 524288
    UNIT = 1048576
    SPLIT = 2097152


SUSPECT_RULES = Rule.STUCK | Rule.UNIT
"""Rules for use that was measured, but is hard to believe."""

RULE_TEXT: dict[Rule, Localized] = {
    Rule.ROLLOVER: Localized(en="the register rolled over", vi="chỉ số quay vòng"),
    Rule.RESET: Localized(
        en="the register was reset; what passed since the reading before is unknown",
        vi="công tơ bị đặt lại; lượng tiêu thụ kể từ lần đọc trước không xác định được",
    ),
    Rule.RESTORED: Localized(
        en="the register fell back and counted on from there; what passed in between is unknown",
        vi="chỉ số lùi về giá trị cũ rồi đếm tiếp; lượng tiêu thụ trong khoảng đó không xác định được",
    ),
    Rule.BOUND: Localized(
        en="the register rose by more than can physically pass", vi="chỉ số tăng quá mức có thể về mặt vật lý"
    ),
    Rule.SWAP: Localized(en="the instrument was replaced", vi="đã thay công tơ, đồng hồ"),
    Rule.GAP_INTERPOLATED: Localized(en="gap of up to 1 hour, interpolated", vi="thiếu số liệu đến 1 giờ, nội suy"),
    Rule.GAP_SHAPED: Localized(
        en="longer gap, known total spread like the same weekday and hour of the last 3 weeks",
        vi="thiếu số liệu trên 1 giờ, tổng đã biết được phân bổ theo cùng thứ, cùng giờ của 3 tuần trước",
    ),
    Rule.GAP_LINEAR: Localized(
        en="longer gap without a usable history, known total spread evenly",
        vi="thiếu số liệu trên 1 giờ và không có số liệu cũ phù hợp, tổng đã biết được phân bổ đều",
    ),
    Rule.SPIKE: Localized(
        en="impossible readings between two that fit together, set aside",
        vi="giá trị đột biến giữa hai lần đọc hợp lý, đã loại bỏ",
    ),
    Rule.HELD: Localized(
        en="an old register value was repeated, then caught up; spread over that time",
        vi="chỉ số cũ bị lặp lại rồi nhảy bù; đã phân bổ vào khoảng thời gian đó",
    ),
    Rule.STUCK: Localized(
        en="the same use too often in a row for chance: the meter may be stuck",
        vi="cùng một mức tiêu thụ lặp lại liên tiếp, khó có thể là ngẫu nhiên: đồng hồ có thể bị đứng số",
    ),
    Rule.CALIBRATING: Localized(en="readings during calibration set aside", vi="loại các lần đọc khi đang hiệu chuẩn"),
    Rule.FAULT: Localized(en="readings of a faulty instrument set aside", vi="loại các lần đọc khi thiết bị lỗi"),
    Rule.EXPORT: Localized(en="energy was exported", vi="có phát ngược lên lưới"),
    Rule.NO_INSTRUMENT: Localized(
        en="readings set aside: the park file names no instrument for that time",
        vi="loại các lần đọc: tệp cấu hình không khai báo thiết bị đo cho thời gian đó",
    ),
    Rule.SPARSE: Localized(
        en="the meter is read less often than each quarter hour; known total spread evenly",
        vi="chu kỳ đọc đồng hồ dài hơn 15 phút; tổng đã biết được phân bổ đều",
    ),
    Rule.AMBIGUOUS: Localized(
        en="the registers allow more than one explanation; the likeliest is counted as estimated",
        vi="chỉ số có thể giải thích theo nhiều cách; đã lấy cách hợp lý nhất và coi là ước tính",
    ),
    Rule.WRAPS: Localized(
        en="the register may have rolled over, more than once, or been reset; what passed is unknown",
        vi="bộ đếm có thể đã quay vòng một hoặc nhiều lần, hoặc bị đặt lại; không xác định được lượng tiêu thụ",
    ),
    Rule.DAILY: Localized(
        en="the register starts again each day; the last minutes before midnight are estimated",
        vi="bộ đếm bắt đầu lại mỗi ngày; những phút cuối trước nửa đêm được ước tính",
    ),
    Rule.LOST: Localized(en="a message with an amount is missing", vi="thiếu bản tin cho biết lượng đã tiêu thụ"),
    Rule.SPLIT: Localized(
        en="the transformer ratio changed between two readings; their use is split as by even power",
        vi="tỷ số biến dòng thay đổi giữa hai lần đọc; lượng tiêu thụ được chia theo công suất đều",
    ),
    Rule.UNIT: Localized(
        en="use changed by a power of ten at an interruption: the unit of the register may have changed",
        vi="mức tiêu thụ thay đổi theo lũy thừa của 10 sau gián đoạn: đơn vị của chỉ số có thể đã thay đổi",
    ),
}


def rules_in(mask: int) -> tuple[Rule, ...]:
    """Single rules of a mask, in the order of their definition."""
    return tuple(rule for rule in Rule if rule & mask)

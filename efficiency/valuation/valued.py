"""The value of each interval, with named reasons why there is none or why it needs care."""

from dataclasses import dataclass
from enum import IntFlag, unique
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from efficiency.usage.intervals import Floats
from metering.model import Localized
from metering.quantities import Utility


@unique
class ValueReason(IntFlag):
    """Why there is no value, or why it needs care; several may apply."""

    INDICATIVE = 1
    NO_DATA = 2
    NO_PRICE = 4
    NO_BANDS = 8
    NO_VOLTAGE = 16
    NO_FACTOR = 32
    NO_METER = 64
    NO_OUTPUT = 128
    ZERO_DENOMINATOR = 256
    NO_FLOOR_AREA = 512
    NO_EMPLOYEES = 1024
    NO_RULE = 2048
    INCOMPLETE = 4096
    NO_SUBMETERS = 8192
    NO_BASELINE = 16384
    OUT_OF_RANGE = 32768
    NO_NIGHT = 65536
    MIXED_UNITS = 131072
    NO_BUDGET = 262144
    NOT_COMPUTED = 2**19
    NO_VAT = 2**20
    NO_SURCHARGE = 2**21
    NO_CONTRACT = 2**22
    NOT_SIGNIFICANT = 2**23
    COARSE = 2**24
    ESTIMATED_FACTOR = 2**25
    NO_FACTOR_STEAM = 2**26
    NO_FACTOR_GAS = 2**27
    NO_FACTOR_AIR = 2**28
    NO_FACTOR_COOLING = 2**29
    NO_FACTOR_ELECTRICITY = 2**30
    PARTLY = 2**31
    NOT_OF_YEARS = 2**32
    NOT_OVER = 2**33
    STATED = 2**34
    TOO_COLD = 2**35
    TOO_POOR = 2**36
    NO_QUALITY = 2**37
    NO_OVERLAP = 2**38
    NO_PLACE = 2**39
    TAKEN = 2**40
    NOT_REPLACED = 2**41
    ONE_COMPONENT = 2**42
    NO_DEMAND_CHARGE = 2**43
    PEAK_NOT_SURE = 2**44
    NO_CONTRACT_DEMAND = 2**45
    NO_ENTRY = 2**46


REASON_TEXT: dict[ValueReason, Localized] = {
    ValueReason.INDICATIVE: Localized(en="indicative: under 95 % of the data", vi="tham khảo: dưới 95% số liệu"),
    ValueReason.NO_DATA: Localized(en="no data in this period", vi="không có số liệu trong kỳ"),
    ValueReason.NO_PRICE: Localized(
        en="no price is dated for a day of this period", vi="có ngày trong kỳ chưa có đơn giá"
    ),
    ValueReason.NO_BANDS: Localized(
        en="no time-of-use hours are dated for a day of this period", vi="có ngày trong kỳ chưa có khung giờ biểu giá"
    ),
    ValueReason.NO_VOLTAGE: Localized(
        en="the contract names no voltage level of the tariff", vi="hợp đồng chưa ghi cấp điện áp của biểu giá"
    ),
    ValueReason.NO_FACTOR: Localized(
        en="no factor is dated for a day of this period", vi="có ngày trong kỳ chưa có hệ số quy đổi"
    ),
    ValueReason.NO_METER: Localized(en="not metered", vi="không có đồng hồ đo"),
    ValueReason.NO_OUTPUT: Localized(en="no output is metered", vi="không đo sản lượng sản phẩm"),
    ValueReason.ZERO_DENOMINATOR: Localized(en="the denominator is zero", vi="mẫu số bằng không"),
    ValueReason.NO_FLOOR_AREA: Localized(en="the floor area is not given", vi="chưa khai báo diện tích sàn"),
    ValueReason.NO_EMPLOYEES: Localized(en="the number of employees is not given", vi="chưa khai báo số lao động"),
    ValueReason.NO_RULE: Localized(
        en="no rule for reactive power is dated for this period", vi="chưa có quy định công suất phản kháng cho kỳ này"
    ),
    ValueReason.INCOMPLETE: Localized(
        en="not computable: a meter of the sum is incomplete", vi="không tính được: có đồng hồ thiếu số liệu"
    ),
    ValueReason.NO_SUBMETERS: Localized(
        en="the main meter has no sub-meters", vi="đồng hồ tổng không có đồng hồ nhánh"
    ),
    ValueReason.NO_BASELINE: Localized(en="no baseline", vi="chưa có đường cơ sở"),
    ValueReason.OUT_OF_RANGE: Localized(
        en="a driver is outside the range of the baseline", vi="có biến nằm ngoài phạm vi của đường cơ sở"
    ),
    ValueReason.NO_NIGHT: Localized(
        en="the tenant works between 02:00 and 04:00", vi="doanh nghiệp có ca làm việc từ 02:00 đến 04:00"
    ),
    ValueReason.MIXED_UNITS: Localized(
        en="the units of output differ between meters", vi="các đồng hồ sản lượng có đơn vị khác nhau"
    ),
    ValueReason.NO_BUDGET: Localized(
        en="no budget is dated for a day of this period", vi="có ngày trong kỳ chưa khai báo ngân sách"
    ),
    ValueReason.NOT_COMPUTED: Localized(en="not computed yet", vi="chưa tính"),
    ValueReason.NO_VAT: Localized(
        en="no VAT rate is dated for a day of this period", vi="có ngày trong kỳ chưa có thuế suất GTGT"
    ),
    ValueReason.NO_SURCHARGE: Localized(
        en="without reactive power surcharge, which cannot be computed",
        vi="chưa gồm tiền công suất phản kháng vì không tính được",
    ),
    ValueReason.NO_CONTRACT: Localized(
        en="no purchase contract with an emission factor of its own is entered",
        vi="chưa khai báo hợp đồng mua điện có hệ số phát thải riêng",
    ),
    ValueReason.NO_CONTRACT_DEMAND: Localized(
        en="the contract states no demand", vi="hợp đồng chưa ghi công suất đăng ký"
    ),
    ValueReason.NOT_SIGNIFICANT: Localized(
        en="not significant: zero lies within the uncertainty",
        vi="không có ý nghĩa thống kê: giá trị 0 nằm trong khoảng không đảm bảo",
    ),
    ValueReason.COARSE: Localized(
        en="the counter counts in steps that are large against this value",
        vi="bước đếm của công tơ lớn so với giá trị này",
    ),
    ValueReason.ESTIMATED_FACTOR: Localized(
        en="the factor is an estimate for reference, not an official one",
        vi="hệ số chỉ là ước tính tham khảo, chưa phải số công bố chính thức",
    ),
    ValueReason.NO_FACTOR_STEAM: Localized(en="no factor for steam", vi="chưa có hệ số cho hơi"),
    ValueReason.NO_FACTOR_GAS: Localized(en="no factor for natural gas", vi="chưa có hệ số cho khí thiên nhiên"),
    ValueReason.NO_FACTOR_AIR: Localized(en="no factor for compressed air", vi="chưa có hệ số cho khí nén"),
    ValueReason.NO_FACTOR_COOLING: Localized(en="no factor for chilled water", vi="chưa có hệ số cho nước lạnh"),
    ValueReason.NO_FACTOR_ELECTRICITY: Localized(en="no factor for electricity", vi="chưa có hệ số cho điện"),
    ValueReason.PARTLY: Localized(
        en="without the parts of the period that have no value", vi="không gồm những phần không có giá trị của kỳ"
    ),
    ValueReason.STATED: Localized(en="from stated figures, not measured", vi="theo số liệu khai báo, không phải số đo"),
    ValueReason.TOO_COLD: Localized(en="the surplus is not hot enough", vi="nguồn dư không đủ nóng"),
    ValueReason.TOO_POOR: Localized(
        en="the quality of the surplus is outside the demand's limits",
        vi="chất lượng nguồn dư ngoài giới hạn của bên nhận",
    ),
    ValueReason.NO_QUALITY: Localized(
        en="a quality that the demand limits is not known of the surplus",
        vi="chưa biết chất lượng của nguồn dư đối với giới hạn mà bên nhận đặt ra",
    ),
    ValueReason.NO_OVERLAP: Localized(
        en="surplus and demand are never there at the same time", vi="nguồn dư và nhu cầu không trùng thời gian"
    ),
    ValueReason.NO_PLACE: Localized(en="the distance is not known", vi="chưa biết khoảng cách"),
    ValueReason.NOT_REPLACED: Localized(
        en="the demand is not said to replace any", vi="chưa khai báo nhu cầu này thay thế loại nào"
    ),
    ValueReason.ONE_COMPONENT: Localized(
        en="the tariff has no price per kW", vi="biểu giá một thành phần, không có giá công suất"
    ),
    ValueReason.NO_DEMAND_CHARGE: Localized(
        en="without the demand charge of the month", vi="chưa gồm tiền công suất của tháng"
    ),
    ValueReason.PEAK_NOT_SURE: Localized(
        en="not every half hour is known: the highest may have been higher",
        vi="chưa đủ số liệu mọi nửa giờ: công suất cực đại có thể cao hơn",
    ),
    ValueReason.TAKEN: Localized(en="what better matches leave", vi="phần còn lại sau các liên kết tốt hơn"),
    ValueReason.NOT_OVER: Localized(en="no day of the period is over yet", vi="chưa có ngày nào trong kỳ kết thúc"),
    ValueReason.NO_ENTRY: Localized(en="nothing is entered for this period yet", vi="chưa khai báo số liệu cho kỳ này"),
    ValueReason.NOT_OF_YEARS: Localized(
        en="cannot be added up over months; see the months", vi="không cộng được từ các tháng; xem từng tháng"
    ),
}

NO_FACTOR_OF: dict[Utility, ValueReason] = {
    Utility.ELECTRICITY: ValueReason.NO_FACTOR_ELECTRICITY,
    Utility.STEAM: ValueReason.NO_FACTOR_STEAM,
    Utility.NATURAL_GAS: ValueReason.NO_FACTOR_GAS,
    Utility.COMPRESSED_AIR: ValueReason.NO_FACTOR_AIR,
    Utility.CHILLED_WATER: ValueReason.NO_FACTOR_COOLING,
}
"""The missing factor of each carrier of energy; these are all carriers."""

NOTHING = ValueReason(0)


def reasons_in(mask: int) -> tuple[ValueReason, ...]:
    """Single reasons of a mask, in the order of their definition."""
    return tuple(reason for reason in ValueReason if reason & mask)


@lru_cache(maxsize=4096)
def named(reasons: ValueReason) -> str:
    """Reasons as they are stored: comma-separated names, empty for none."""
    return ",".join((reason.name or "").lower() for reason in reasons_in(reasons))


@lru_cache(maxsize=4096)
def reasons_named(text: str) -> ValueReason:
    """Reasons as they are stored, read back; an unknown name counts as no data."""
    found = NOTHING
    for name in text.split(",") if text else ():
        found |= _BY_NAME.get(name, ValueReason.NO_DATA)
    return found


_BY_NAME = {(reason.name or "").lower(): reason for reason in ValueReason}


@dataclass(frozen=True, slots=True)
class Valued:
    """The value of each interval in money, carbon or energy (NaN where none), and a mask of reasons."""

    value: Floats
    reasons: NDArray[np.uint32]

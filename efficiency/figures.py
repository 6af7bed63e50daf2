"""A number never travels alone: value, unit, completeness, estimated share, and what speaks against it by name."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from efficiency.intervals import Bools, Floats
from metering.model import Localized, Model

INDICATIVE_UNDER = 0.95
"""F17: a figure with less data is shown as indicative."""


class Reason(IntFlag):
    """Why there is no value, or why one must be read with care; several may apply."""

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


REASON_TEXT: dict[Reason, Localized] = {
    Reason.INDICATIVE: Localized(en="indicative: under 95 % of the data", vi="tham khảo: dưới 95% số liệu"),
    Reason.NO_DATA: Localized(en="no data in this period", vi="không có số liệu trong kỳ"),
    Reason.NO_PRICE: Localized(en="no price is dated for a day of this period", vi="có ngày trong kỳ chưa có đơn giá"),
    Reason.NO_BANDS: Localized(
        en="no time-of-use hours are dated for a day of this period", vi="có ngày trong kỳ chưa có khung giờ biểu giá"
    ),
    Reason.NO_VOLTAGE: Localized(
        en="the contract names no voltage level of the tariff", vi="hợp đồng chưa ghi cấp điện áp của biểu giá"
    ),
    Reason.NO_FACTOR: Localized(
        en="no factor is dated for a day of this period", vi="có ngày trong kỳ chưa có hệ số quy đổi"
    ),
    Reason.NO_METER: Localized(en="not metered", vi="không có đồng hồ đo"),
    Reason.NO_OUTPUT: Localized(en="no output is metered", vi="không đo sản lượng sản phẩm"),
    Reason.ZERO_DENOMINATOR: Localized(en="the denominator is zero", vi="mẫu số bằng không"),
    Reason.NO_FLOOR_AREA: Localized(en="the floor area is not given", vi="chưa khai báo diện tích sàn"),
    Reason.NO_EMPLOYEES: Localized(en="the number of employees is not given", vi="chưa khai báo số lao động"),
    Reason.NO_RULE: Localized(
        en="no rule for reactive power is dated for this period", vi="chưa có quy định công suất phản kháng cho kỳ này"
    ),
    Reason.INCOMPLETE: Localized(
        en="not computable: a meter of the sum is incomplete", vi="không tính được: có đồng hồ thiếu số liệu"
    ),
    Reason.NO_SUBMETERS: Localized(en="the main meter has no sub-meters", vi="đồng hồ tổng không có đồng hồ nhánh"),
    Reason.NO_BASELINE: Localized(en="no baseline", vi="chưa có đường cơ sở"),
    Reason.OUT_OF_RANGE: Localized(
        en="a driver lies outside the range of the baseline", vi="có biến nằm ngoài phạm vi của đường cơ sở"
    ),
    Reason.NO_NIGHT: Localized(
        en="the tenant works between 02:00 and 04:00", vi="doanh nghiệp có ca làm việc từ 02:00 đến 04:00"
    ),
    Reason.MIXED_UNITS: Localized(
        en="the units of output differ between meters", vi="các đồng hồ sản lượng có đơn vị khác nhau"
    ),
    Reason.NO_BUDGET: Localized(
        en="no budget is dated for a day of this period", vi="có ngày trong kỳ chưa khai báo ngân sách"
    ),
}

NOTHING = Reason(0)


def reasons_in(mask: int) -> tuple[Reason, ...]:
    """Single reasons of a mask, in the order of their definition."""
    return tuple(reason for reason in Reason if reason & mask)


class Figure(Model):
    """One number: `value` in `unit`, or None and the reason; `completeness` and `estimated` are shares 0..1."""

    value: float | None
    unit: str
    completeness: float = 1.0
    estimated: float = 0.0
    reasons: Reason = NOTHING


def figure(value: float | None, unit: str, completeness: float, estimated: float, reasons: Reason = NOTHING) -> Figure:
    """A figure that says by itself when it is only indicative."""
    if value is None or not np.isfinite(value):
        return Figure(value=None, unit=unit, completeness=completeness, estimated=estimated, reasons=reasons)
    if completeness < INDICATIVE_UNDER:
        reasons |= Reason.INDICATIVE
    return Figure(value=value, unit=unit, completeness=completeness, estimated=estimated, reasons=reasons)


def absent(unit: str, reasons: Reason, completeness: float = 0.0) -> Figure:
    """No value, and why."""
    return Figure(value=None, unit=unit, completeness=completeness, reasons=reasons)


def ratio(above: Figure, below: Figure, unit: str, *, empty: Reason = Reason.ZERO_DENOMINATOR) -> Figure:
    """Sum over sum, F3 and F4: no denominator, no value. As complete as the worse, as estimated as the worse."""
    completeness = min(above.completeness, below.completeness)
    estimated = max(above.estimated, below.estimated)
    reasons = (above.reasons | below.reasons) & ~Reason.INDICATIVE
    if above.value is None or below.value is None:
        return absent(unit, reasons, completeness)
    if below.value == 0:
        return absent(unit, reasons | empty, completeness)
    return figure(above.value / below.value, unit, completeness, estimated, reasons)


def change(now: Figure, base: Figure) -> Figure:
    """F4: how far a figure has moved from its base, as a share: now / base - 1."""
    moved = ratio(now, base, "")
    return moved if moved.value is None else moved.model_copy(update={"value": moved.value - 1})


def total(figures: list[Figure], unit: str, *, none: Reason = Reason.NO_METER) -> Figure:
    """Sum of figures of one unit: without value as soon as one has none; completeness and estimates are averaged."""
    if not figures:
        return absent(unit, none)
    reasons = NOTHING
    for one in figures:
        reasons |= one.reasons & ~Reason.INDICATIVE
    completeness = sum(one.completeness for one in figures) / len(figures)
    estimated = sum(one.estimated for one in figures) / len(figures)
    values = [one.value for one in figures if one.value is not None]
    if len(values) < len(figures):
        return absent(unit, reasons, completeness)
    return figure(sum(values), unit, completeness, estimated, reasons)


@dataclass(frozen=True, slots=True)
class Valued:
    """What each interval is worth, in money, carbon or energy: `value` (NaN where none), and a mask of reasons."""

    value: Floats
    reasons: NDArray[np.uint32]

    def cut(self, piece: slice) -> "Valued":
        """Some of the intervals."""
        return Valued(self.value[piece], self.reasons[piece])


def period_sum(value: Floats, completeness: Floats, estimated: Floats, unit: str, missing: int = 0) -> Figure:
    """Sum over the intervals of a period.

    Intervals without data lower the completeness. `missing` (a mask of reasons, such as a price that nobody entered)
    takes the value away: the sum of the rest would be a wrong number.
    """
    if not len(value):
        return absent(unit, Reason.NO_DATA)
    known: Bools = np.isfinite(value)
    share = float(completeness.mean())
    guessed = float(estimated.mean())
    if missing:
        return Figure(value=None, unit=unit, completeness=share, estimated=guessed, reasons=Reason(missing))
    if not known.any():
        return absent(unit, Reason.NO_DATA, share)
    return figure(float(value[known].sum()), unit, share, guessed)

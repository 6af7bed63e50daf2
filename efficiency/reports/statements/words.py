"""The texts of statements that are not data, by key, in both languages."""

from typing import Final

from efficiency.closing.statement import ChargeKind, CorrectionReason
from metering.model import Localized
from metering.words import text as _text

WORDS: Final[dict[str, Localized]] = {
    "statement": _text("Statement of utilities", "Bảng kê thanh toán tiện ích"),
    "draft": _text("Draft: the month is not closed.", "Bản nháp: tháng chưa khóa sổ."),
    "closed_on": _text("closed on {day}", "khóa sổ ngày {day}"),
    "to_be_paid": _text("To be paid", "Tổng tiền thanh toán"),
    "registers": _text("Registers and use", "Chỉ số và sản lượng"),
    "point": _text("Metering point", "Điểm đo"),
    "instrument": _text("Instrument", "Thiết bị đo"),
    "counter": _text("Register", "Đại lượng"),
    "opening": _text("Opening", "Chỉ số đầu kỳ"),
    "closing": _text("Closing", "Chỉ số cuối kỳ"),
    "multiplier": _text("Multiplier", "Hệ số nhân"),
    "use": _text("Use", "Sản lượng"),
    "no_register": _text("not read", "không có"),
    "interpolated": _text(
        "≈ between two readings; nothing was read just then", "≈ nội suy giữa hai lần đọc; lúc đó không có số đọc"
    ),
    "estimated_of": _text(
        "{point}: {amount} ({share}) estimated: {why}", "{point}: ước tính {amount} ({share}): {why}"
    ),
    "found_at": _text("{point}: {why}", "{point}: {why}"),
    "charges": _text("Charges", "Chi tiết thanh toán"),
    "what": _text("What", "Nội dung"),
    "period": _text("Period", "Thời gian"),
    "quantity": _text("Quantity", "Số lượng"),
    "unit": _text("Unit", "Đơn vị"),
    "price": _text("Price, ₫", "Đơn giá (₫)"),
    "amount": _text("Amount, ₫", "Thành tiền (₫)"),
    "vat": _text("VAT", "Thuế GTGT"),
    "vat_rate": _text("VAT rate", "Thuế suất GTGT"),
    "vat_of": _text("VAT {rate} of {net}", "Thuế GTGT {rate} của {net}"),
    "sum_of": _text("{what}, before VAT", "Cộng {what}, chưa thuế"),
    "net": _text("Sum before VAT", "Cộng tiền chưa thuế GTGT"),
    "power_factor": _text(
        "Power factor: {active} kWh and {reactive} kvarh give cosφ = {factor}; surcharge k = {percent} %",
        "Hệ số công suất: {active} kWh và {reactive} kvarh, cosφ = {factor}; hệ số bù k = {percent}%",
    ),
    "corrections": _text("Corrections of earlier months", "Điều chỉnh các tháng trước"),
    "month": _text("Month", "Tháng"),
    "tenant": _text("Tenant", "Doanh nghiệp"),
    "reason": _text("Reason", "Lý do"),
    "from": _text("From", "Từ"),
    "to": _text("To", "Đến"),
    "kind": _text("Kind", "Loại"),
    "band": _text("Band", "Khung giờ"),
    "utility": _text("Utility", "Tiện ích"),
    "source": _text("Source", "Căn cứ"),
    "sources": _text(
        "Prices, rates and rules, as the park file gives them", "Căn cứ đơn giá, thuế suất, quy định (theo hồ sơ khu)"
    ),
    "closed_anyway": _text(
        "Closed in spite of what follows, because: {why}", "Khóa sổ dù còn các vấn đề dưới đây, vì: {why}"
    ),
    "seller": _text("For the park", "Đại diện khu công nghiệp"),
    "buyer": _text("For the tenant", "Đại diện doanh nghiệp"),
    "sign": _text("(signature, full name)", "(ký, ghi rõ họ tên)"),
    "rounding": _text(
        "Quantities have three decimals, each charge is rounded to whole dong, VAT is on the sum of each rate.",
        "Số lượng lấy ba chữ số thập phân, thành tiền làm tròn đến đồng, thuế GTGT tính trên tổng tiền theo thuế suất.",
    ),
    "no_invoice": _text("This statement is not a tax invoice.", "Bảng kê này không phải là hóa đơn giá trị gia tăng."),
    "percent_of": _text("{what}, {percent} % of {net} ₫", "{what}, {percent}% của {net} ₫"),
}

KIND: Final = {
    ChargeKind.USE: _text("Use", "Tiêu thụ"),
    ChargeKind.REACTIVE: _text("Reactive power surcharge", "Tiền mua công suất phản kháng"),
    ChargeKind.LOSSES: _text("Share of losses", "Phân bổ tổn thất"),
    ChargeKind.COMMON: _text("Share of common use", "Phân bổ điện, nước dùng chung"),
}

REASON: Final = {
    CorrectionReason.READINGS: _text("late or corrected readings", "số đọc đến muộn hoặc được sửa"),
    CorrectionReason.INSTRUMENT: _text("corrected entry of the instrument", "sửa khai báo thiết bị đo"),
    CorrectionReason.OWNER: _text("corrected time at the metering point", "sửa thời gian sử dụng điểm đo"),
    CorrectionReason.PRICE: _text("corrected price or tariff hours", "sửa đơn giá hoặc khung giờ"),
    CorrectionReason.VAT: _text("corrected rate of VAT", "sửa thuế suất GTGT"),
    CorrectionReason.POWER_FACTOR: _text(
        "power factor or its basis corrected", "sửa hệ số công suất hoặc tiền điện làm căn cứ"
    ),
    CorrectionReason.ALLOCATION: _text(
        "amount or key of the allocation corrected", "sửa số tiền hoặc tiêu thức phân bổ"
    ),
}

COUNTER: Final = {
    "energy_kwh": _text("active energy", "điện năng tác dụng"),
    "reactive_kvarh": _text("reactive energy", "điện năng phản kháng"),
}
"""Registers that a point has besides the one of its utility."""

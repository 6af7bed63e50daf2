"""The fixed texts of statements and of the park's account, by key, in both languages."""

from typing import Final

from efficiency.closing.bill import Item
from efficiency.closing.statement import ChargeKind
from metering.model import Localized
from metering.tariffs import AllocationKey
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
    "sum_of": _text("Sum of {what}, before VAT", "Cộng tiền {what}, chưa thuế"),
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
    "share_of": _text(
        "{what}: {weight} of {weights} {unit} by {key}, of {amount} ₫",
        "{what}: {weight}/{weights} {unit} theo {key}, trong tổng {amount} ₫",
    ),
    "half_hour": _text("highest half hour from {at}", "nửa giờ cao nhất từ {at}"),
    "half_hour_estimated": _text(" (estimated)", " (ước tính)"),
    "half_hours_known": _text(
        " ({share} of the half hours known; it may have been more)",
        " (biết {share} số nửa giờ; thực tế có thể cao hơn)",
    ),
    "part_of_month": _text(", for {days} days of the month", ", tính cho {days} ngày của tháng"),
    "percent_of": _text("{what}, {percent} % of {net} ₫", "{what}, {percent}% của {net} ₫"),
    # The park's account
    "account": _text("The park's own account", "Bảng cân đối tiện ích toàn khu"),
    "flow": _text("What came in, and where it went", "Lượng vào khu và phân bổ"),
    "intake": _text("Intake at the main meters", "Qua đồng hồ tổng"),
    "generated": _text("Generated in the park", "Tự phát trong khu"),
    "exported": _text("Sent away", "Phát ngược ra ngoài"),
    "sold": _text("Sold to tenants", "Bán cho doanh nghiệp"),
    "own": _text("Own use", "Khu tự dùng"),
    "losses": _text("Losses", "Tổn thất"),
    "cost": _text("Cost, ₫", "Chi phí (₫)"),
    "within": _text("within the meters' error of ± {band}", "trong sai số đo ± {band}"),
    "beyond": _text("beyond the meters' error of ± {band}", "vượt sai số đo ± {band}"),
    "peak": _text("Intake: {kw} kW, {at}", "Công suất vào khu: {kw} kW, {at}"),
    "purchase": _text("Purchase", "Mua vào"),
    "no_purchase": _text(
        "No purchase price is entered: no cost and no margin.",
        "Chưa khai báo giá mua vào: không có chi phí và chênh lệch.",
    ),
    "sales": _text("Sold, bought and the margin, before VAT", "Bán ra, mua vào và chênh lệch (chưa thuế GTGT)"),
    "use_vnd": _text("Use", "Tiêu thụ"),
    "demand_vnd": _text("Demand", "Công suất"),
    "reactive_vnd": _text("Reactive power", "Công suất phản kháng"),
    "allocated_vnd": _text("Allocated", "Phân bổ"),
    "corrections_vnd": _text("Corrections", "Điều chỉnh"),
    "sales_vnd": _text("Sold", "Bán ra"),
    "bought": _text("Bought", "Mua vào"),
    "margin": _text("Margin", "Chênh lệch"),
    "own_makes": _text(
        "The park makes {made} itself, of what it buys: what that costs is in the purchase of {bought}. So the margin "
        "of one utility says little; the one of all together counts.",
        "Khu tự sản xuất {made} từ những gì mua vào; chi phí nằm trong phần mua vào của {bought}. Vì vậy chênh lệch "
        "của từng tiện ích ít ý nghĩa; chỉ chênh lệch tổng cộng mới có giá trị.",
    ),
    "part": _text("Part", "Phần"),
    "bills": _text("Bills", "Đối chiếu hóa đơn"),
    "statements": _text("Statements of tenants", "Bảng kê của các doanh nghiệp"),
    "net_vnd": _text("Before VAT, ₫", "Chưa thuế (₫)"),
    "vat_vnd": _text("VAT, ₫", "Thuế GTGT (₫)"),
    "total_vnd": _text("To be paid, ₫", "Thanh toán (₫)"),
    "together": _text("Together", "Tổng cộng"),
    "bill": _text(
        "The bill of {what} against the park's own meters", "Đối chiếu hóa đơn {what} với công tơ, đồng hồ của khu"
    ),
    "billed": _text("Bill", "Hóa đơn"),
    "expected": _text("Own figure", "Số của khu"),
    "difference": _text("Difference", "Chênh lệch"),
    "may_differ": _text("May differ by", "Sai lệch cho phép"),
    "judgement": _text("Judgement", "Nhận định"),
    "agrees": _text("agrees", "khớp"),
    "flagged": _text("ask the supplier", "cần hỏi lại bên bán"),
}

ITEM: Final = {
    Item.QUANTITY: _text("quantity", "số lượng"),
    Item.PRICE: _text("price", "đơn giá"),
    Item.AMOUNT: _text("amount: quantity · price", "thành tiền: số lượng · đơn giá"),
    Item.DEMAND: _text("highest half hour", "công suất 30 phút cao nhất"),
    Item.DEMAND_PRICE: _text("price of demand", "giá công suất"),
    Item.DEMAND_AMOUNT: _text("demand charge: kW · price", "tiền công suất: kW · đơn giá"),
    Item.REACTIVE: _text("Reactive power surcharge", "Tiền mua công suất phản kháng"),
    Item.VAT: _text("VAT on the bill's lines", "Thuế GTGT trên các dòng của hóa đơn"),
    Item.TOTAL: _text("Sum of the bill's lines", "Tổng các dòng của hóa đơn"),
}

KEY: Final = {
    AllocationKey.USE: _text("use", "sản lượng"),
    AllocationKey.AREA: _text("floor area", "diện tích sàn"),
    AllocationKey.EQUAL: _text("equal parts", "chia đều"),
    AllocationKey.CONTRACT_DEMAND: _text("contract demand", "công suất đăng ký"),
}

KIND: Final = {
    ChargeKind.USE: _text("Use", "Tiêu thụ"),
    ChargeKind.DEMAND: _text("Demand charge", "Tiền công suất"),
    ChargeKind.REACTIVE: _text("Reactive power surcharge", "Tiền mua công suất phản kháng"),
    ChargeKind.LOSSES: _text("Share of losses", "Phân bổ tổn thất"),
    ChargeKind.COMMON: _text("Share of common use", "Phân bổ điện, nước dùng chung"),
}

COUNTER: Final = {
    "energy_kwh": _text("active energy", "điện năng tác dụng"),
    "reactive_kvarh": _text("reactive energy", "điện năng phản kháng"),
}
"""Registers of a point besides the counter of its utility."""

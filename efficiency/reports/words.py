"""The fixed texts of a report, by key, in both languages.

The names of utilities, figures, reasons and forms are defined with these. `{...}` is filled in where a text is used.
"""

from typing import Final

from metering.eip import Provenance
from metering.model import Localized
from metering.words import text as _text

TEXTS: Final[dict[str, Localized]] = {
    # The head of a page
    "tenant_month": _text("Monthly resource report", "Báo cáo sử dụng tài nguyên tháng"),
    "tenant_year": _text("Yearly resource report", "Báo cáo sử dụng tài nguyên năm"),
    "park_month": _text("Monthly park report", "Báo cáo tháng toàn khu"),
    "park_year": _text("Yearly park report", "Báo cáo năm toàn khu"),
    "made_on": _text("made on {day}", "lập ngày {day}"),
    "running": _text(
        "The period is not over: figures cover what is stored up to {day}.",
        "Kỳ báo cáo chưa kết thúc: số liệu tính đến ngày {day}.",
    ),
    "waiting": _text(
        "Figures of this period are still being recomputed: some values and reasons below may be outdated. "
        "Make this report again in a few minutes.",
        "Một số chỉ tiêu của kỳ này đang chờ tính lại: một số giá trị và lý do bên dưới chưa cùng thời điểm. "
        "Hãy lập lại báo cáo sau vài phút.",
    ),
    "empty": _text("There is no data in this period.", "Không có số liệu trong kỳ này."),
    "page": _text("Page", "Trang"),
    # What is shown beside figures
    "complete": _text("{share} of the data", "{share} số liệu"),
    "estimated": _text("{share} estimated", "ước tính {share}"),
    "indicative": _text("indicative", "tham khảo"),
    "revised": _text("revised on {day}", "hiệu chỉnh ngày {day}"),
    "no_value": _text("no value", "không có giá trị"),
    "against_before": _text("against {period}", "so với {period}"),
    "formula": _text("Formula", "Công thức"),
    # Columns of tables
    "figure": _text("Figure", "Chỉ tiêu"),
    "value": _text("Value", "Giá trị"),
    "unit": _text("Unit", "Đơn vị"),
    "before": _text("Before", "Kỳ trước"),
    "change": _text("Change", "Thay đổi"),
    "data": _text("Data", "Số liệu"),
    "tenant": _text("Tenant", "Doanh nghiệp"),
    "month": _text("Month", "Tháng"),
    "meter": _text("Meter", "Đồng hồ đo"),
    "since": _text("In force since", "Áp dụng từ"),
    "source": _text("Source, as the park file gives it", "Nguồn, ghi theo hồ sơ khu"),
    # Sections
    "key_figures": _text("At a glance", "Số liệu chính"),
    "electricity_by_day": _text("Electricity by day and tariff band", "Điện theo ngày và khung giờ"),
    "electricity_by_month": _text("Electricity by month and tariff band", "Điện theo tháng và khung giờ"),
    "load_profile": _text("Load profile", "Biểu đồ phụ tải"),
    "load_profile_text": _text(
        "Mean power by hour of the day; dark is much.", "Công suất trung bình theo giờ trong ngày; màu đậm là cao."
    ),
    "missing_hour": _text("incomplete data", "thiếu số liệu"),
    "other_utilities": _text("Other utilities", "Các tiện ích khác"),
    "cost": _text("Cost before surcharge and VAT", "Chi phí trước thuế và tiền công suất phản kháng"),
    "cost_by_utility": _text("Cost by utility", "Chi phí theo tiện ích"),
    "cost_by_band": _text("Cost of electricity by tariff band", "Chi phí điện theo khung giờ"),
    "stated": _text("What was stated", "Số liệu đã khóa sổ"),
    "stated_text": _text(
        "The statement as the month was closed; the other figures of this report follow what is known today",
        "Theo bảng kê khi khóa sổ tháng; các số liệu khác của báo cáo tính theo dữ liệu hiện nay",
    ),
    "corrected_since": _text("Corrected since then", "Đã điều chỉnh sau khi khóa sổ"),
    "stated_with": _text("Stated with", "Ghi trong bảng kê"),
    "because": _text("Because of", "Lý do"),
    "efficiency": _text("Efficiency figures", "Các chỉ tiêu hiệu quả"),
    "baseline": _text("Against the baseline", "So với đường cơ sở"),
    "baseline_use": _text("Actual use and what the baseline expects", "Tiêu thụ thực tế và theo đường cơ sở"),
    "actual": _text("actual", "thực tế"),
    "expected": _text("expected by baseline", "theo đường cơ sở"),
    "cusum": _text("Cumulative savings (CUSUM)", "Tiết kiệm lũy kế (CUSUM)"),
    "baseline_todo": _text(
        "To have one: ecopark baseline fit {tenant} --from DAY --to DAY --reason TEXT --freeze",
        "Để lập đường cơ sở: ecopark baseline fit {tenant} --from NGÀY --to NGÀY --reason LÝ_DO --freeze",
    ),
    "a_tenant": _text("TENANT", "DOANH_NGHIỆP"),
    "baseline_name": _text("Baseline", "Đường cơ sở"),
    "baseline_of": _text("Use of", "Mức tiêu thụ của"),
    "version": _text("version {n}", "phiên bản {n}"),
    "explained_by": _text("by {drivers}", "theo {drivers}"),
    "driver_cdd": _text("cooling degree days over {base} °C", "độ-ngày làm mát trên {base} °C"),
    "driver_hdd": _text("heating degree days under {base} °C", "độ-ngày sưởi dưới {base} °C"),
    "driver_temperature": _text("outdoor temperature", "nhiệt độ ngoài trời"),
    "driver_shift_hours": _text("hours of the shifts", "số giờ làm việc theo ca"),
    "adjusted_by": _text(
        "non-routine adjustments of {amount} are included", "đã gồm điều chỉnh ngoài thường lệ {amount}"
    ),
    "expected_head": _text("Expected", "Kỳ vọng"),
    "actual_head": _text("Actual", "Thực tế"),
    "saving_head": _text("Saving", "Tiết kiệm"),
    "cusum_head": _text("CUSUM", "CUSUM"),
    "enpi_head": _text("EnPI", "EnPI"),
    "days_outside": _text("on {n} of them a driver was out of range", "trong đó {n} ngày có biến ngoài phạm vi"),
    "by_month": _text("Month by month", "Theo từng tháng"),
    "quality": _text("Data quality", "Chất lượng số liệu"),
    "quality_text": _text(
        "Completeness of every meter: valid over expected quarter hours.",
        "Mức độ đầy đủ của từng đồng hồ: số khoảng 15 phút hợp lệ trên số khoảng phải có.",
    ),
    "touched_text": _text(
        "What was found in the registers, and how the use was made of it all the same.",
        "Hiện tượng phát hiện trong chỉ số đồng hồ và cách xử lý khi tính lượng tiêu thụ.",
    ),
    "touched_rule": _text("Found", "Hiện tượng và cách xử lý"),
    "touched_count": _text("Quarter hours", "Số khoảng 15 phút"),
    "touched_meters": _text("Meters", "Đồng hồ"),
    "and_more": _text("and {n} more", "và {n} đồng hồ khác"),
    "whole": _text("at least 95 %", "từ 95% trở lên"),
    "short": _text("50 to 95 %", "50 đến 95%"),
    "poor": _text("under 50 %", "dưới 50%"),
    "none": _text("no data", "không có số liệu"),
    "solar": _text("own solar", "điện mặt trời"),
    "park_totals": _text("The park at a glance", "Số liệu chính toàn khu"),
    "ranking": _text("Ranking of tenants", "Xếp hạng doanh nghiệp"),
    "rank_electricity": _text("Electricity use", "Điện tiêu thụ"),
    "rank_cost": _text("Cost of utilities", "Chi phí tiện ích"),
    "rank_saving": _text("Use against the baseline", "Tiêu thụ so với đường cơ sở"),
    "rank_saving_text": _text(
        "Actual over expected use, minus one: below zero is saving.",
        "Tiêu thụ thực tế chia cho mức theo đường cơ sở, trừ một: âm là tiết kiệm.",
    ),
    "tenants": _text("Tenants side by side", "Các doanh nghiệp"),
    "edge": _text("What came into the park, and where it went", "Lượng vào khu và phân bổ"),
    "edge_text": _text(
        "Intake at the main meters = tenants + own use + losses, over the quarter hours in which every meter is "
        "complete.",
        "Lượng qua đồng hồ tổng = doanh nghiệp + tự dùng + tổn thất, tính trên các khoảng 15 phút mà mọi đồng hồ đủ số "
        "liệu.",
    ),
    "utility": _text("Utility", "Tiện ích"),
    "intake": _text("Intake", "Lượng vào khu"),
    "sum_of_tenants": _text("Tenants together", "Tổng doanh nghiệp"),
    "own_use": _text("Own use", "Khu tự dùng"),
    "losses": _text("Losses", "Tổn thất"),
    "balance": _text("Balances of main meters", "Cân bằng theo đồng hồ tổng"),
    "balance_text": _text(
        "Losses are sums over the days on which every meter is complete; a loss inside its error band is noise.",
        "Tổn thất là tổng của những ngày mọi đồng hồ đủ số liệu; tổn thất trong khoảng sai số chỉ là sai số đo.",
    ),
    "came_in": _text("Came in", "Tổng đầu vào"),
    "accounted": _text("Accounted for", "Đã xác định"),
    "loss": _text("Loss, unaccounted-for", "Tổn thất, chưa xác định"),
    "gain": _text("Sub-meters above the main meter", "Đồng hồ nhánh vượt đồng hồ tổng"),
    "error_band": _text("Error band", "Khoảng sai số"),
    "judgement": _text("Judgement", "Nhận định"),
    "is_noise": _text("within the error band", "trong khoảng sai số"),
    "is_loss": _text("above the error band", "vượt khoảng sai số"),
    "days_computed": _text("{n} of {all} days", "{n}/{all} ngày"),
    "of_what_came_in": _text("{share} of what came in", "{share} tổng đầu vào"),
    "sources": _text("Prices, hours and factors used", "Đơn giá, khung giờ và hệ số sử dụng"),
    "band_hours": _text("Tariff hours", "Khung giờ biểu giá"),
    "daily": _text("daily", "hằng ngày"),
    "price_of_demand": _text("{price} ₫ per kW and month", "{price} ₫/kW/tháng"),
    "price": _text("Price: {what}", "Đơn giá: {what}"),
    "gwp": _text("Global warming potentials", "Tiềm năng nóng lên toàn cầu (GWP)"),
    "scope1_factor": _text("Emission factor (scope 1): {what}", "Hệ số phát thải (phạm vi 1): {what}"),
    "scope2_factor": _text("Emission factor (scope 2): {what}", "Hệ số phát thải (phạm vi 2): {what}"),
    "mj_factor": _text("Energy content: {what}", "Hàm lượng năng lượng: {what}"),
    "vat_rate": _text("VAT: {what}", "Thuế GTGT: {what}"),
    "reactive_rule": _text("Reactive power surcharge", "Tiền mua công suất phản kháng"),
    "reactive_rule_text": _text("cosφ under {least}; from {kw} kW", "cosφ dưới {least}; từ {kw} kW"),
    "official": _text("official", "công bố chính thức"),
    "estimate": _text("estimate, for reference", "ước tính, tham khảo"),
    "toe_factor": _text("Oil equivalent: {what}", "Hệ số quy đổi TOE: {what}"),
    "notes": _text("How to read this report", "Cách đọc báo cáo"),
    "note_complete": _text(
        "Every figure has its completeness; under 95 % it is indicative. Figures are sums of quarter hours; "
        "ratios are sums over sums.",
        "Mỗi số liệu kèm mức độ đầy đủ; dưới 95% chỉ để tham khảo. Số liệu là tổng các khoảng 15 phút; "
        "các tỷ lệ là tổng chia tổng.",
    ),
    "note_reason": _text(
        "Where something is not measured or cannot be computed there is no value, and the reason is given.",
        "Chỉ tiêu không đo hoặc không tính được thì không có giá trị và được nêu lý do.",
    ),
    "note_late": _text(
        "Late or corrected readings change figures afterwards; a revised figure carries the date of its revision.",
        "Số liệu đến muộn hoặc được sửa sẽ làm thay đổi kết quả; số đã hiệu chỉnh có ghi ngày hiệu chỉnh.",
    ),
    "watched": _text("Yearly lines of energy and emissions", "Các ngưỡng năng lượng và phát thải trong năm"),
    "watched_text": _text(
        "Who reaches such a line in a year has duties by law; ask the park's office. The days that are not known are "
        "taken as the mean of those that are, the range as the lowest and the highest month.",
        "Cơ sở đạt ngưỡng trong năm có nghĩa vụ theo quy định; hỏi ban quản lý khu công nghiệp. Những ngày chưa có số "
        "liệu lấy theo trung bình các ngày đã có; khoảng dự báo theo tháng thấp nhất và cao nhất.",
    ),
    "yearly_line": _text("Line", "Ngưỡng"),
    "so_far": _text("So far", "Đến nay"),
    "year_end": _text("Forecast of the year", "Dự báo cả năm"),
    "year_range": _text("Range", "Khoảng dự báo"),
    "known_days": _text("Known days", "Số ngày có số liệu"),
    "forecast_none": _text("too few days are known", "quá ít ngày có số liệu"),
    "forecast_over": _text("reached", "đã đạt ngưỡng"),
    "forecast_will": _text("will be reached", "sẽ đạt ngưỡng"),
    "forecast_may": _text("may be reached", "có thể đạt ngưỡng"),
    "forecast_under": _text("will not be reached", "không đạt ngưỡng"),
    "inventory": _text("Greenhouse gas inventory of the park", "Kiểm kê khí nhà kính của khu"),
    "inventory_sheet": _text("Inventory", "Kiểm kê"),
    "inventory_text": _text(
        "What entered at the park's edge, and the fuels that were entered. Scope 2 is given twice, location-based and "
        "market-based: never add both. The lines of each tenant are in the files that come with this report.",
        "Lượng qua ranh giới khu và nhiên liệu do đơn vị khai. Phạm vi 2 nêu hai cách, theo vị trí và theo thị trường: "
        "không cộng cả hai. Số liệu từng doanh nghiệp có trong các tệp kèm báo cáo.",
    ),
    "sum": _text("Sum", "Cộng"),
    "scope": _text("Scope", "Phạm vi"),
    "basis": _text("Basis", "Cách tính"),
    "location": _text("location-based", "theo vị trí"),
    "market": _text("market-based", "theo thị trường"),
    "per_unit_kg": _text("kg CO₂e per unit", "kg CO₂e trên đơn vị"),
    "co2_fossil_kg": _text("CO₂, kg", "CO₂, kg"),
    "ch4_kg": _text("CH₄, kg", "CH₄, kg"),
    "n2o_kg": _text("N₂O, kg", "N₂O, kg"),
    "co2_biogenic_kg": _text("biogenic CO₂, kg", "CO₂ sinh học, kg"),
    "co2e_t": _text("t CO₂e", "t CO₂e"),
    "standing": _text("Standing", "Tính chất"),
    "default": _text("default of the IPCC", "giá trị mặc định của IPCC"),
    "own_contract": _text("by the tenant's own contract", "theo hợp đồng riêng của doanh nghiệp"),
    "symbiosis": _text("Industrial symbiosis: possible matches", "Cộng sinh công nghiệp: các liên kết có thể"),
    "symbiosis_text": _text(
        "What one firm has left over and another could use, quarter hour by quarter hour. Savings are what the demand "
        "would not have to buy; pipes, pumps, treatment and the price between the two firms are not in them.",
        "Phần dư của nơi này mà nơi khác dùng được, tính theo từng khoảng 15 phút. Khoản tiết kiệm là phần bên nhận "
        "không phải mua; chưa gồm đường ống, bơm, xử lý và giá giữa hai doanh nghiệp.",
    ),
    "surplus": _text("Surplus", "Nguồn dư"),
    "demand": _text("Demand", "Nhu cầu"),
    "could_be_met": _text("Could be met", "Có thể đáp ứng"),
    "would_save": _text("Would save", "Tiết kiệm"),
    "uncertain": _text("What is uncertain", "Điều chưa chắc chắn"),
    "match_shares": _text("{demand} of the demand, {surplus} of the surplus", "{demand} nhu cầu, {surplus} nguồn dư"),
    "with_storage": _text("{amount} with a day's storage", "{amount} nếu có bồn chứa một ngày"),
    "distance": _text("{m} m apart in a straight line", "cách nhau {m} m theo đường thẳng"),
    "distance_unknown": _text("the distance is not known", "chưa biết khoảng cách"),
    # Forms
    "forms": _text("Yearly forms", "Các biểu mẫu năm"),
    "forms_text": _text(
        "Fields as understood from Circular 05/2025/TT-BKHDT; compare with its official annex before handing in. "
        "Measured figures are filled in.",
        "Các trường được hiểu theo Thông tư 05/2025/TT-BKHĐT; đối chiếu phụ lục chính thức trước khi nộp. "
        "Số liệu đo được đã điền sẵn.",
    ),
    "target": _text("Target", "Mục tiêu"),
    "target_of": _text("target {target}", "mục tiêu {target}"),
    "target_reached": _text("reached", "đạt"),
    "target_missed": _text("not reached", "chưa đạt"),
    "form": _text("Form", "Biểu mẫu"),
    "code": _text("Code", "Mã"),
    "subject": _text("Of", "Đối tượng"),
    "status": _text("Status", "Trạng thái"),
    "measured": _text("measured", "đo được"),
    "partly_measured": _text("measured in part", "đo được một phần"),
    "computed": _text("computed", "tính toán"),
    "uncertainty": _text("± (95 %)", "± (95%)"),
    "given": _text("entered", "do đơn vị khai"),
    "open": _text("to be filled in", "cần điền"),
    "missing": Provenance.MISSING.label,
    "yes": _text("yes", "có"),
    "no": _text("no", "không"),
}

FORMULAS: Final[dict[str, Localized]] = {
    "F1": _text(
        "(register at the end - register at the start) · multiplier, summed over quarter hours",
        "(chỉ số cuối - chỉ số đầu) · hệ số nhân, cộng các khoảng 15 phút",
    ),
    "F3": _text(
        "Σ use / Σ output, floor area or employees, over the time in which both are known",
        "Σ tiêu thụ / Σ sản lượng, diện tích sàn hoặc số lao động, trong thời gian biết cả hai",
    ),
    "F4": _text(
        "productivity: Σ output / Σ resource; intensity: Σ emission / Σ output, over the time in which both are known",
        "năng suất: Σ sản lượng / Σ tài nguyên; cường độ: Σ phát thải / Σ sản lượng, trong thời gian biết cả hai",
    ),
    "F5": _text(
        "c + m₁D₁ + …, least squares over the frozen baseline period",
        "c + m₁D₁ + …, bình phương tối thiểu trên kỳ cơ sở đã chốt",
    ),
    "F6": _text("running sum of (expected - actual)", "tổng lũy kế của (kỳ vọng - thực tế)"),
    "F7": _text("Σ actual / Σ expected", "Σ thực tế / Σ kỳ vọng"),
    "F8": _text(
        "P / √(P² + Q²) of the sums of kWh and kvarh; surcharge by the dated rule, in steps of a hundredth of cosφ",
        "P / √(P² + Q²) từ tổng kWh và kvarh; tiền mua công suất phản kháng theo quy định của kỳ, "
        "theo từng bước một phần trăm của cosφ",
    ),
    "F9": _text(
        "highest mean of 30 minutes; load factor: mean / highest; base load: level that nearly all half hours exceed",
        "trung bình 30 phút cao nhất; hệ số phụ tải: trung bình / cực đại; phụ tải nền: mức mà hầu hết các nửa giờ "
        "đều vượt",
    ),
    "F10": _text("Σ use · price by tariff band and date", "Σ tiêu thụ · đơn giá theo khung giờ và ngày"),
    "F11": _text(
        "energy bought · factor of its year (location-based) or of the own contract (market-based); own solar counts "
        "as zero",
        "năng lượng mua · hệ số của năm (theo vị trí) hoặc của hợp đồng riêng (theo thị trường); điện mặt trời tự dùng "
        "tính bằng không",
    ),
    "F12": _text(
        "fuel · net calorific value · Σ over CO₂, CH₄, N₂O of kg per GJ · warming potential; without biogenic CO₂",
        "nhiên liệu · nhiệt trị thấp · Σ CO₂, CH₄, N₂O: kg trên GJ · tiềm năng nóng lên; không gồm CO₂ sinh học",
    ),
    "F14": _text(
        "loss = intake - tenants - own use (of a main meter: - Σ sub-meters); band = √Σ (class · use)²",
        "tổn thất = lượng vào - doanh nghiệp - tự dùng (theo đồng hồ tổng: - Σ đồng hồ nhánh); khoảng sai số = "
        "√Σ (cấp chính xác · tiêu thụ)²",
    ),
    "F15": _text("mean flow 02:00-04:00 / mean flow of the day", "lưu lượng trung bình 02:00-04:00 / trung bình ngày"),
    "F16": _text("Σ wastewater / Σ water", "Σ nước thải / Σ nước cấp"),
    "F17": _text("valid / expected quarter hours", "số khoảng 15 phút hợp lệ / số khoảng phải có"),
    "F18": _text(
        "budget of the month · share of its quarter hours that have passed; Σ cost / budget of the same quarter hours",
        "ngân sách tháng · phần số khoảng 15 phút đã qua của tháng; Σ chi phí / ngân sách của cùng các khoảng đó",
    ),
    "F19": _text(
        "Σ (cost + demand charge + surcharge) · VAT rate of the day; payable: all of these + VAT",
        "Σ (chi phí + tiền công suất + tiền công suất phản kháng) · thuế suất GTGT của ngày; phải trả: cộng các khoản "
        "này và thuế",
    ),
    "F20": _text(
        "Σ over electricity, steam, gas, compressed air and chilled water: use · MJ or TOE per unit",
        "Σ điện, hơi, khí, khí nén, nước lạnh: tiêu thụ · MJ hoặc TOE trên đơn vị",
    ),
    "F21": _text(
        "√((t · s · √(n/n' · (m + m²/n + q)))² + u²) of m days; fit of n days with standard error s; n' = n (1 - r) / "
        "(1 + r), r: correlation of a residual with that of the day before; q: how far the drivers are from those of "
        "the fit; u: uncertainty of adjustments",
        "√((t · s · √(n/n' · (m + m²/n + q)))² + u²) của m ngày; hồi quy n ngày, sai số chuẩn s; n' = n (1 - r) / "
        "(1 + r), r: tương quan của phần dư với ngày trước; q: mức lệch của các biến so với kỳ hồi quy; u: độ không "
        "đảm bảo của các điều chỉnh",
    ),
    "F28": _text(
        "highest mean of 30 minutes of the month · price per kW; a part of a month in proportion",
        "trung bình 30 phút cao nhất trong tháng · giá công suất trên kW; không đủ tháng thì tính theo tỷ lệ thời gian",
    ),
    "F30": _text(
        "use of the meter · what comes with one unit, or the stated rate; heat and quality as the demand can take them",
        "tiêu thụ của đồng hồ · lượng đi kèm một đơn vị, hoặc mức khai báo; nhiệt và chất lượng theo mức bên nhận dùng "
        "được",
    ),
    "F31": _text(
        "Σ min(surplus, demand) of quarter hours in which both are known; by-products by the day",
        "Σ min(nguồn dư, nhu cầu) của các khoảng 15 phút biết cả hai; phụ phẩm tính theo ngày",
    ),
    "F32": _text(
        "Σ met · utility replaced per unit · price or factor of the day; without pipes, pumps and treatment",
        "Σ lượng đáp ứng · tiện ích thay thế trên đơn vị · đơn giá hoặc hệ số của ngày; chưa gồm đường ống, bơm, xử lý",
    ),
    "F33": _text(
        "amount · net calorific value · Σ over CO₂, CH₄, N₂O of kg per GJ · warming potential; without biogenic CO₂",
        "lượng · nhiệt trị thấp · Σ CO₂, CH₄, N₂O: kg trên GJ · tiềm năng nóng lên; không gồm CO₂ sinh học",
    ),
    "F34": _text(
        "known + days not known · mean of the known days (range: lowest and highest month) + entered months · 12 / n",
        "đã biết + số ngày chưa biết · trung bình ngày đã biết (khoảng: tháng thấp nhất, cao nhất) + tháng đã khai · "
        "12 / n",
    ),
    "F35": _text(
        "Σ reused / Σ wastewater taken in, over the time in which both are known",
        "Σ nước tái sử dụng / Σ nước thải thu gom, trong thời gian biết cả hai",
    ),
}
"""The formulas in words, by the number in `metering.figures`; docs/formulas.md has them in full, with their sources."""

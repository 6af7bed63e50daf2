"""Alerts on the park's month and year: its own contract, months that are not closed, corrections, the forecast."""

from typing import Final

from dashboards.alerts.rule import AlertKind, Allowed, Margin, Question, Severity
from dashboards.alerts.statements import DAY_S, HOUR, MINUTE, figure, statement
from dashboards.alerts.subjects import at_levels, intake_contracts, sharing, waiting_to_close
from metering.figures import Period
from metering.words import text
from store.schema import CLOSING, USAGE

_INTAKE = statement('sum("amount") * 2 / {limit} * 100', USAGE, "{mains}", by="time(30m) fill(none)")
_OPEN = statement('max("open_days")', CLOSING)
_WAITING = statement('sum("waiting_vnd")', CLOSING, "\"tenant\" != ''", by='"tenant"')
_FORECAST = figure('last("co2e_forecast_kg") / 1000', Period.YEAR, "{tenants}")

KINDS: Final = (
    AlertKind(
        id="intake-{percent}",
        subjects=at_levels(intake_contracts, {90: Severity.WARNING, 100: Severity.CRITICAL}),
        name=text(
            "Intake at {percent} % of the park's contract", "Công suất mua vào đạt {percent}% mức đăng ký của khu"
        ),
        questions=(Question(_INTAKE, 90 * MINUTE, "max"),),
        margin=Margin(by=5),
        what=text(
            "The park's 30-minute intake has reached {value} % of the {limit} kW that it has agreed with its supplier.",
            "Công suất 30 phút mua vào của khu đã đạt {value}% công suất {limit} kW đăng ký với bên bán điện.",
        ),
        first=text(
            "Look first at the power by tenant: who draws more than usual, and what can wait half an hour?",
            "Xem trước công suất theo doanh nghiệp: ai dùng nhiều hơn thường lệ, tải nào có thể lùi nửa giờ?",
        ),
        page="account",
        panel=20,
        hold=0,
        keep=30 * MINUTE,
    ),
    AlertKind(
        id="month-open",
        subjects=waiting_to_close,
        name=text("Month is not closed", "Tháng chưa khóa sổ"),
        questions=(Question(_OPEN, 400 * DAY_S, "max"),),
        margin=Margin(by=0.5),
        what=text(
            "A month ended {value} days ago and is not closed; {limit} days are allowed.",
            "Có tháng kết thúc đã {value} ngày mà chưa khóa sổ; cho phép {limit} ngày.",
        ),
        first=text(
            "Run ecopark close with --check for that month: it lists the obstacles.",
            "Chạy lệnh ecopark close với --check cho tháng đó: lệnh liệt kê những gì còn vướng.",
        ),
        page="account",
        panel=30,
        hold=HOUR,
        slow=True,
        shape="%.0f",
    ),
    AlertKind(
        id="correction-waiting",
        name=text("Correction of a closed month waits", "Có điều chỉnh của tháng đã khóa sổ"),
        severity=Severity.INFO,
        questions=(Question(_WAITING, 400 * DAY_S),),
        allowed=Allowed(-1.0, 1.0),
        margin=Margin(by=0.5),
        what=text(
            "{labels.tenant}: closed months would be stated otherwise by {value} ₫ with VAT now; the next statement says so.",
            "{labels.tenant}: các tháng đã khóa sổ nay lệch {value} ₫ gồm thuế; bảng kê kỳ sau sẽ điều chỉnh.",
        ),
        first=text(
            "Look first at the reason in the list of closed months; if it is a mistake in the park file, correct that.",
            "Xem trước lý do trong danh sách tháng đã khóa sổ; nếu do khai báo sai trong hồ sơ khu thì sửa hồ sơ.",
        ),
        page="account",
        panel=31,
        hold=HOUR,
        slow=True,
        shape="%.0f",
    ),
    AlertKind(
        id="emissions-forecast",
        subjects=sharing(
            lambda park, own: own.co2e_t_per_year or park.park.thresholds.co2e_t_per_year,
            lambda limit: Allowed(high=limit),
        ),
        of="{limit} t CO2e",
        name=text("Emissions will pass the yearly threshold", "Phát thải dự báo vượt ngưỡng năm"),
        questions=(Question(_FORECAST, 365 * DAY_S),),
        margin=Margin(share=0.02),
        what=text(
            "{labels.tenant}: this year is likely to end with {value} t CO₂e, metered and entered; the threshold is {limit} t.",
            "{labels.tenant}: dự báo cả năm phát thải {value} tấn CO₂e, gồm đo đếm và khai báo; ngưỡng {limit} tấn.",
        ),
        first=text(
            "Look first at the forecast's range on the tenant's page, then ask the park's office about the greenhouse gas inventory.",
            "Xem trước khoảng dự báo ở trang doanh nghiệp, rồi hỏi ban quản lý khu công nghiệp về kiểm kê khí nhà kính.",
        ),
        page="tenant",
        panel=63,
        hold=HOUR,
        slow=True,
        shape="%.0f",
    ),
)

"""Alerts on wastewater: permitted limits at an outfall, instruments that do not measure, discharge over the contract."""

from typing import Final

from dashboards.alerts.rule import AlertKind, Margin, Question, Severity
from dashboards.alerts.statements import DAY_S, HOUR, METER, MINUTE, PARK, TENANT, figure, statement
from dashboards.alerts.subjects import at_levels, outfalls, permits, wastewater_contracts
from dashboards.pages.water import measured
from dashboards.queries import PageScope
from metering.figures import WASTEWATER, Period
from metering.model import Localized
from metering.quantities import Utility
from metering.words import text


def _limit(quantity: str, name: Localized, panel: int) -> AlertKind:
    return AlertKind(
        id="effluent-limit",
        subjects=permits(quantity),
        of=f"{{meter}} {quantity}",
        name=text("Wastewater limit", "Giới hạn nước thải"),
        severity=Severity.CRITICAL,
        questions=(
            Question(measured(PageScope(park=False, tenant=False), quantity, PARK, METER), 20 * MINUTE, "mean"),
        ),
        margin=Margin(share=0.03),
        what=text(
            f"{{name}}: {name.en} is {{value}}{{unit}} over the last 20 minutes; permitted: {{permitted}}{{unit}}.",
            f"{{name}}: {name.vi} là {{value}}{{unit}} trong 20 phút gần nhất; giới hạn cho phép: {{permitted}}{{unit}}.",
        ),
        first=text(
            "Look first at the treatment plant's inlet and aeration; take a sample; the official logger decides.",
            "Kiểm tra trước đầu vào và sục khí của trạm xử lý; lấy mẫu; căn cứ là số liệu của thiết bị quan trắc chính thức.",
        ),
        page="water",
        panel=panel,
        hold=10 * MINUTE,
        keep=10 * MINUTE,
        shape="%.2f",
    )


def _instrument(state: str, says: Localized, hold: int, severity: Severity) -> AlertKind:
    return AlertKind(
        id=f"effluent-{state}",
        subjects=outfalls,
        of="{meter}",
        name=text(f"Instrument {says.en}", f"Thiết bị đo {says.vi}"),
        severity=severity,
        questions=(
            Question(
                statement('count("state")', Utility.WASTEWATER, METER, f"\"state\" = '{state}'", by='"meter"'),
                15 * MINUTE,
            ),
        ),
        what=text(
            f"{{name}}: the instrument {says.en}; its values count for no limit.",
            f"{{name}}: thiết bị đo {says.vi}; giá trị không dùng để xét giới hạn.",
        ),
        first=text(
            "Look first at the instrument's display and its maintenance log.",
            "Xem trước màn hình và sổ bảo trì của thiết bị.",
        ),
        page="water",
        panel=25,
        hold=hold,
        shape="%.0f",
    )


KINDS: Final = (
    _limit("ph", text("pH", "pH"), 20),
    _limit("cod_mgl", text("COD", "COD"), 21),
    _limit("tss_mgl", text("suspended solids (TSS)", "tổng chất rắn lơ lửng (TSS)"), 22),
    _limit("nh4_mgl", text("ammonium", "amoni"), 23),
    _limit("temperature_c", text("temperature", "nhiệt độ"), 24),
    _instrument("fault", text("reports a fault", "báo lỗi"), 15 * MINUTE, Severity.WARNING),
    _instrument(
        "calibrating", text("has been calibrating for 2 hours", "đang hiệu chuẩn đã 2 giờ"), 2 * HOUR, Severity.INFO
    ),
    AlertKind(
        id="wastewater-quota-{percent}",
        subjects=at_levels(wastewater_contracts, {90: Severity.WARNING, 100: Severity.CRITICAL}),
        of="{tenant}",
        name=text("Wastewater at {percent} % of contract", "Nước thải đạt {percent}% mức hợp đồng"),
        questions=(Question(figure(f'last("{WASTEWATER}") / {{limit}} * 100', Period.DAY, TENANT), DAY_S),),
        margin=Margin(by=3),
        what=text(
            "{name} has discharged {value} % of the {limit} m³ that its contract allows for today.",
            "{name}: hôm nay đã xả {value}% mức {limit} m³/ngày theo hợp đồng.",
        ),
        first=text(
            "Look first at the hourly discharge on the tenant's page, then call the tenant.",
            "Xem trước lượng xả theo giờ ở trang doanh nghiệp, rồi gọi cho doanh nghiệp.",
        ),
        page="water",
        panel=6,
    ),
)

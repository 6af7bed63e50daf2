"""Alerts 2 and 3: permitted limits at an outfall, instruments that do not measure, and discharge over the contract."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from dashboards.alerts.asking import DAY_S, MINUTE, figure, had_by, where
from dashboards.alerts.rule import Above, AlertRule, Below, Outside, Question, Severity
from dashboards.names import short
from dashboards.pages.water import measured
from dashboards.queries import PageScope
from metering.dated import DatedLimit, at
from metering.figures import WASTEWATER
from metering.meters import Meter
from metering.park import Park, Tenant
from metering.quantities import UTILITIES
from metering.words import Language, text

MARGIN = 0.03
"""A value recovers when it is this share inside its limit."""

NAMED = {
    "ph": text("pH", "pH"),
    "cod_mgl": text("COD", "COD"),
    "tss_mgl": text("suspended solids (TSS)", "tổng chất rắn lơ lửng (TSS)"),
    "nh4_mgl": text("ammonium", "amoni"),
    "temperature_c": text("temperature", "nhiệt độ"),
}
"""What people call the quantities."""

PANEL = {"ph": 20, "cod_mgl": 21, "tss_mgl": 22, "nh4_mgl": 23, "temperature_c": 24}


def rules(park: Park, day: date) -> Iterator[AlertRule]:
    """Every rule of this kind for one park; `day` decides which limits hold."""
    for meter in park.meters:
        had = had_by(park, meter, day)
        if had is None:
            continue
        for quantity, dated in sorted(meter.limits.items()):
            limit = at(dated, day)
            if limit is not None and quantity in PANEL:
                yield replace(_limit(park, meter, quantity, limit), tenant=had.tenant)
        if meter.limits:
            yield replace(_instrument(park, meter, "fault", "15m", Severity.WARNING), tenant=had.tenant)
            yield replace(_instrument(park, meter, "calibrating", "2h", Severity.INFO), tenant=had.tenant)
    for tenant in park.tenants:
        contract = at(tenant.contract.wastewater_m3_per_day, day)
        if contract is not None and contract.value > 0:
            yield _quota(park, tenant, contract.value, 90, Severity.WARNING)
            yield _quota(park, tenant, contract.value, 100, Severity.CRITICAL)


def _permitted(limit: DatedLimit) -> Above | Below | Outside:
    if limit.low is None:
        high = limit.high or 0.0
        return Above(high, high * (1 - MARGIN))
    if limit.high is None:
        return Below(limit.low, limit.low * (1 + MARGIN))
    return Outside(limit.low, limit.high, (limit.high - limit.low) * MARGIN)


def _limit(park: Park, meter: Meter, quantity: str, limit: DatedLimit) -> AlertRule:
    unit = "" if quantity == "ph" else f" {UTILITIES[meter.utility].quantities[quantity].unit}"
    sides = [side for side in (limit.low, limit.high) if side is not None]
    english, viet = (" - ".join(write(side) for side in sides) for write in (Language.EN.exact, Language.VI.exact))
    own = (f"\"park\" = '{park.id}'", f"\"meter\" = '{meter.id}'")
    return AlertRule(
        kind="effluent-limit",
        park=park.id,
        of=f"{meter.id} {quantity}",
        name=text("Wastewater limit", "Giới hạn nước thải"),
        severity=Severity.CRITICAL,
        questions=(Question(measured(PageScope(park=False, tenant=False), quantity, *own), 20 * MINUTE, "mean"),),
        fires=_permitted(limit),
        what=text(
            f"{meter.name.en}: {NAMED[quantity].en} is {{value}}{unit} over the last 20 minutes; permitted: {english}{unit}.",
            f"{meter.name.vi}: {NAMED[quantity].vi} là {{value}}{unit} trong 20 phút gần nhất; giới hạn cho phép: {viet}{unit}.",
        ),
        first=text(
            "Look first at the treatment plant's inlet and aeration; take a sample; the official logger decides.",
            "Kiểm tra trước đầu vào và sục khí của trạm xử lý; lấy mẫu; căn cứ là số liệu của thiết bị quan trắc chính thức.",
        ),
        page="water",
        panel=PANEL[quantity],
        hold="10m",
        keep="10m",
        shape="%.2f",
    )


def _instrument(park: Park, meter: Meter, state: str, hold: str, severity: Severity) -> AlertRule:
    found = where(park, f"\"meter\" = '{meter.id}'", f"\"state\" = '{state}'")
    query = f'SELECT count("state") FROM "{meter.utility.value}" {found} GROUP BY "meter"'
    words = {
        "fault": ("reports a fault", "báo lỗi"),
        "calibrating": ("has been calibrating for 2 hours", "đang hiệu chuẩn đã 2 giờ"),
    }
    en, vi = words[state]
    return AlertRule(
        kind=f"effluent-{state}",
        park=park.id,
        of=meter.id,
        name=text(f"Instrument {en}", f"Thiết bị đo {vi}"),
        severity=severity,
        questions=(Question(query, 15 * MINUTE),),
        fires=Above(0, 0.5),
        what=text(
            f"{meter.name.en}: the instrument {en}; its values count for no limit.",
            f"{meter.name.vi}: thiết bị đo {vi}; giá trị không dùng để xét giới hạn.",
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


def _quota(park: Park, tenant: Tenant, quota: float, percent: int, severity: Severity) -> AlertRule:
    query = figure(park, f'last("{WASTEWATER}") / {quota:.3f} * 100', "day", f"\"tenant\" = '{tenant.id}'")
    name = short(tenant.name)
    return AlertRule(
        kind=f"wastewater-quota-{percent}",
        park=park.id,
        of=tenant.id,
        name=text(f"Wastewater at {percent} % of contract", f"Nước thải đạt {percent}% mức hợp đồng"),
        severity=severity,
        questions=(Question(query, DAY_S),),
        fires=Above(percent, percent - 3),
        what=text(
            f"{name.en} has discharged {{value}} % of the {Language.EN.exact(quota)} m³ that its contract allows for today.",
            f"{name.vi}: hôm nay đã xả {{value}}% mức {Language.VI.exact(quota)} m³/ngày theo hợp đồng.",
        ),
        first=text(
            "Look first at the hourly discharge on the tenant's page, then call the tenant.",
            "Xem trước lượng xả theo giờ ở trang doanh nghiệp, rồi gọi cho doanh nghiệp.",
        ),
        page="water",
        panel=6,
        tenant=tenant.id,
    )

"""Alerts 4 to 11: balance, leaks, demand, power factor, baseline, what happens to meters, solar, and total energy."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date

from dashboards.alerts.asking import DAY_S, MINUTE, figure, had_by, one_of, where
from dashboards.alerts.happened import event, rollover, unit
from dashboards.alerts.leak import continuous
from dashboards.alerts.loss import balances
from dashboards.alerts.rule import Above, AlertRule, Below, Question, Severity
from dashboards.names import short
from dashboards.queries import BILLING, GENERATION, of
from metering.dated import at
from metering.figures import WATER
from metering.meters import Meter, Role, Thresholds
from metering.park import Park, Tenant
from metering.quantities import Utility
from metering.words import Language, text
from store.schema import BASELINE, USAGE

_PARK = ""
"""In place of a tenant: the park's own meters."""


def rules(park: Park, day: date) -> Iterator[AlertRule]:
    """Every rule of this kind for one park; `day` decides which contracts hold."""
    yield from balances(park, day)
    for ratio, tenants in _grouped(park, day, lambda own: own.night_flow_ratio):
        yield _night(park, ratio, tenants)
    for ratio, tenants in _grouped(park, day, lambda own: own.continuous_flow_ratio):
        yield continuous(park, ratio, tenants)
    for tenant in park.tenants:
        contract = at(tenant.contract.demand_kw, day)
        if contract is not None and contract.value > 0:
            yield from _demand(park, tenant, contract.value, day)
    for least, tenants in _grouped(park, day, lambda own: own.power_factor):
        yield _power_factor(park, least, tenants)
    above = dict(_grouped(park, day, lambda own: own.above_baseline_ratio))
    above.setdefault(park.park.thresholds.above_baseline_ratio, []).append(_PARK)
    for ratio, tenants in sorted(above.items()):
        yield _baseline(park, ratio, tenants)
    yield event(park)
    yield unit(park)
    yield rollover(park)
    yield from _solar(park, day)
    for toe, tenants in _grouped(park, day, lambda own: own.toe_per_year or park.park.thresholds.toe_per_year):
        yield _energy(park, toe, tenants, 90, Severity.INFO)
        yield _energy(park, toe, tenants, 100, Severity.WARNING)


def _grouped(park: Park, day: date, pick: Callable[[Thresholds], float | None]) -> Iterator[tuple[float, list[str]]]:
    """Tenants that share a threshold: one rule for all of them."""
    groups: dict[float, list[str]] = defaultdict(list)
    for tenant in park.tenants:
        threshold = pick(park.thresholds_of(tenant.id, day))
        if threshold is not None:
            groups[threshold].append(tenant.id)
    yield from sorted(groups.items())


def _night(park: Park, ratio: float, tenants: list[str]) -> AlertRule:
    """Against a week's mean and not the day's: on a day without work the night is as quiet as the day.

    Of yesterday: in the morning, the night is most of what there is of today.
    """
    flow = f'last("night_water_ratio") * last("{WATER}") / mean("{WATER}")'
    return AlertRule(
        kind="night-flow",
        park=park.id,
        of=f"over {ratio:g}",
        name=text("Water runs at night", "Nước chảy ban đêm"),
        severity=Severity.WARNING,
        questions=(Question(figure(park, flow, "day", one_of("tenant", tenants)), 9 * DAY_S, until=DAY_S),),
        fires=Above(ratio, ratio * 0.9),
        what=text(
            f"{{labels.tenant}}: yesterday's water flow between 02:00 and 04:00 is {{value}} of the mean of eight days; its limit is "
            f"{ratio:g}. A leak?",
            f"{{labels.tenant}}: lưu lượng nước 02:00-04:00 hôm qua bằng {{value}} lần trung bình tám ngày; ngưỡng "
            f"{Language.VI.exact(ratio)}. Có rò rỉ không?",
        ),
        first=text(
            "Check first whether a night shift worked; if not, close the branches one by one at night.",
            "Kiểm tra trước có ca đêm không; nếu không, ban đêm khóa lần lượt từng nhánh nước.",
        ),
        page="water",
        panel=7,
        hold="30m",
        slow=True,
        shape="%.2f",
    )


def _demand(park: Park, tenant: Tenant, contract: float, day: date) -> Iterator[AlertRule]:
    name = short(tenant.name)
    warning = round(park.thresholds_of(tenant.id, day).demand_warning_ratio * 100)
    levels = {80: Severity.INFO, warning: Severity.WARNING, 100: Severity.CRITICAL}
    found = where(park, of(Utility.ELECTRICITY), BILLING, f"\"tenant\" = '{tenant.id}'")
    counted = f'sum("amount") * 2 / {contract:.3f} * 100{_less_a_count(park, tenant.id, contract, day)}'
    query = f'SELECT {counted} FROM "{USAGE}" {found} GROUP BY time(30m), "tenant" fill(none)'
    for percent, severity in sorted(levels.items()):
        yield AlertRule(
            kind=f"demand-{percent}",
            park=park.id,
            of=tenant.id,
            name=text(f"Demand at {percent} % of contract", f"Công suất đạt {percent}% mức đăng ký"),
            severity=severity,
            questions=(Question(query, 90 * MINUTE, "max"),),
            fires=Above(percent, percent - 5),
            what=text(
                f"{name.en}: 30-minute demand has reached {{value}} % of the contract's {Language.EN.exact(contract)} kW.",
                f"{name.vi}: công suất 30 phút đã đạt {{value}}% công suất đăng ký {Language.VI.exact(contract)} kW.",
            ),
            first=text(
                "Look first at the tenant's power curve and its largest sub-meters: what can wait half an hour?",
                "Xem trước biểu đồ công suất của doanh nghiệp và các công tơ nhánh lớn nhất: tải nào có thể lùi nửa giờ?",
            ),
            page="electricity",
            panel=5,
            hold="0s",
            keep="30m",
            tenant=tenant.id,
        )


def _less_a_count(park: Park, tenant: str, contract: float, day: date) -> str:
    """What one count of the tenant's coarsest meter can add to a half hour, in percent of the contract.

    A counter that counts in large steps shows in one half hour what passed in the one before: only what is surely
    reached wakes somebody. Nothing where a count is under 1 %.
    """
    counts = [
        register.resolution * abs(instrument.factor(meter.counter))
        for meter in park.meters
        if meter.utility is Utility.ELECTRICITY and (had := had_by(park, meter, day)) and had.tenant == tenant
        for instrument in meter.instruments_in(had.span)
        if (register := instrument.registers.get(meter.counter)) is not None
    ]
    percent = 2 * max(counts, default=0.0) / contract * 100
    return f" - {percent:.2f}" if percent >= 1 else ""


def _power_factor(park: Park, least: float, tenants: list[str]) -> AlertRule:
    return AlertRule(
        kind="power-factor",
        park=park.id,
        of=f"under {least:g}",
        name=text("Power factor too low", "Hệ số công suất thấp"),
        severity=Severity.WARNING,
        questions=(Question(figure(park, 'last("power_factor")', "month", one_of("tenant", tenants)), 31 * DAY_S),),
        fires=Below(least, least + 0.005),
        what=text(
            f"{{labels.tenant}}: power factor for the month to date is {{value}}, below {least:g}; unless it rises, a "
            "surcharge is due for this month.",
            f"{{labels.tenant}}: hệ số công suất lũy kế tháng là {{value}}, dưới {Language.VI.exact(least)}; nếu không tăng thì tháng này phải "
            "trả tiền mua công suất phản kháng.",
        ),
        first=text(
            "Look first at the capacitor bank: fuses, steps, controller; the month can still be saved.",
            "Kiểm tra trước tủ tụ bù: cầu chì, cấp tụ, bộ điều khiển; vẫn còn kịp cải thiện trong tháng.",
        ),
        page="electricity",
        panel=6,
        hold="6h",
        keep="1h",
        slow=True,
        shape="%.3f",
    )


def _baseline(park: Park, ratio: float, tenants: list[str]) -> AlertRule:
    percent = round(ratio * 100, 1)
    saving = 'SELECT sum("saving") / sum("expected") * 100'
    found = where(park, one_of("tenant", tenants))
    query = f'{saving} FROM "{BASELINE}" {found} GROUP BY "tenant", "baseline"'
    return AlertRule(
        kind="above-baseline",
        park=park.id,
        of=f"over {percent:g} %",
        name=text("Use above baseline", "Tiêu thụ vượt đường cơ sở"),
        severity=Severity.WARNING,
        questions=(Question(query, 9 * DAY_S, until=DAY_S),),
        fires=Below(-percent, -percent / 2),
        what=text(
            "Baseline {labels.baseline} ({labels.tenant}): savings of the last eight days are {value} % of the expected use (negative: more "
            "was used).",
            "Đường cơ sở {labels.baseline} ({labels.tenant}): tiết kiệm trong tám ngày gần nhất là {value}% mức kỳ vọng (âm: dùng "
            "nhiều hơn).",
        ),
        first=text(
            "Look first at the base load and at which sub-meter rose; then at what changed in production.",
            "Xem trước phụ tải nền và công tơ nhánh nào tăng; sau đó xem sản xuất có gì thay đổi.",
        ),
        page="ranking",
        panel=10,
        hold="6h",
        slow=True,
    )


def _solar(park: Park, day: date) -> Iterator[AlertRule]:
    had = [(meter, had_by(park, meter, day)) for meter in park.meters]
    plants = {meter.id: owned for meter, owned in had if owned is not None and owned.role is Role.GENERATION}
    for name, owned in plants.items():
        others = [park.meter[other] for other in plants if other != name]
        if others:
            yield _one_solar(park, park.meter[name], others, park.thresholds_of(owned.tenant, day).solar_ratio)


def _one_solar(park: Park, meter: Meter, others: list[Meter], ratio: float) -> AlertRule:
    """Against its neighbours under the same sky, each by what it is rated for."""
    own = where(park, GENERATION, f"\"meter\" = '{meter.id}'")
    rest = where(park, GENERATION, one_of("meter", (other.id for other in others)))
    rated = sum(other.rated for other in others)
    return AlertRule(
        kind="solar-low",
        park=park.id,
        of=meter.id,
        name=text("Solar under expectation", "Điện mặt trời thấp hơn kỳ vọng"),
        severity=Severity.INFO,
        questions=(
            Question(
                f'SELECT sum("amount") / {meter.rated:.3f} FROM "{USAGE}" {own} GROUP BY "tenant", "meter"',
                DAY_S,
                "sum",
            ),
            Question(f'SELECT sum("amount") / {rated:.3f} FROM "{USAGE}" {rest}', DAY_S, "sum"),
        ),
        fires=Below(ratio, ratio + 0.05),
        what=text(
            f"{meter.name.en}: in 24 hours it generated {{value}} times as much per rated kW as the other solar plants; the "
            f"limit is {ratio:g}.",
            f"{meter.name.vi}: trong 24 giờ phát bằng {{value}} lần các hệ điện mặt trời khác, tính trên mỗi kW lắp đặt; ngưỡng "
            f"{Language.VI.exact(ratio)}.",
        ),
        first=text(
            "Look first at the inverter's fault list, then at shade and dirt.",
            "Xem trước danh sách lỗi của biến tần, sau đó đến bóng che và bụi bẩn.",
        ),
        page="electricity",
        panel=9,
        combine="$A / $B",
        hold="2h",
        slow=True,
        shape="%.2f",
    )


def _energy(park: Park, toe: float, tenants: list[str], percent: int, severity: Severity) -> AlertRule:
    query = figure(park, f'sum("toe") / {toe:.3f} * 100', "month", one_of("tenant", tenants))
    return AlertRule(
        kind=f"energy-{percent}",
        park=park.id,
        of=f"{toe:g} TOE",
        name=text(f"Energy at {percent} % of the yearly threshold", f"Năng lượng đạt {percent}% ngưỡng năm"),
        severity=severity,
        questions=(Question(query, 365 * DAY_S),),
        fires=Above(percent, percent - 2),
        what=text(
            f"{{labels.tenant}} has used {{value}} % of {toe:g} TOE within the last twelve months.",
            f"{{labels.tenant}} đã dùng {{value}}% ngưỡng {Language.VI.exact(toe)} TOE trong mười hai tháng qua.",
        ),
        first=text(
            "Look first at the twelve months on the tenant's page; ask the park's office what a key energy user must do.",
            "Xem trước mười hai tháng ở trang doanh nghiệp; hỏi ban quản lý khu công nghiệp về nghĩa vụ của cơ sở sử dụng năng lượng trọng điểm.",
        ),
        page="tenant",
        panel=4,
        hold="1h",
        slow=True,
    )

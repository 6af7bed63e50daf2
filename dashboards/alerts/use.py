"""Alerts on use: losses, leaks, demand, power factor, baselines, solar power, and the energy of a year."""

from typing import Final

from dashboards.alerts.rule import AlertKind, Allowed, Margin, Question, Severity
from dashboards.alerts.statements import DAY_S, HOUR, METER, MINUTE, TENANT, figure, statement
from dashboards.alerts.subjects import (
    at_levels,
    demand_contracts,
    main_meters,
    sharing,
    solar_plants,
)
from dashboards.queries import BILLING, GENERATION, OF_DAYS, of
from metering.figures import WATER, Period
from metering.quantities import Utility
from metering.words import text
from store.schema import BALANCE, BASELINE, USAGE

_EXCESS = statement(
    '("loss" - "band") / "incoming" * 100 AS "excess"', BALANCE, OF_DAYS, "{mains}", by='"utility", "main"'
)
_NIGHT = figure(f'last("night_water_ratio") * last("{WATER}") / mean("{WATER}")', Period.DAY, "{tenants}")
"""Against a week's mean and not the day's: on a day without work the night is as quiet as the day.

For yesterday: in the morning, today consists mostly of the night.
"""
_ANY = '"amount" >= 0'
_BOUGHT_WATER = f"{of(Utility.WATER)} AND {BILLING}"
_LEAST_FLOW = statement(
    'min("amount") / mean("amount")', USAGE, _BOUGHT_WATER, _ANY, "{tenants}", by='"tenant", "meter"'
)
"""Unlike the flow of the night, this also finds leaks at a tenant whose night shift uses water. A week, because a day
without work is all minimum. The newest quarter hour is incomplete and does not count."""
_DEMAND = statement(
    'sum("amount") * 2 / {limit} * 100{less}',
    USAGE,
    f"{of(Utility.ELECTRICITY)} AND {BILLING}",
    TENANT,
    by='time(30m), "tenant" fill(none)',
)
_SAVING = statement('sum("saving") / sum("expected") * 100', BASELINE, "{tenants}", by='"tenant", "baseline"')
_YIELD = statement('sum("amount") / {rated}', USAGE, GENERATION, METER, by='"tenant", "meter"')
_NEIGHBOURS = statement('sum("amount") / {others_rated}', USAGE, GENERATION, "{others}")
"""Each relative to its rating."""

KINDS: Final = (
    AlertKind(
        id="balance-loss",
        subjects=main_meters,
        of="{tenant}",
        name=text("Loss above meter error", "Tổn thất vượt sai số đồng hồ"),
        questions=(Question(_EXCESS, 3 * DAY_S, until=DAY_S),),
        margin=Margin(by=0.1),
        what=text(
            "{labels.utility}, main meter {labels.main}: the loss of the last whole day exceeds the meters' error band by {value} % of "
            "what the main meter counted.",
            "{labels.utility}, đồng hồ tổng {labels.main}: tổn thất của ngày trọn vẹn gần nhất vượt khoảng sai số đồng hồ một lượng "
            "bằng {value}% lượng qua đồng hồ tổng.",
        ),
        first=text(
            "Check first whether a sub-meter stood still or was replaced; then look for a leak or an unmetered branch.",
            "Kiểm tra trước đồng hồ nhánh có đứng số hoặc vừa thay không; sau đó tìm rò rỉ hoặc nhánh chưa có đồng hồ.",
        ),
        page="balance",
        panel=5,
        hold=HOUR,
        slow=True,
        shape="%.2f",
    ),
    AlertKind(
        id="night-flow",
        subjects=sharing(lambda _, own: own.night_flow_ratio, lambda limit: Allowed(high=limit)),
        of="over {limit}",
        name=text("Water runs at night", "Nước chảy ban đêm"),
        questions=(Question(_NIGHT, 9 * DAY_S, until=DAY_S),),
        margin=Margin(share=0.1),
        what=text(
            "{labels.tenant}: yesterday's water flow between 02:00 and 04:00 is {value} of the mean of eight days; its limit is "
            "{limit}. A leak?",
            "{labels.tenant}: lưu lượng nước 02:00-04:00 hôm qua bằng {value} lần trung bình tám ngày; ngưỡng "
            "{limit}. Có rò rỉ không?",
        ),
        first=text(
            "Check first whether a night shift worked; if not, close the branches one by one at night.",
            "Kiểm tra trước có ca đêm không; nếu không, ban đêm khóa lần lượt từng nhánh nước.",
        ),
        page="water",
        panel=7,
        hold=30 * MINUTE,
        slow=True,
        shape="%.2f",
    ),
    AlertKind(
        id="continuous-flow",
        subjects=sharing(lambda _, own: own.continuous_flow_ratio, lambda limit: Allowed(high=limit)),
        of="over {limit}",
        name=text("Water never stops", "Nước chảy liên tục không ngừng"),
        questions=(Question(_LEAST_FLOW, 7 * DAY_S, until=20 * MINUTE),),
        margin=Margin(share=0.1),
        what=text(
            "Meter {labels.meter} of {labels.tenant}: in seven days the flow never fell under {value} of its mean; its limit is "
            "{limit}. A leak?",
            "Đồng hồ {labels.meter} của {labels.tenant}: trong bảy ngày lưu lượng không lúc nào dưới {value} lần trung bình; "
            "ngưỡng {limit}. Có rò rỉ không?",
        ),
        first=text(
            "Look first at the flow by tenant; when production rests, close the intake for 15 minutes and see what still runs.",
            "Xem trước lưu lượng theo doanh nghiệp; lúc nghỉ sản xuất, khóa van tổng 15 phút xem nước còn chảy ở đâu.",
        ),
        page="water",
        panel=3,
        hold=2 * HOUR,
        keep=30 * MINUTE,
        slow=True,
        shape="%.2f",
    ),
    AlertKind(
        id="demand-{percent}",
        subjects=demand_contracts,
        of="{tenant}",
        name=text("Demand at {percent} % of contract", "Công suất đạt {percent}% mức đăng ký"),
        questions=(Question(_DEMAND, 90 * MINUTE, "max"),),
        margin=Margin(by=5),
        what=text(
            "{name}: 30-minute demand has reached {value} % of the contract's {limit} kW.",
            "{name}: công suất 30 phút đã đạt {value}% công suất đăng ký {limit} kW.",
        ),
        first=text(
            "Look first at the tenant's power curve and its largest sub-meters: what can wait half an hour?",
            "Xem trước biểu đồ công suất của doanh nghiệp và các công tơ nhánh lớn nhất: tải nào có thể lùi nửa giờ?",
        ),
        page="electricity",
        panel=5,
        hold=0,
        keep=30 * MINUTE,
    ),
    AlertKind(
        id="power-factor",
        subjects=sharing(lambda _, own: own.power_factor, lambda limit: Allowed(low=limit)),
        of="under {limit}",
        name=text("Power factor too low", "Hệ số công suất thấp"),
        questions=(Question(figure('last("power_factor")', Period.MONTH, "{tenants}"), 31 * DAY_S),),
        margin=Margin(by=0.005),
        what=text(
            "{labels.tenant}: power factor for the month to date is {value}, below {limit}; unless it rises, a "
            "surcharge is due for this month.",
            "{labels.tenant}: hệ số công suất lũy kế tháng là {value}, dưới {limit}; nếu không tăng thì tháng này phải "
            "trả tiền mua công suất phản kháng.",
        ),
        first=text(
            "Look first at the capacitor bank: fuses, steps, controller; the month can still be saved.",
            "Kiểm tra trước tủ tụ bù: cầu chì, cấp tụ, bộ điều khiển; vẫn còn kịp cải thiện trong tháng.",
        ),
        page="electricity",
        panel=6,
        hold=6 * HOUR,
        keep=HOUR,
        slow=True,
        shape="%.3f",
    ),
    AlertKind(
        id="above-baseline",
        subjects=sharing(
            lambda _, own: round(own.above_baseline_ratio * 100, 1), lambda limit: Allowed(low=-limit), own=True
        ),
        of="over {limit} %",
        name=text("Use above baseline", "Tiêu thụ vượt đường cơ sở"),
        questions=(Question(_SAVING, 9 * DAY_S, until=DAY_S),),
        margin=Margin(share=0.5),
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
        hold=6 * HOUR,
        slow=True,
    ),
    AlertKind(
        id="solar-low",
        subjects=solar_plants,
        of="{meter}",
        name=text("Solar under expectation", "Điện mặt trời thấp hơn kỳ vọng"),
        severity=Severity.INFO,
        questions=(Question(_YIELD, DAY_S, "sum"), Question(_NEIGHBOURS, DAY_S, "sum")),
        combine="$A / $B",
        margin=Margin(by=0.05),
        what=text(
            "{name}: in 24 hours it generated {value} times as much per rated kW as the other solar plants; the "
            "limit is {limit}.",
            "{name}: trong 24 giờ phát bằng {value} lần các hệ điện mặt trời khác, tính trên mỗi kW lắp đặt; ngưỡng "
            "{limit}.",
        ),
        first=text(
            "Look first at the inverter's fault list, then at shade and dirt.",
            "Xem trước danh sách lỗi của biến tần, sau đó đến bóng che và bụi bẩn.",
        ),
        page="electricity",
        panel=9,
        hold=2 * HOUR,
        slow=True,
        shape="%.2f",
    ),
    AlertKind(
        id="energy-{percent}",
        subjects=at_levels(
            sharing(lambda park, own: own.toe_per_year or park.park.thresholds.toe_per_year, lambda _: Allowed()),
            {90: Severity.INFO, 100: Severity.WARNING},
        ),
        of="{limit} TOE",
        name=text("Energy at {percent} % of the yearly threshold", "Năng lượng đạt {percent}% ngưỡng năm"),
        questions=(Question(figure('sum("toe") / {limit} * 100', Period.MONTH, "{tenants}"), 365 * DAY_S),),
        margin=Margin(by=2),
        what=text(
            "{labels.tenant} has used {value} % of {limit} TOE within the last twelve months.",
            "{labels.tenant} đã dùng {value}% ngưỡng {limit} TOE trong mười hai tháng qua.",
        ),
        first=text(
            "Look first at the twelve months on the tenant's page; ask the park's office what a key energy user must do.",
            "Xem trước mười hai tháng ở trang doanh nghiệp; hỏi ban quản lý khu công nghiệp về nghĩa vụ của cơ sở sử dụng năng lượng trọng điểm.",
        ),
        page="tenant",
        panel=4,
        hold=HOUR,
        slow=True,
    ),
)

"""Water that never stops: the least that ran in any quarter hour of a week, over the week's mean."""

from dashboards.alerts.asking import DAY_S, MINUTE, one_of, where
from dashboards.alerts.rule import Above, AlertRule, Question, Severity
from dashboards.queries import BILLING, of
from metering.park import Park
from metering.quantities import Utility
from metering.words import Language, text
from store.schema import USAGE


def continuous(park: Park, ratio: float, tenants: list[str]) -> AlertRule:
    """The rule of the tenants that share a threshold.

    Unlike the flow of the night, this also finds what leaks at a tenant whose night shift draws water. A week, because
    a day without work is all minimum. The newest quarter hour is still being read and does not count.
    """
    found = where(park, of(Utility.WATER), BILLING, '"amount" >= 0', one_of("tenant", tenants))
    query = f'SELECT min("amount") / mean("amount") FROM "{USAGE}" {found} GROUP BY "tenant", "meter"'
    return AlertRule(
        kind="continuous-flow",
        park=park.id,
        of=f"over {ratio:g}",
        name=text("Water never stops", "Nước chảy liên tục không ngừng"),
        severity=Severity.WARNING,
        questions=(Question(query, 7 * DAY_S, until=20 * MINUTE),),
        fires=Above(ratio, ratio * 0.9),
        what=text(
            f"Meter {{labels.meter}} of {{labels.tenant}}: in seven days the flow never fell under {{value}} of its mean; its limit is "
            f"{ratio:g}. A leak?",
            f"Đồng hồ {{labels.meter}} của {{labels.tenant}}: trong bảy ngày lưu lượng không lúc nào dưới {{value}} lần trung bình; "
            f"ngưỡng {Language.VI.exact(ratio)}. Có rò rỉ không?",
        ),
        first=text(
            "Look first at the flow by tenant; when production rests, close the intake for 15 minutes and see what still runs.",
            "Xem trước lưu lượng theo doanh nghiệp; lúc nghỉ sản xuất, khóa van tổng 15 phút xem nước còn chảy ở đâu.",
        ),
        page="water",
        panel=3,
        hold="2h",
        keep="30m",
        slow=True,
        shape="%.2f",
    )

"""What enters through a main meter and does not arrive: the last whole day's loss against the meters' error band."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from dashboards.alerts.asking import DAY_S, had_by, one_of, where
from dashboards.alerts.rule import Above, AlertRule, Question, Severity
from metering.meters import Role
from metering.park import Park
from metering.words import text
from store.schema import BALANCE


def balances(park: Park, day: date) -> Iterator[AlertRule]:
    """One rule for the park's own main meters, and one for each tenant that has some: who is notified differs."""
    mains: dict[str | None, list[str]] = defaultdict(list)
    for name in sorted(park.parents):
        had = had_by(park, park.meter[name], day)
        if had is not None and had.role is Role.MAIN:
            mains[had.tenant].append(name)
    for tenant, names in mains.items():
        yield _balance(park, tenant, names)


def _balance(park: Park, tenant: str | None, mains: list[str]) -> AlertRule:
    found = where(park, "\"period\" = 'day'", one_of("main", mains))
    query = (
        f'SELECT ("loss" - "band") / "incoming" * 100 AS "excess" FROM "{BALANCE}" {found} GROUP BY "utility", "main"'
    )
    return AlertRule(
        kind="balance-loss",
        park=park.id,
        of=tenant or "",
        name=text("Loss above meter error", "Tổn thất vượt sai số đồng hồ"),
        severity=Severity.WARNING,
        questions=(Question(query, 3 * DAY_S, until=DAY_S),),
        fires=Above(0.0, -0.1),
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
        hold="1h",
        tenant=tenant,
        slow=True,
        shape="%.2f",
    )

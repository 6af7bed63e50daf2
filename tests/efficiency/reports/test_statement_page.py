"""A statement explains its charges: estimates, registers between readings, obstacles."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from efficiency.closing.account import account_of
from efficiency.closing.file import ClosedMonth
from efficiency.closing.obstacle import Obstacle
from efficiency.closing.statement import Charge, ChargeKind, Peak, PointUse, RegisterAt, Statement, Stretch
from efficiency.reports.statements.page import StatementPage, statement_page
from metering.model import Localized
from metering.quantities import Utility
from metering.words import Language
from tests.efficiency.closing.monthpark import NOVEMBER, OCTOBER, month_park

BEGIN, END = (datetime(2026, month, 1, tzinfo=UTC) for month in (10, 11))


@pytest.fixture
def page(tmp_path: Path) -> StatementPage:
    opening = RegisterAt(at=BEGIN, shown=100.25, interpolated=True)
    stretch = Stretch(counter="volume_m3", since=BEGIN, until=END, opening=opening, multiplier=1.0)
    point = PointUse(
        point="wm-alpha",
        utility=Utility.WATER,
        since=BEGIN,
        until=END,
        stretches=(stretch,),
        quantity=200.0,
        unit="m³",
        completeness=1.0,
        estimated=25.0,
        rules=("gap_linear",),
    )
    charge = Charge.of(
        200.0,
        14500.0,
        utility=Utility.WATER,
        point="wm-alpha",
        since=OCTOBER,
        until=NOVEMBER,
        unit="m³",
        source="contract <b>",
        vat=0.05,
        vat_source="law",
    )
    demand = Charge.of(
        900.5,
        235_414.0 * 16 / 31,
        kind=ChargeKind.DEMAND,
        utility=Utility.ELECTRICITY,
        since=OCTOBER,
        until=NOVEMBER,
        unit="kW",
        source="trial",
        vat=0.08,
        vat_source="law",
        peak=Peak(at=datetime(2026, 10, 12, 14, 30, tzinfo=UTC), kw=900.5, known=0.98, estimated=0.5),
        part=16 / 31,
    )
    statement = Statement.of("alpha", [charge, demand], points=(point,))
    month = ClosedMonth(
        park="demo",
        month=OCTOBER,
        closed_at=datetime(2026, 11, 2, tzinfo=UTC),
        anyway="agreed with Alpha",
        obstacles=(
            Obstacle(subject="wm-alpha", text=Localized(en="suspect", vi="nghi vấn")),
            Obstacle(subject="alpha", text=Localized(en="lacking", vi="còn thiếu")),
            Obstacle(subject="electricity", text=Localized(en="unpriced", vi="chưa có giá")),
        ),
        statements=(statement,),
        account=account_of((), [statement]),
    )
    return StatementPage(month_park(tmp_path), month, statement, final=True)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            Language.EN,
            (
                "Water: 25.000 m³ (12.5%) estimated: longer gap without a usable history",
                "≈ 100.25",
                "≈ between two readings",
                "not read",
                "because: agreed with Alpha",
                "<p>Water: suspect</p>",
                "<p>Alpha Co.: lacking</p>",
                "<p>Electricity: unpriced</p>",
                "contract &lt;b&gt;",
                "1 Oct - 31 Oct",
                "Demand charge, highest half hour from 12 Oct 2026 14:30 (estimated)",
                "(98.0% of the half hours known; it may have been more), for 16.000 days of the month",
                "900.500 kW",
                "2,900,000",
                "121,504",
            ),
        ),
        (
            Language.VI,
            (
                "Nước: ước tính 25,000 m³ (12,5%)",
                "≈ 100,25",
                "vì: agreed with Alpha",
                "Công ty Alpha: còn thiếu",
                "Tiền công suất, nửa giờ cao nhất từ 12/10/2026 14:30 (ước tính)",
                "(biết 98,0% số nửa giờ; thực tế có thể cao hơn), tính cho 16,000 ngày của tháng",
            ),
        ),
    ],
)
def test_a_statement_explains_its_charges(page: StatementPage, language: Language, told: tuple[str, ...]) -> None:
    text = statement_page(page, language)
    assert not [each for each in told if each not in text]


def test_what_the_park_file_no_longer_has_is_named_by_its_id(page: StatementPage) -> None:
    park = page.park.model_copy(update={"tenants": (), "tenant": {}, "meter": {}})
    text = statement_page(StatementPage(park, page.month, page.statement, final=True), Language.EN)
    assert "wm-alpha" in text
    assert "<strong>alpha</strong>" in text

"""A tenant's baselines over the last 30 days, one row each; on the operator's and the tenant's page."""

from dashboards.influxql import InfluxQL
from dashboards.panels import DAILY, SEPARATED, SHARE, Column, Panel, Sort
from dashboards.queries import PageScope, group
from dashboards.tiles import AGAINST_BASELINE, METER_COLUMN, NO_BASELINE, UTILITY_COLUMN, table
from metering.words import text
from store.schema import BASELINE


def baselines(scope: PageScope, number: int) -> Panel:
    """Sums over the days that count, and the newest CUSUM and version."""
    sums = ", ".join(f'sum("{name}") AS "{name}"' for name in ("expected", "actual", "saving", "out_of_range"))
    statement = (
        f'SELECT {sums}, sum("actual") / sum("expected") AS "enpi", last("cusum") AS "cusum", '
        f'last("version") AS "version", last("drivers") AS "drivers", count("expected") AS "days" FROM "{BASELINE}" '
        f"{scope.where()}{group('baseline', 'meter', 'utility')}"
    )
    return table(
        number,
        text("Baselines", "Đường cơ sở"),
        text(
            "Expected and actual use in the unit of the utility, over days with all data. CUSUM is the running sum since this "
            "version took effect; positive is saving. On days out of range a driver was outside the range that the baseline "
            "was fitted on: trust them less.",
            "Mức kỳ vọng và thực tế theo đơn vị của từng tiện ích, trong những ngày đủ số liệu. CUSUM là tổng lũy kế từ "
            "khi phiên bản có hiệu lực, dương là tiết kiệm. Ngày ngoài phạm vi là ngày có biến vượt khoảng đã dùng "
            "để lập đường cơ sở: kém tin cậy hơn.",
        ),
        "none",
        InfluxQL(statement, form="table"),
        columns=(
            Column("baseline", text("Baseline", "Đường cơ sở"), width=210),
            UTILITY_COLUMN,
            Column("meter", METER_COLUMN.title, mapped={"": text("the whole tenant", "toàn doanh nghiệp")}),
            Column("drivers", text("Explained by", "Theo các biến"), width=150),
            Column("version", text("Version", "Phiên bản"), decimals=0, width=90),
            Column("expected", text("Expected", "Kỳ vọng"), SEPARATED, decimals=0, width=110),
            Column("actual", text("Actual", "Thực tế"), SEPARATED, decimals=0, width=110),
            Column("saving", text("Saving", "Tiết kiệm"), SEPARATED, decimals=0, width=110),
            Column(
                "enpi",
                text("EnPI", "EnPI"),
                SHARE,
                decimals=1,
                width=100,
                steps=AGAINST_BASELINE,
            ),
            Column("cusum", text("CUSUM", "CUSUM"), SEPARATED, decimals=0, width=110),
            Column("days", text("Days", "Số ngày"), decimals=0, width=90),
            Column("out_of_range", text("Days out of range", "Ngày ngoài phạm vi"), decimals=0, width=150),
        ),
        window="30d",
        least=DAILY,
        nothing=NO_BASELINE,
        sort=Sort("enpi"),
        height=6,
    )

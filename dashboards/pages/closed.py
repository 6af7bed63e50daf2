"""Closed months: what was stated and how far that differs from what is known now; the same on two pages."""

from typing import Final

from dashboards.influxql import InfluxQL
from dashboards.panels import COUNT, SEPARATED, Column, Panel, Sort, ThresholdStep
from dashboards.queries import NEWEST_ROWS, PageScope
from dashboards.tiles import table
from dashboards.words import NONE, PLAIN
from metering.figures import CLOSING_FIGURES
from metering.words import WARN, text
from store.schema import CLOSING

MONTH_COLUMN: Final = Column("Time", text("Month", "Tháng"), text("time:MMMM YYYY", "time:MM/YYYY"), width=150)
_DIFFERS = (ThresholdStep(None, WARN), ThresholdStep(0, PLAIN), ThresholdStep(1, WARN))
_COLOURED = frozenset({"later_vnd", "waiting_vnd"})


def closed_fields() -> str:
    """The fields of each month."""
    return ", ".join(f'"{name}"' for name in (*CLOSING_FIGURES, "why_en", "why_vi"))


def closed_columns() -> tuple[Column, ...]:
    """How they are shown, in dong."""
    return (
        *(
            Column(
                name,
                text(f"{spec.label.en}, ₫", f"{spec.label.vi}, ₫"),
                SEPARATED,
                decimals=0,
                steps=_DIFFERS if name in _COLOURED else (),
                width=190,
            )
            for name, spec in CLOSING_FIGURES.items()
        ),
        Column("why_{language}", text("Reason", "Lý do"), wraps=True),
    )


def closed_months(scope: PageScope, number: int) -> Panel:
    """A tenant's closed months."""
    return table(
        number,
        text("Closed months and their corrections", "Các tháng đã khóa sổ và điều chỉnh"),
        text(
            "What was stated of each closed month with VAT, what later statements have corrected it by, and what the next one "
            "will correct as things are now.",
            "Số tiền đã chốt của từng tháng gồm thuế, phần các bảng kê sau đã điều chỉnh, và phần bảng kê kỳ tới sẽ điều chỉnh "
            "theo hiện trạng.",
        ),
        COUNT,
        InfluxQL(f'SELECT {closed_fields()} FROM "{CLOSING}" {scope.where()} {NEWEST_ROWS}', form="table"),
        columns=(MONTH_COLUMN, *closed_columns()),
        window="400d",
        nothing=NONE,
        sort=Sort("Time"),
        height=8,
        event_free=True,
    )

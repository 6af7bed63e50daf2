"""What months cost under two tariffs, as CSV and as a workbook: a row per month, and sums per tenant."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from efficiency.closing.comparison import COMPARED_KINDS, ComparedMonth, TariffCost, summed
from efficiency.reports.statements.lines import peak_text
from efficiency.reports.statements.words import KIND, WORDS
from efficiency.reports.tablefiles import Cell, put_book, put_csv
from metering.errors import OperatorError
from metering.model import Localized
from metering.park import Park
from metering.words import Language, text

_TEXT: Final[dict[str, Localized]] = {
    "months": text("Months", "Theo tháng"),
    "sums": text("Sums", "Tổng hợp"),
    "month": WORDS["month"],
    "tenant": WORDS["tenant"],
    "kwh": text("Electricity, kWh", "Điện năng (kWh)"),
    "complete": text("Completeness", "Mức độ đầy đủ dữ liệu"),
    "estimated": text("Estimated share", "Tỷ lệ ước tính"),
    "peak": text("Highest half hour, kW", "Công suất 30 phút cao nhất (kW)"),
    "when": text("When", "Thời điểm"),
    "holding": text("{kind}, tariff that holds, ₫", "{kind}, biểu giá đang áp dụng (₫)"),
    "other": text("{kind}, the other tariff, ₫", "{kind}, biểu giá so sánh (₫)"),
    "total": text("Sum before VAT", "Cộng chưa thuế GTGT"),
    "difference": text("The other tariff costs more by, ₫", "Biểu giá so sánh cao hơn (₫)"),
    "percent": text("In percent", "Tỷ lệ (%)"),
    "why": text("Why there is no cost", "Lý do không có số liệu"),
    "compared": text("Months compared", "Số tháng so sánh được"),
}
_WIDTH: Final = 22


def say(key: str, language: Language, **filled: object) -> str:
    """A text of the comparison."""
    return language.say(_TEXT[key]).format(**filled)


def write_comparison(park: Park, months: Sequence[ComparedMonth], language: Language, folder: Path) -> list[Path]:
    """Write both files and return them; they are named by the first and last month and the language.

    Raises `OperatorError` if they cannot be written.
    """
    lines, sums = _month_rows(park, months, language), _sum_rows(park, months, language)
    stem = f"tariffs-{months[0].month:%Y-%m}-{months[-1].month:%Y-%m}-{language.value}"
    table, book = folder / f"{stem}.csv", folder / f"{stem}.xlsx"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put_csv(lines, table)
        sheets = {say("sums", language): sums, say("months", language): lines}
        put_book(sheets, [_WIDTH] * len(lines[0]), book)
    except OSError as error:
        raise OperatorError(f"{folder}: cannot be written: {error}") from error
    return [table, book]


def subject_name(park: Park, tenant: str | None, language: Language) -> str:
    """The name of a tenant, or of the park."""
    return language.say(park.park.name if tenant is None else park.tenant[tenant].name)


def _month_rows(park: Park, months: Sequence[ComparedMonth], language: Language) -> list[list[Cell]]:
    kinds = [*(language.say(KIND[kind]) for kind in COMPARED_KINDS), say("total", language)]
    head = [say(key, language) for key in ("month", "tenant", "kwh", "complete", "estimated", "peak", "when")]
    head += [say(side, language, kind=kind) for side in ("holding", "other") for kind in kinds]
    rows: list[list[Cell]] = [[*head, *(say(key, language) for key in ("difference", "percent", "why"))]]
    for each in months:
        peak = each.peak
        row: list[Cell] = [f"{each.month:%Y-%m}", subject_name(park, each.tenant, language), each.kwh]
        row += [round(each.completeness, 4), round(each.estimated, 4)]
        row += [peak.kw if peak is not None else None, peak_text(peak, language) if peak is not None else ""]
        row += [*_costs(each.holding), *_costs(each.other), each.difference]
        row += [_percent(each.difference, each.holding.total), why_not(each, language)]
        rows.append(row)
    return rows


def _costs(cost: TariffCost) -> list[Cell]:
    if cost.total is None:
        return [None] * (len(COMPARED_KINDS) + 1)
    return [*(cost.by_kind[kind] for kind in COMPARED_KINDS), cost.total]


def why_not(month: ComparedMonth, language: Language) -> str:
    """Why a month cannot be compared; empty if it can."""
    return "; ".join(dict.fromkeys(language.say(each) for each in (*month.holding.missing, *month.other.missing)))


def _percent(difference: int | None, base: int | None) -> float | None:
    return None if difference is None or not base else round(100 * difference / base, 1)


def _sum_rows(park: Park, months: Sequence[ComparedMonth], language: Language) -> list[list[Cell]]:
    """Sums of each tenant and of the park, over the months that could be compared."""
    keys = ("tenant", "compared", "kwh", "complete", "peak", "holding", "other", "difference", "percent")
    rows: list[list[Cell]] = [[say(key, language, kind=say("total", language)) for key in keys]]
    for each in summed(months):
        row: list[Cell] = [subject_name(park, each.tenant, language), f"{each.compared} / {each.months}", each.kwh]
        row += [round(each.completeness, 4), each.peak_kw]
        percent = None if each.percent is None else round(each.percent, 1)
        row += [each.holding, each.other, each.other - each.holding, percent]
        rows.append(row)
    return rows

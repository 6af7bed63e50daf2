"""Figures of tenants and of the park: name in the store, unit, label, and how each is computed.

Whoever computes a figure, shows it on a dashboard or prints it in a report takes name, unit and words from here. F1,
F2, ... are the formulas of docs/formulas.md. `unit` may hold `{output}`: the unit of the tenant's production.

A figure is stored whole. With the field `NAME`, its value (absent where there is none), come `NAME_completeness` (0 to
1), `NAME_estimated` (0 to 1), `NAME_reasons` (names of `Reason`, comma-separated, empty where nothing is wrong with the
value) and, where the value is a ratio, `NAME_over`: its divisor, so that ratios of longer periods are sums over sums.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from metering.model import Localized
from metering.quantities import UTILITIES, Utility, figure_of


class Period(StrEnum):
    """The period of a figure; stamped at its local start."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Joined(StrEnum):
    """How the figure of a year follows from those of its months."""

    SUM = "sum"
    RATIO = "ratio"
    """Sum over sum: each month is weighted by its divisor."""
    MOST = "most"
    LAST = "last"
    APART = "apart"
    """By its own rule, or not at all."""


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """One field of the measurement `efficiency`.

    `better` says which way is good, if either is. `percent`: the share is shown as percent. `digits`: decimals shown,
    where four significant figures do not fit.
    """

    name: str
    unit: str
    label: Localized
    formula: str
    joined: Joined = Joined.SUM
    better: int = 0
    percent: bool = False
    digits: int | None = None


INDICATIVE_BELOW: Final = 0.95
"""F17: a figure from less complete data is indicative."""


def completeness_field(name: str) -> str:
    """The field with the completeness of a figure."""
    return f"{name}_completeness"


def estimated_field(name: str) -> str:
    """The field with the estimated share of a figure."""
    return f"{name}_estimated"


def reasons_field(name: str) -> str:
    """The field with the reasons against a figure."""
    return f"{name}_reasons"


def over_field(name: str) -> str:
    """The field with the divisor of a ratio."""
    return f"{name}_over"


def _of(utility: Utility) -> FigureSpec:
    spec = UTILITIES[utility]
    return FigureSpec(spec.figure, spec.unit or "{output}", spec.label, "F1")


def _spec(
    name: str,
    unit: str,
    en: str,
    vi: str,
    formula: str,
    *,
    joined: Joined = Joined.SUM,
    better: int = 0,
    percent: bool = False,
    digits: int | None = None,
) -> FigureSpec:
    label = Localized(en=en, vi=vi)
    return FigureSpec(name, unit, label, formula, joined=joined, better=better, percent=percent, digits=digits)


_ratio = partial(_spec, joined=Joined.RATIO)


def _money(name: str, en: str, vi: str, formula: str, *, better: int = 0) -> FigureSpec:
    return _spec(name, "₫", en, vi, formula, better=better, digits=0)


def _share(name: str, en: str, vi: str, formula: str, *, better: int = 0, joined: Joined = Joined.RATIO) -> FigureSpec:
    return _spec(name, "1", en, vi, formula, joined=joined, better=better, percent=True)


_FIGURES = (
    _of(Utility.ELECTRICITY),
    _spec("grid_kwh", "kWh", "Electricity bought", "Điện mua vào", "F1"),
    _spec("solar_kwh", "kWh", "Own solar", "Điện mặt trời tự dùng", "F1"),
    *(_of(utility) for utility in Utility if utility is not Utility.ELECTRICITY),
    _money("cost_vnd", "Cost before surcharge and VAT", "Chi phí trước thuế và tiền công suất phản kháng", "F10"),
    _money("demand_vnd", "Demand charge", "Tiền công suất", "F28", better=-1),
    _money("reactive_vnd", "Reactive power surcharge", "Tiền mua công suất phản kháng", "F8", better=-1),
    _money("vat_vnd", "VAT", "Thuế GTGT", "F19"),
    _money("payable_vnd", "Cost with surcharge and VAT", "Chi phí gồm thuế và tiền công suất phản kháng", "F19"),
    _money("budget_vnd", "Budget to date", "Ngân sách đến nay", "F18"),
    _share("budget_share", "Cost against budget", "Chi phí so với ngân sách", "F18", better=-1),
    _spec("co2e_scope1_kg", "kg CO₂e", "Scope 1 emissions", "Phát thải phạm vi 1", "F12"),
    _spec(
        "co2e_scope2_kg",
        "kg CO₂e",
        "Scope 2 emissions, location-based",
        "Phát thải phạm vi 2 (theo vị trí)",
        "F11",
    ),
    _spec(
        "co2e_scope2_market_kg",
        "kg CO₂e",
        "Scope 2 emissions, market-based",
        "Phát thải phạm vi 2 (theo thị trường)",
        "F11",
    ),
    _spec("co2e_kg", "kg CO₂e", "Emissions, scopes 1 and 2", "Phát thải phạm vi 1 và 2", "F11"),
    _spec("energy_mj", "MJ", "Energy, all carriers", "Năng lượng, mọi dạng", "F20"),
    _spec("toe", "TOE", "Primary energy, all carriers", "Năng lượng quy đổi, mọi dạng", "F20"),
    _ratio("electricity_per_output", "kWh/{output}", "Electricity per output", "Suất tiêu hao điện", "F3", better=-1),
    _ratio(
        "energy_per_output",
        "MJ/{output}",
        "Energy per output, all carriers",
        "Suất tiêu hao năng lượng, mọi dạng",
        "F3",
        better=-1,
    ),
    _ratio(
        "toe_per_output",
        "TOE/{output}",
        "Primary energy per output, all carriers",
        "Suất tiêu hao năng lượng quy đổi, mọi dạng",
        "F3",
        better=-1,
    ),
    _ratio("water_per_output", "m³/{output}", "Water per output", "Suất tiêu hao nước", "F3", better=-1),
    _spec("electricity_per_m2", "kWh/m²", "Electricity per floor area", "Điện trên diện tích sàn", "F3", better=-1),
    _spec("electricity_per_employee", "kWh", "Electricity per employee", "Điện trên mỗi lao động", "F3", better=-1),
    _spec("water_per_m2", "m³/m²", "Water per floor area", "Nước trên diện tích sàn", "F3", better=-1),
    _spec("water_per_employee", "m³", "Water per employee", "Nước trên mỗi lao động", "F3", better=-1),
    _ratio("output_per_m3", "{output}/m³", "Resource productivity (water)", "Năng suất sử dụng nước", "F4", better=1),
    _ratio(
        "output_per_mwh",
        "{output}/MWh",
        "Resource productivity (electricity)",
        "Năng suất sử dụng điện",
        "F4",
        better=1,
    ),
    _ratio("co2e_per_output", "kg CO₂e/{output}", "Emission intensity", "Cường độ phát thải", "F4", better=-1),
    _ratio("wastewater_per_output", "m³/{output}", "Wastewater intensity", "Cường độ nước thải", "F4", better=-1),
    _spec(
        "peak_demand_kw",
        "kW",
        "Peak demand (30 min)",
        "Công suất cực đại (30 phút)",
        "F9",
        joined=Joined.MOST,
        better=-1,
    ),
    _spec(
        "peak_demand_error_kw",
        "kW",
        "One count of the meter in the peak demand",
        "Sai số một bước đếm của công suất cực đại",
        "F9",
        joined=Joined.MOST,
    ),
    _share(
        "demand_share",
        "Peak demand against contract",
        "Công suất cực đại so với đăng ký",
        "F9",
        better=-1,
        joined=Joined.MOST,
    ),
    _ratio(
        "mean_demand_kw",
        "kW",
        "Mean demand",
        "Công suất trung bình",
        "F9",
        better=-1,
    ),
    _spec("base_load_kw", "kW", "Base load", "Phụ tải nền", "F9", joined=Joined.APART, better=-1),
    _share("load_factor", "Load factor", "Hệ số phụ tải", "F9", better=1, joined=Joined.APART),
    _share("peak_share", "Share used in peak hours", "Tỷ trọng giờ cao điểm", "F10", better=-1),
    _share("solar_share", "Own solar share", "Tỷ trọng điện mặt trời", "F11", better=1),
    _share("wastewater_ratio", "Wastewater to water", "Tỷ lệ nước thải trên nước cấp", "F16"),
    _spec(
        "power_factor", "cosφ", "Power factor", "Hệ số công suất (cosφ)", "F8", joined=Joined.APART, better=1, digits=3
    ),
    _spec("expected_kwh", "kWh", "Expected by baseline", "Tiêu thụ theo đường cơ sở", "F5"),
    _spec("saving_kwh", "kWh", "Computed saving against baseline", "Tiết kiệm tính so với đường cơ sở", "F6", better=1),
    _spec(
        "saving_band_kwh",
        "kWh",
        "Uncertainty of the saving (95 %)",
        "Độ không đảm bảo của mức tiết kiệm (95%)",
        "F21",
        joined=Joined.APART,
    ),
    _spec(
        "enpi",
        "1",
        "EnPI (actual / expected)",
        "EnPI (thực tế / kỳ vọng)",
        "F7",
        joined=Joined.RATIO,
        better=-1,
        digits=3,
    ),
    _spec(
        "cusum_kwh", "kWh", "Cumulative savings (CUSUM)", "Tiết kiệm lũy kế (CUSUM)", "F6", joined=Joined.LAST, better=1
    ),
    _share("night_water_ratio", "Night flow", "Lưu lượng nước ban đêm", "F15", better=-1, joined=Joined.APART),
    _share("completeness", "Completeness", "Mức độ đầy đủ dữ liệu", "F17", better=1, joined=Joined.APART),
    _share("estimated", "Estimated share", "Tỷ lệ ước tính", "F17", better=-1, joined=Joined.APART),
)

FIGURES: dict[str, FigureSpec] = {spec.name: spec for spec in _FIGURES}
"""Figures of a tenant, by name in the store."""


def called(name: str) -> Localized:
    """A figure's label."""
    return FIGURES[name].label


OF_ALL_DATA: Final = frozenset({"completeness", "estimated"})
"""Figures about the quality of a tenant's data; they have no quality of their own."""

ELECTRICITY: Final = figure_of(Utility.ELECTRICITY)
WATER: Final = figure_of(Utility.WATER)
WASTEWATER: Final = figure_of(Utility.WASTEWATER)
OUTPUT: Final = figure_of(Utility.PRODUCTION)

_MATCH_FIGURES = (
    _spec("met", "", "Could be met", "Có thể đáp ứng", "F31"),
    _spec("met_by_day", "", "Could be met with a day's storage", "Đáp ứng được nếu có bồn chứa một ngày", "F31"),
    _spec("offered", "", "Surplus", "Nguồn dư", "F30"),
    _spec("asked", "", "Demand", "Nhu cầu", "F30"),
    _share("met_share", "Share of the demand", "Tỷ lệ nhu cầu được đáp ứng", "F31"),
    _share("used_share", "Share of the surplus", "Tỷ lệ nguồn dư được dùng", "F31"),
    _money("saved_vnd", "Saved before VAT", "Tiết kiệm trước thuế", "F32", better=1),
    _spec("saved_m3", "m³", "Water saved", "Nước tiết kiệm", "F32", better=1),
    _spec("saved_toe", "TOE", "Energy saved", "Năng lượng tiết kiệm", "F32", better=1),
    _spec("saved_co2e_kg", "kg CO₂e", "Emissions avoided", "Phát thải tránh được", "F32", better=1),
)
MATCH_FIGURES: Final = {spec.name: spec for spec in _MATCH_FIGURES}
"""Figures of a match of a surplus with a demand, by name in the store; where no unit is given, it is that of the kind
of stream."""

PARK_FIGURES: Final = {
    name: FIGURES[name]
    for name in ("solar_kwh", "solar_share", "co2e_scope1_kg", "co2e_scope2_kg", "co2e_kg", "energy_mj", "toe")
} | {
    spec.name: spec
    for spec in (
        _spec("intake_kwh", "kWh", "Electricity bought", "Điện mua vào", "F1"),
        _spec(
            "intake_peak_kw",
            "kW",
            "Peak demand of the intake (30 min)",
            "Công suất cực đại mua vào (30 phút)",
            "F9",
            joined=Joined.MOST,
            better=-1,
        ),
        _spec("reused_m3", "m³", "Wastewater reused", "Nước thải tái sử dụng", "F35", better=1),
        _share("reuse_share", "Share of wastewater reused", "Tỷ lệ nước thải tái sử dụng", "F35", better=1),
    )
}
"""Figures of the park itself: what crossed its edge, what was generated behind it, what was reused."""

_CLOSING_FIGURES = (
    _money("stated_vnd", "Stated, with VAT", "Đã khóa sổ, gồm thuế GTGT", "F22"),
    _money("of_earlier_vnd", "of it corrections of earlier months", "trong đó điều chỉnh các tháng trước", "F25"),
    _money("later_vnd", "Corrected since", "Đã điều chỉnh sau đó", "F25"),
    _money("waiting_vnd", "Correction waiting", "Điều chỉnh chờ kỳ sau", "F25"),
)
CLOSING_FIGURES: Final = {spec.name: spec for spec in _CLOSING_FIGURES}
"""Figures of a closed month: what was stated, and how far that differs from what is known now, with VAT."""


def figure_utility(name: str) -> Utility | None:
    """The utility whose use a figure is; None for any other figure."""
    return next((utility for utility, spec in UTILITIES.items() if spec.figure == name), None)

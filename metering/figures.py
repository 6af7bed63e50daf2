"""The figures that tenants and the park are judged by: name in the store, unit, what it is called, how it is computed.

Whoever computes a figure, shows it on a dashboard or prints it in a report takes name, unit and words from here.
F1 to F18 are the formulas as the documentation numbers them. `unit` may hold `{output}`: the unit of the tenant's
production.
"""

from dataclasses import dataclass
from enum import StrEnum

from metering.model import Localized


@dataclass(frozen=True, slots=True)
class Figure:
    """One field of the measurement `efficiency`; `better` says which way is good, if either is."""

    name: str
    unit: str
    label: Localized
    formula: str
    better: int = 0


class Period(StrEnum):
    """What an efficiency figure covers; both are stamped at their local start."""

    DAY = "day"
    MONTH = "month"


def _figure(name: str, unit: str, en: str, vi: str, formula: str, better: int = 0) -> Figure:
    return Figure(name, unit, Localized(en=en, vi=vi), formula, better)


_FIGURES = (
    _figure("electricity_kwh", "kWh", "Electricity", "Điện tiêu thụ", "F1"),
    _figure("grid_kwh", "kWh", "Electricity from the grid", "Điện mua từ lưới", "F1"),
    _figure("solar_kwh", "kWh", "Own solar", "Điện mặt trời tự dùng", "F1"),
    _figure("water_m3", "m³", "Water", "Nước tiêu thụ", "F1"),
    _figure("wastewater_m3", "m³", "Wastewater", "Nước thải", "F1"),
    _figure("steam_t", "t", "Steam", "Hơi", "F1"),
    _figure("gas_nm3", "Nm³", "Natural gas", "Khí thiên nhiên", "F1"),
    _figure("compressed_air_nm3", "Nm³", "Compressed air", "Khí nén", "F1"),
    _figure("chilled_kwh", "kWh", "Chilled water", "Nước lạnh", "F1"),
    _figure("output", "{output}", "Output", "Sản lượng", "F1"),
    _figure("cost_vnd", "₫", "Cost", "Chi phí", "F10"),
    _figure("budget_vnd", "₫", "Budget to date", "Ngân sách đến nay", "F18"),
    _figure("budget_share", "1", "Cost against budget", "Chi phí so với ngân sách", "F18", -1),
    _figure("co2e_scope1_kg", "kg", "Scope 1 emissions", "Phát thải phạm vi 1", "F12"),
    _figure("co2e_scope2_kg", "kg", "Scope 2 emissions", "Phát thải phạm vi 2", "F11"),
    _figure("co2e_kg", "kg", "Emissions", "Phát thải khí nhà kính", "F11"),
    _figure("toe", "TOE", "Primary energy", "Năng lượng quy đổi", "F1"),
    _figure("energy_per_output", "kWh/{output}", "Specific energy consumption", "Suất tiêu hao năng lượng", "F3", -1),
    _figure("water_per_output", "m³/{output}", "Specific water consumption", "Suất tiêu hao nước", "F3", -1),
    _figure("energy_per_m2", "kWh/m²", "Electricity per floor area", "Điện trên diện tích sàn", "F3", -1),
    _figure("energy_per_employee", "kWh", "Electricity per employee", "Điện trên mỗi lao động", "F3", -1),
    _figure("water_per_m2", "m³/m²", "Water per floor area", "Nước trên diện tích sàn", "F3", -1),
    _figure("water_per_employee", "m³", "Water per employee", "Nước trên mỗi lao động", "F3", -1),
    _figure("toe_per_output", "TOE/{output}", "Primary energy per output", "Suất tiêu hao quy đổi TOE", "F3", -1),
    _figure("output_per_m3", "{output}/m³", "Resource productivity (water)", "Năng suất sử dụng nước", "F4", 1),
    _figure(
        "output_per_mwh", "{output}/MWh", "Resource productivity (energy)", "Năng suất sử dụng năng lượng", "F4", 1
    ),
    _figure("co2e_per_output", "kg/{output}", "Emission intensity", "Cường độ phát thải", "F4", -1),
    _figure("wastewater_per_output", "m³/{output}", "Wastewater intensity", "Cường độ nước thải", "F4", -1),
    _figure("peak_demand_kw", "kW", "Peak demand (30 min)", "Công suất cực đại (30 phút)", "F9", -1),
    _figure("mean_demand_kw", "kW", "Mean demand", "Công suất trung bình", "F9", -1),
    _figure("base_load_kw", "kW", "Base load", "Phụ tải nền", "F9", -1),
    _figure("load_factor", "1", "Load factor", "Hệ số phụ tải", "F9", 1),
    _figure("peak_share", "1", "Share used in peak hours", "Tỷ trọng giờ cao điểm", "F10", -1),
    _figure("solar_share", "1", "Own solar share", "Tỷ trọng điện mặt trời", "F11", 1),
    _figure("wastewater_ratio", "1", "Wastewater to water", "Tỷ lệ nước thải trên nước cấp", "F16"),
    _figure("power_factor", "cosφ", "Power factor", "Hệ số công suất (cosφ)", "F8", 1),
    _figure("reactive_vnd", "₫", "Reactive power surcharge", "Tiền mua công suất phản kháng", "F8", -1),
    _figure("expected_kwh", "kWh", "Expected by baseline", "Tiêu thụ theo đường cơ sở", "F5"),
    _figure("saving_kwh", "kWh", "Saving against baseline", "Tiết kiệm so với đường cơ sở", "F6", 1),
    _figure("enpi", "1", "EnPI (actual / expected)", "EnPI (thực tế / kỳ vọng)", "F7", -1),
    _figure("cusum_kwh", "kWh", "Cumulative savings (CUSUM)", "Tiết kiệm lũy kế (CUSUM)", "F6", 1),
    _figure("night_water_ratio", "1", "Night flow", "Lưu lượng nước ban đêm", "F15", -1),
    _figure("completeness", "1", "Completeness", "Mức độ đầy đủ dữ liệu", "F17", 1),
    _figure("estimated", "1", "Estimated share", "Tỷ lệ ước tính", "F17", -1),
)

FIGURES: dict[str, Figure] = {figure.name: figure for figure in _FIGURES}
"""By name in the store."""

INDICATIVE_BELOW = 0.95
"""F17: a figure from less complete data is shown as indicative."""

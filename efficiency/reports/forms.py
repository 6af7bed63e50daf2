"""The yearly forms A.4, A.5, B.4 and B.5: their fields, filled in with what is measured and with what people enter.

The field lists are as understood from second-hand sources on Circular 05/2025/TT-BKHDT; the printed report says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from efficiency.indicators.figure import Figure, absent, ratio, total
from efficiency.reports.contents import ParkReport
from efficiency.reports.entries import Entry
from efficiency.reports.names import MILLION_VND
from efficiency.reports.reasons import output_unit
from efficiency.valuation.valued import Reason
from metering.model import Localized
from metering.park import Tenant

Given = str | float | bool
"""What a person entered for a field."""


class Kind(StrEnum):
    """What may stand in a field."""

    NUMBER = "number"
    YES_NO = "yes_no"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: `code` names it in the file of entered values; `unit` may hold `{output}`."""

    code: str
    label: Localized
    unit: str = ""
    kind: Kind = Kind.NUMBER


def _field(code: str, en: str, vi: str, unit: str = "", kind: Kind = Kind.NUMBER) -> Field:
    return Field(code, Localized(en=en, vi=vi), unit, kind)


_SAVINGS: Final = (
    ("firms", "firms taking part", "số doanh nghiệp tham gia", ""),
    ("solutions", "solutions in place", "số giải pháp đã thực hiện", ""),
    ("electricity_saved_kwh", "electricity saved", "điện tiết kiệm được", "kWh"),
    ("electricity_saved_pct", "electricity saved, share", "tỷ lệ điện tiết kiệm", "%"),
    ("co2_avoided_t", "CO₂ avoided", "lượng CO₂ giảm được", "t"),
    ("water_saved_m3", "water saved", "nước tiết kiệm được", "m³"),
    ("wastewater_reduced_m3", "wastewater reduced", "nước thải giảm được", "m³"),
    ("reused_t", "materials reused and recycled", "vật liệu tái sử dụng, tái chế", "t"),
    ("cost_saved_mvnd", "cost saved", "chi phí tiết kiệm được", MILLION_VND),
)

A4: Final = (
    _field("land_green_pct", "Land share: green", "Tỷ lệ đất cây xanh", "%"),
    _field("land_transport_pct", "Land share: transport", "Tỷ lệ đất giao thông", "%"),
    _field("land_technical_pct", "Land share: technical infrastructure", "Tỷ lệ đất hạ tầng kỹ thuật", "%"),
    _field("land_social_pct", "Land share: social infrastructure", "Tỷ lệ đất hạ tầng xã hội", "%"),
    *(
        _field(f"recp_{c}", f"RECP: {en}", f"Hiệu quả tài nguyên và sản xuất sạch hơn: {vi}", u)
        for c, en, vi, u in _SAVINGS
    ),
    *(_field(f"symbiosis_{c}", f"Symbiosis: {en}", f"Cộng sinh công nghiệp: {vi}", u) for c, en, vi, u in _SAVINGS),
)

A5: Final = (
    _field("symbioses", "Industrial symbioses", "Số liên kết cộng sinh công nghiệp"),
    _field(
        "wastewater_reused_pct",
        "Share of wastewater reused or recycled",
        "Tỷ lệ nước thải được tái sử dụng, tuần hoàn",
        "%",
    ),
    _field("ghg_programme", "Greenhouse gas programme", "Chương trình khí nhà kính", kind=Kind.YES_NO),
    _field("input_output_monitoring", "Monitoring of inputs and outputs", "Giám sát đầu vào, đầu ra", kind=Kind.YES_NO),
    _field("sustainability_report", "Sustainability report", "Báo cáo phát triển bền vững", kind=Kind.YES_NO),
    _field("risk_framework", "Risk framework", "Khung quản lý rủi ro", kind=Kind.YES_NO),
    _field("climate_plan", "Climate plan", "Kế hoạch ứng phó biến đổi khí hậu", kind=Kind.YES_NO),
)

B4: Final = (
    _field("product", "Product", "Sản phẩm", kind=Kind.TEXT),
    _field("capacity", "Design capacity", "Công suất thiết kế", "{output}"),
    _field("output", "Output", "Sản lượng", "{output}"),
    _field("energy_per_product", "Energy use per product", "Suất tiêu hao năng lượng", "kWh/{output}"),
    _field("revenue_mvnd", "Revenue", "Doanh thu", MILLION_VND),
    _field("electricity_kwh", "Electricity", "Điện", "kWh"),
    _field("fuel_nm3", "Fuel: natural gas", "Nhiên liệu: khí thiên nhiên", "Nm³"),
    _field("co2_t", "CO₂ emissions", "Phát thải CO₂", "t"),
    _field("water_m3", "Water", "Nước cấp", "m³"),
    _field("wastewater_m3", "Wastewater", "Nước thải", "m³"),
    _field("cost_mvnd", "Cost of utilities", "Chi phí tiện ích", MILLION_VND),
)

B5: Final = (_field("recp_share_pct", "RECP share", "Tỷ lệ áp dụng hiệu quả tài nguyên và sản xuất sạch hơn", "%"),)

PARK_FORMS: Final = {"A.4": A4, "A.5": A5}
TENANT_FORMS: Final = {"B.4": B4, "B.5": B5}


@dataclass(frozen=True, slots=True)
class Row:
    """A field of a form of the park or of one tenant: `measured` has the figure, `given` what was entered."""

    form: str
    tenant: Tenant | None
    field: Field
    unit: str
    measured: Figure | None
    given: Given | None

    @property
    def status(self) -> str:
        """Key of the word that says where the value comes from."""
        if self.measured is not None and self.measured.value is not None:
            return "measured"
        return "open" if self.given is None else "given"


Entered = Mapping[tuple[str, str, str], Given]
"""By form, tenant (empty for the park) and code."""


def rows(report: ParkReport, entered: Entered) -> list[Row]:
    """All fields of all forms of a year, those of the park first."""
    measured = _park_measured(report)
    found = [
        Row(form, None, field, field.unit, measured.get((form, field.code)), entered.get((form, "", field.code)))
        for form, fields in PARK_FORMS.items()
        for field in fields
    ]
    for form, fields in TENANT_FORMS.items():
        for tenant in report.park.tenants:
            own = tenant_measured(report.tenants[tenant.id])
            output = output_unit(report.park, tenant.id)
            for field in fields:
                unit = field.unit.format(output=output or "")
                unit = unit if output or "{output}" not in field.unit else ""
                given = entered.get((form, tenant.id, field.code))
                found.append(Row(form, tenant, field, unit, own.get((form, field.code)), given))
    return found


def tenant_measured(entries: Mapping[str, Entry]) -> dict[tuple[str, str], Figure]:
    """What is measured of form B.4."""
    names = {
        "output": "output",
        "energy_per_product": "energy_per_output",
        "electricity_kwh": "electricity_kwh",
        "fuel_nm3": "gas_nm3",
        "water_m3": "water_m3",
        "wastewater_m3": "wastewater_m3",
    }
    found = {("B.4", code): entries[name].now for code, name in names.items()}
    found["B.4", "co2_t"] = _scaled(emitted(entries), 1e-3, "t")
    found["B.4", "cost_mvnd"] = _scaled(entries["cost_vnd"].now, 1e-6, MILLION_VND)
    return found


def emitted(entries: Mapping[str, Entry]) -> Figure:
    """Scope 1 and 2 together; a scope that the tenant has no meter for is left out."""
    scopes = [entries[name].now for name in ("co2e_scope1_kg", "co2e_scope2_kg")]
    return total([scope for scope in scopes if Reason.NO_METER not in scope.reasons], "kg")


def _park_measured(report: ParkReport) -> dict[tuple[str, str], Figure]:
    """Electricity saved against the tenants' baselines; of those that have one."""
    pairs = [(entries["expected_kwh"].now, entries["saving_kwh"].now) for entries in report.tenants.values()]
    with_baseline = [(expected, saving) for expected, saving in pairs if None not in {expected.value, saving.value}]
    if not with_baseline:
        none = absent("kWh", Reason.NO_BASELINE)
        return {("A.4", "recp_electricity_saved_kwh"): none, ("A.4", "recp_electricity_saved_pct"): none}
    expected, saved = (total([pair[place] for pair in with_baseline], "kWh") for place in range(2))
    return {
        ("A.4", "recp_electricity_saved_kwh"): saved,
        ("A.4", "recp_electricity_saved_pct"): _scaled(ratio(saved, expected, "%"), 100, "%"),
    }


def _scaled(shown: Figure, factor: float, unit: str) -> Figure:
    value = None if shown.value is None else shown.value * factor
    return shown.model_copy(update={"value": value, "unit": unit})

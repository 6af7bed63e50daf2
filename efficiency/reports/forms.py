"""The yearly forms A.4, A.5, B.4 and B.5, and the park's indicators (EIP): measured and entered values.

The field lists are as understood from second-hand sources on Circular 05/2025/TT-BKHDT; the printed report says so.
What no meter measures comes from a YAML file:

    A.4: {land_green_pct: 12.5, recp_firms: 4}
    A.5: {ghg_programme: true}
    B.4: {textile: {product: dyed fabric, capacity: 18000}}
    B.5: {textile: {recp_share_pct: 40}}

All its faults are reported at once, each with file, line, key and what would be right.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from efficiency.indicators.eip import YearIndicator, year_indicators
from efficiency.indicators.figure import Figure, absent, figure, judged, ratio, total
from efficiency.reports.contents import ParkReport
from efficiency.reports.entries import Entry
from efficiency.reports.reading import units_of
from efficiency.valuation.valued import ValueReason
from metering.eip import Provenance
from metering.errors import OperatorError
from metering.figures import ELECTRICITY, OUTPUT, WASTEWATER, WATER
from metering.lenient import Broken
from metering.model import Localized
from metering.park import Park, Tenant
from metering.quantities import Utility, figure_of
from metering.words import MILLION_VND
from metering.yamllines import Lines, read_yaml

Given = str | float | bool
"""What a person entered for a field."""


class FieldKind(StrEnum):
    """What a field may contain."""

    NUMBER = "number"
    YES_NO = "yes_no"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form: `code` is its name in the file of entered values; `unit` may contain `{output}`."""

    code: str
    label: Localized
    unit: str = ""
    kind: FieldKind = FieldKind.NUMBER
    computed: bool = False


def _field(code: str, en: str, vi: str, unit: str = "", kind: FieldKind = FieldKind.NUMBER) -> FormField:
    return FormField(code, Localized(en=en, vi=vi), unit, kind)


_MILLION: Final = MILLION_VND.en
_SAVINGS: Final = (
    ("firms", "firms taking part", "số doanh nghiệp tham gia", ""),
    ("solutions", "solutions in place", "số giải pháp đã thực hiện", ""),
    ("electricity_saved_kwh", "electricity saved", "điện tiết kiệm được", "kWh"),
    ("electricity_saved_pct", "electricity saved, share", "tỷ lệ điện tiết kiệm", "%"),
    ("co2_avoided_t", "CO₂ avoided", "lượng CO₂ giảm được", "t"),
    ("water_saved_m3", "water saved", "nước tiết kiệm được", "m³"),
    ("wastewater_reduced_m3", "wastewater reduced", "nước thải giảm được", "m³"),
    ("reused_t", "materials reused and recycled", "vật liệu tái sử dụng, tái chế", "t"),
    ("cost_saved_mvnd", "cost saved", "chi phí tiết kiệm được", _MILLION),
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
    _field("ghg_programme", "Greenhouse gas programme", "Chương trình khí nhà kính", kind=FieldKind.YES_NO),
    _field(
        "input_output_monitoring", "Monitoring of inputs and outputs", "Giám sát đầu vào, đầu ra", kind=FieldKind.YES_NO
    ),
    _field("sustainability_report", "Sustainability report", "Báo cáo phát triển bền vững", kind=FieldKind.YES_NO),
    _field("risk_framework", "Risk framework", "Khung quản lý rủi ro", kind=FieldKind.YES_NO),
    _field("climate_plan", "Climate plan", "Kế hoạch ứng phó biến đổi khí hậu", kind=FieldKind.YES_NO),
)

B4: Final = (
    _field("product", "Product", "Sản phẩm", kind=FieldKind.TEXT),
    _field("capacity", "Design capacity", "Công suất thiết kế", "{output}"),
    _field(OUTPUT, "Output", "Sản lượng", "{output}"),
    _field("electricity_per_product", "Electricity per product", "Suất tiêu hao điện", "kWh/{output}"),
    _field(
        "energy_per_product",
        "Energy use per product, all carriers",
        "Suất tiêu hao năng lượng, mọi dạng",
        "MJ/{output}",
    ),
    _field("revenue_mvnd", "Revenue", "Doanh thu", _MILLION),
    _field(ELECTRICITY, "Electricity", "Điện", "kWh"),
    _field("fuel_nm3", "Fuel: natural gas", "Nhiên liệu: khí thiên nhiên", "Nm³"),
    _field("co2_t", "CO₂ emissions", "Phát thải CO₂", "t"),
    _field(WATER, "Water", "Nước cấp", "m³"),
    _field(WASTEWATER, "Wastewater", "Nước thải", "m³"),
    _field(
        "cost_mvnd",
        "Cost of utilities, with surcharge and VAT",
        "Chi phí tiện ích, gồm thuế và tiền công suất phản kháng",
        _MILLION,
    ),
)

B5: Final = (_field("recp_share_pct", "RECP share", "Tỷ lệ áp dụng hiệu quả tài nguyên và sản xuất sạch hơn", "%"),)

EIP_FORM: Final = "EIP"
"""The indicators of an eco-industrial park; those that no meter measures are entered in the park file."""
PARK_FORMS: Final = {"A.4": A4, "A.5": A5}
TENANT_FORMS: Final = {"B.4": B4, "B.5": B5}


@dataclass(frozen=True, slots=True)
class FormRow:
    """A field of a form of the park or of one tenant: `measured` is the figure, `given` what was entered.

    `band` is the uncertainty of a figure that is computed against a baseline rather than measured.
    """

    form: str
    tenant: Tenant | None
    field: FormField
    unit: str
    measured: Figure | None
    given: Given | None
    band: Figure | None = None
    target: float | None = None
    reached: bool | None = None

    @property
    def status(self) -> str:
        """The key of the word that says where the value comes from."""
        if self.measured is not None and self.measured.value is not None:
            if self.band is not None or self.field.computed:
                return "computed"
            lacking = ValueReason.INDICATIVE | ValueReason.PARTLY | ValueReason.NO_SURCHARGE
            return "partly_measured" if self.measured.reasons & lacking else "measured"
        if self.given is not None:
            return "given"
        return "missing" if self.form == EIP_FORM else "open"


def _indicator_row(found: YearIndicator) -> FormRow:
    entered = found.provenance is Provenance.ENTERED
    return FormRow(
        form=EIP_FORM,
        tenant=None,
        field=FormField(
            found.indicator.code, found.indicator.label, found.indicator.unit, computed=found.indicator.computed
        ),
        unit=found.indicator.unit,
        measured=None if entered else found.figure,
        given=found.figure.value if entered else None,
        target=found.target,
        reached=found.reached,
    )


class EnteredField(NamedTuple):
    """A field of a form, and whose it is: a tenant's, or (empty) the park's."""

    form: str
    tenant: str
    code: str


Entered = Mapping[EnteredField, Given]


def rows(report: ParkReport, entered: Entered) -> list[FormRow]:
    """All fields of all forms of a year, those of the park first."""
    computed = _savings(report)
    of_park = {name: entry.now for name, entry in report.own.items()}
    last = min(report.period.last, report.made_on)
    indicators = year_indicators(report.park, of_park, report.edges, report.period.year, last)
    reuse = next(each for each in indicators if each.indicator.code == "reuse_pct")
    computed["wastewater_reused_pct"] = _Computed(reuse.figure)
    found = []
    for form, fields in PARK_FORMS.items():
        for field in fields:
            known = computed.get(field.code)
            given = entered.get(EnteredField(form, "", field.code))
            found.append(
                FormRow(
                    form=form,
                    tenant=None,
                    field=field,
                    unit=field.unit,
                    measured=known.value if known is not None else None,
                    given=given,
                    band=known.band if known is not None else None,
                )
            )
    found += [_indicator_row(each) for each in indicators]
    for form, fields in TENANT_FORMS.items():
        for tenant in report.present:
            own = tenant_measured(report.tenants[tenant.id])
            output = units_of(report.park, tenant.id, report.period)[OUTPUT]
            for field in fields:
                unit = field.unit.format(output=output) if output or "{output}" not in field.unit else ""
                given = entered.get(EnteredField(form, tenant.id, field.code))
                found.append(
                    FormRow(
                        form=form,
                        tenant=tenant,
                        field=field,
                        unit=unit,
                        measured=own.get(field.code) if form == "B.4" else None,
                        given=given,
                    )
                )
    return found


def tenant_measured(entries: Mapping[str, Entry]) -> dict[str, Figure]:
    """The measured fields of form B.4, by code."""
    names = {
        OUTPUT: OUTPUT,
        "electricity_per_product": "electricity_per_output",
        "energy_per_product": "energy_per_output",
        ELECTRICITY: ELECTRICITY,
        "fuel_nm3": figure_of(Utility.NATURAL_GAS),
        WATER: WATER,
        WASTEWATER: WASTEWATER,
    }
    found = {code: entries[name].now for code, name in names.items()}
    found["co2_t"] = entries["co2e_kg"].now.scaled(1e-3, "t")
    found["cost_mvnd"] = entries["payable_vnd"].now.scaled(1e-6, _MILLION)
    return found


class _Computed(NamedTuple):
    """The value of a field of the park, and its uncertainty."""

    value: Figure
    band: Figure | None = None


def _savings(report: ParkReport) -> dict[str, _Computed]:
    """Electricity saved against baselines, by all tenants who have one, with its uncertainty (F21).

    A saving against a baseline need not come from measures that somebody took, so the form says "computed".
    """
    amount, share = "recp_electricity_saved_kwh", "recp_electricity_saved_pct"
    with_baseline = [each for each in report.tenants.values() if each["saving_kwh"].now.value is not None]
    if not with_baseline:
        none = absent("kWh", ValueReason.NO_BASELINE)
        return {amount: _Computed(none), share: _Computed(none)}
    expected = total([each["expected_kwh"].now for each in with_baseline], "kWh")
    saved = total([each["saving_kwh"].now for each in with_baseline], "kWh")
    bands = [each["saving_kwh"].band for each in with_baseline]
    known = [band.value for band in bands if band is not None and band.value is not None]
    band = math.hypot(*known)
    within = judged(saved, band)
    off = figure(band, "kWh", saved.completeness, saved.estimated)
    percent = replace(ratio(within, expected, "%").scaled(100, "%"), over=None)
    off_share = figure(100 * band / expected.value, "%") if expected.value else None
    return {amount: _Computed(within, off), share: _Computed(percent, off_share)}


_RIGHT = {FieldKind.NUMBER: "a number", FieldKind.YES_NO: "true or false", FieldKind.TEXT: "a text"}


def read_entered(file: Path, park: Park) -> dict[EnteredField, Given]:
    """Read a file of entered values.

    Raises `OperatorError` with all its faults.
    """
    raw, text = read_yaml(file)
    found: dict[EnteredField, Given] = {}
    faults = [*_take(raw if raw is not None else {}, park, found)]
    if faults:
        lines = Lines(text)
        told = (f"{file}:{lines.of(path)}: {'/'.join(map(str, path)) or 'file'}: {right}" for path, right in faults)
        raise OperatorError("\n".join(told))
    return found


def _take(raw: Any, park: Park, found: dict[EnteredField, Given]) -> Iterator[Broken]:
    if not isinstance(raw, dict):
        yield Broken((), f"a mapping of the forms {', '.join([*PARK_FORMS, *TENANT_FORMS])}")
        return
    for form, content in raw.items():
        if form == EIP_FORM:
            yield Broken((str(form),), "in the park file, under entered_indicators")
        elif form in PARK_FORMS:
            yield from _fields((str(form),), "", content, PARK_FORMS[form], found)
        elif form not in TENANT_FORMS:
            yield Broken((str(form),), f"one of the forms {', '.join([*PARK_FORMS, *TENANT_FORMS])}")
        elif not isinstance(content, dict):
            yield Broken((str(form),), "a mapping of tenants")
        else:
            for tenant, fields in content.items():
                if tenant not in park.tenant:
                    yield Broken((str(form), str(tenant)), f"a tenant of the park file: {', '.join(park.tenant)}")
                else:
                    yield from _fields((str(form), tenant), tenant, fields, TENANT_FORMS[form], found)


def _fields(
    path: tuple[str, ...],
    tenant: str,
    content: Any,
    fields: Sequence[FormField],
    found: dict[EnteredField, Given],
) -> Iterator[Broken]:
    known = {field.code: field for field in fields}
    if not isinstance(content, dict):
        yield Broken(path, f"a mapping of fields: {', '.join(known)}")
        return
    for code, value in content.items():
        where = (*path, str(code))
        if code not in known:
            yield Broken(where, f"one of the fields {', '.join(known)}")
        elif value is not None and not _fits(value, known[code].kind):
            yield Broken(where, _RIGHT[known[code].kind])
        elif value is not None:
            found[EnteredField(path[0], tenant, code)] = float(value) if known[code].kind is FieldKind.NUMBER else value


def _fits(value: Any, kind: FieldKind) -> bool:
    if kind is FieldKind.YES_NO:
        return isinstance(value, bool)
    if kind is FieldKind.TEXT:
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

"""Performance indicators of an eco-industrial park: energy, water, waste and emissions, under the framework's headings.

The headings are those of the international framework of UNIDO, World Bank and GIZ; its benchmarks are not repeated
here: a park sets its own targets.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from pydantic import Field

from metering.model import Identifier, Localized, Model, NotNegative


class Provenance(Enum):
    """Where the value of an indicator comes from."""

    MEASURED = Localized(en="measured", vi="đo được")
    COMPUTED = Localized(en="computed", vi="tính toán")
    ENTERED = Localized(en="entered", vi="do đơn vị khai")
    MISSING = Localized(en="missing", vi="chưa có")

    @property
    def label(self) -> Localized:
        """In words."""
        return self.value


class EnteredIndicator(Model):
    """An indicator that no meter knows, such as waste: its value in each year."""

    indicator: Identifier
    years: dict[int, NotNegative]
    source: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ParkIndicator:
    """One indicator: `better` says which way is good; `computed` is derived from what is measured."""

    code: str
    label: Localized
    unit: str
    better: int = -1
    computed: bool = True


def _of(code: str, unit: str, en: str, vi: str, *, better: int = -1, computed: bool = True) -> ParkIndicator:
    return ParkIndicator(code, Localized(en=en, vi=vi), unit, better, computed)


_ALL: Final = (
    _of("electricity_mwh", "MWh", "Energy: electricity bought", "Năng lượng: điện mua vào", computed=False),
    _of("energy_toe", "TOE", "Energy: all carriers", "Năng lượng: mọi dạng"),
    _of("energy_toe_per_ha", "TOE/ha", "Energy: all carriers per area", "Năng lượng: mọi dạng trên diện tích"),
    _of("solar_pct", "%", "Energy: share of solar power", "Năng lượng: tỷ lệ điện mặt trời", better=1),
    _of("water_intake_m3", "m³", "Water: taken in", "Nước: lượng nước cấp", computed=False),
    _of("water_loss_pct", "%", "Water: losses", "Nước: tỷ lệ tổn thất"),
    _of("wastewater_treated_m3", "m³", "Water: wastewater treated", "Nước: nước thải xử lý", computed=False),
    _of("reuse_pct", "%", "Water: share of wastewater reused", "Nước: tỷ lệ nước thải tái sử dụng", better=1),
    _of("waste_t", "t", "Waste: solid waste", "Chất thải: chất thải rắn", computed=False),
    _of(
        "waste_reused_pct",
        "%",
        "Waste: share reused or recycled",
        "Chất thải: tỷ lệ tái sử dụng, tái chế",
        better=1,
        computed=False,
    ),
    _of("hazardous_t", "t", "Waste: hazardous waste", "Chất thải: chất thải nguy hại", computed=False),
    _of("co2e_t", "t CO₂e", "Emissions: scopes 1 and 2", "Phát thải: phạm vi 1 và 2"),
    _of("co2e_t_per_ha", "t CO₂e/ha", "Emissions: per area", "Phát thải: trên diện tích"),
)
PARK_INDICATORS: Final = {indicator.code: indicator for indicator in _ALL}
"""By the code that targets of the park file use."""

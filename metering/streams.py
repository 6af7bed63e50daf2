"""Surpluses and demands of companies and the park: heat, condensate, treated wastewater, steam, by-products.

The quantity follows from a meter (`meter`, times `per_unit`) or is stated (`rate` per hour, within `hours`). The
quality is stated, or measured by the gauges of a meter (`quality_from`). Nothing is assumed for what the park file
leaves open: rules ask for it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from metering.calendar import Window
from metering.dated import Amounts, HistoryEntry, Limits, in_order, plain_or_dated
from metering.model import Identifier, Localized, Model, Number, Positive
from metering.quantities import Utility


class StreamKind(StrEnum):
    """What flows."""

    HEAT = "heat"
    CONDENSATE = "condensate"
    TREATED_WASTEWATER = "treated_wastewater"
    STEAM = "steam"
    BY_PRODUCT = "by_product"


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One kind: its unit; `carried` by the day rather than piped as it comes; the qualities it must be judged by."""

    unit: str
    label: Localized
    carried: bool = False
    judged_by: str | None = None


STREAMS: Final = {
    StreamKind.HEAT: StreamSpec("kWh", Localized(en="Heat", vi="Nhiệt")),
    StreamKind.CONDENSATE: StreamSpec("t", Localized(en="Condensate", vi="Nước ngưng"), judged_by="temperature_c"),
    StreamKind.TREATED_WASTEWATER: StreamSpec(
        "m³", Localized(en="Treated wastewater", vi="Nước thải sau xử lý"), judged_by=""
    ),
    StreamKind.STEAM: StreamSpec("t", Localized(en="Steam", vi="Hơi"), judged_by="pressure_bar"),
    StreamKind.BY_PRODUCT: StreamSpec("t", Localized(en="By-product", vi="Phụ phẩm"), carried=True),
}
"""`judged_by` is empty where any quality will do."""

LIQUIDS: Final = frozenset({Utility.WATER, Utility.WASTEWATER, Utility.STEAM})
"""Utilities whose m³ or t is water that carries heat; for steam, its condensate."""


class Side(StrEnum):
    """Whether a stream is a surplus or a demand."""

    SURPLUS = "surplus"
    DEMAND = "demand"


class Place(Model):
    """Metres east and north of a reference point that the park chooses."""

    east: Number
    north: Number


DatedNumbers = Annotated[tuple[HistoryEntry[Number], ...], plain_or_dated, in_order]


class Stream(Model):
    """A surplus or a demand from the day `since` up to, but without, the day `until`; without tenant the park's own.

    `per_unit`: how much of the stream comes with one unit of `meter`, 1 where it says nothing; of heat from a meter of
    water, wastewater or steam it is the share of the flow. `temperature_c` of heat is what a surplus has and a demand
    needs; `cold_c` is what a demand is heated from, or how far a surplus may be cooled; `approach_k` is what a heat
    exchanger of the demand takes. `quality` is what a surplus has, `limits` what a demand can take, by quantity.
    `replaces`: how much of a utility one unit saves the demand, `price_vnd` what it pays for it beside utilities today.
    """

    id: Identifier
    name: Localized
    kind: StreamKind
    side: Side
    tenant: Identifier | None = None
    since: date = Field(date.min, alias="from")
    until: date | None = None
    place_m: Place | None = None
    meter: Identifier | None = None
    per_unit: Amounts = ()
    rate: Amounts = ()
    hours: tuple[Window, ...] = ()
    material: Identifier | None = None
    temperature_c: DatedNumbers = ()
    cold_c: DatedNumbers = ()
    approach_k: Positive = 5.0
    quality: dict[str, DatedNumbers] = Field(default_factory=dict)
    quality_from: Identifier | None = None
    limits: dict[str, Limits] = Field(default_factory=dict)
    replaces: dict[Utility, Amounts] = Field(default_factory=dict)
    price_vnd: Amounts = ()
    source: str = Field(min_length=1)

    @property
    def spec(self) -> StreamSpec:
        """The specification of its kind."""
        return STREAMS[self.kind]

"""What the park is: tenants, gateways, meters and dated data, as frozen models. Read with `metering.parkfile`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from metering.calendar import Calendar, Window
from metering.dated import Amounts, HistoryEntry, Values, in_order, plain_or_dated, value_on
from metering.eip import EnteredIndicator
from metering.fuels import EnteredFuel
from metering.instants import EVER, Span, midnight_ms
from metering.meterlibrary import DriverBlocks
from metering.meters import Belonging, Meter, MeterModel, Thresholds
from metering.model import Count, Identifier, Localized, Model, NotNegative, Number, Positive, Zone
from metering.quantities import Utility
from metering.shortforms import written_out
from metering.sources import Source
from metering.streams import Stream
from metering.tariffs import Allocation, Factors, Tariffs

_MISSED = 3
"""So many intervals in a row are not missed by chance."""


class IntakeContract(Model):
    """The park's contract with its supplier of electricity; each value is dated."""

    demand_kw: Amounts = ()
    kwh_per_month: Amounts = ()


class ParkInfo(Model):
    """The park itself. All days, bands and shifts are in its `timezone`.

    `reused_water`: meters of treated wastewater that is reused. `clock_off_s`: how far a gateway's clock may be off
    before an alert.
    """

    id: Identifier
    name: Localized
    timezone: Zone
    area_m2: Positive | None = None
    thresholds: Thresholds = Thresholds()
    clock_off_s: Positive = 60.0
    reused_water: tuple[Identifier, ...] = ()
    contract: IntakeContract = IntakeContract()
    horizon_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] = 400


class Contract(Model):
    """What the tenant may draw and discharge, and at which voltage level it buys; each value is dated.

    `co2e_kg_per_kwh`: emissions of electricity bought under its own contract, the market-based factor of F11.
    """

    voltage: Annotated[tuple[HistoryEntry[str], ...], plain_or_dated, in_order] = ()
    demand_kw: Amounts = ()
    wastewater_m3_per_day: Amounts = ()
    co2e_kg_per_kwh: Values = ()


class Tenant(Model):
    """A company in the park from the day `since` up to but not including the day `until`.

    `budget_vnd_per_month`: the monthly budget for energy and water before VAT.
    """

    id: Identifier
    name: Localized
    sector: Localized
    since: date = Field(date.min, alias="from")
    until: date | None = None
    floor_area_m2: Annotated[tuple[HistoryEntry[Positive], ...], plain_or_dated, in_order] = ()
    employees: Annotated[tuple[HistoryEntry[Count], ...], plain_or_dated, in_order] = ()
    shifts: Annotated[tuple[HistoryEntry[tuple[Window, ...]], ...], plain_or_dated, in_order] = ()
    contract: Contract = Contract()
    budget_vnd_per_month: Amounts = ()
    thresholds: Annotated[tuple[HistoryEntry[Thresholds], ...], plain_or_dated, in_order] = ()

    def span(self, zone: ZoneInfo) -> Span:
        """When it is in the park."""
        end = EVER.end if self.until is None else midnight_ms(self.until, zone)
        return Span(midnight_ms(self.since, zone), end)


class Gateway(DriverBlocks):
    """A device that carries readings of meters to the broker.

    `confirm`: after what it deletes a reading: Ecopark's receipt, or, on a broker without Ecopark's ingester, the
    broker's acknowledgement.
    """

    id: Identifier
    name: Localized
    confirm: Literal["receipt", "broker"] = "receipt"


class Adjustment(Model):
    """A non-routine adjustment: what a baseline expects more (or less) each day, and why.

    In the unit of the baseline's use. `uncertainty`: half the 95 % interval of it.
    """

    baseline: Identifier
    since: date = Field(alias="from")
    until: date | None = None
    per_day: Number
    uncertainty: NotNegative = 0.0
    reason: Annotated[str, Field(min_length=1)]

    def holds(self, day: date) -> bool:
        """Whether it counts on a day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Tenure:
    """A metering point for as long as somebody has it, or it has a parent; clipped to the requested span."""

    meter: Meter
    belonging: Belonging

    @property
    def span(self) -> Span:
        """For how long."""
        return self.belonging.span


class Park(Model):
    """One park file, with the registers of the meter models already put into the instruments."""

    park: ParkInfo
    tenants: tuple[Tenant, ...] = ()
    gateways: tuple[Gateway, ...]
    meter_models: dict[str, MeterModel] = Field(default_factory=dict)
    meters: tuple[Meter, ...]
    sources: tuple[Source, ...] = ()
    streams: tuple[Stream, ...] = ()
    calendar: Calendar = Calendar()
    tariffs: Tariffs = Tariffs()
    factors: Factors = Factors()
    entered: tuple[EnteredFuel, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    entered_indicators: tuple[EnteredIndicator, ...] = ()
    targets: dict[str, Amounts] = Field(default_factory=dict)
    allocation: dict[Utility, Annotated[tuple[Allocation, ...], in_order]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, raw: Any) -> Any:
        return written_out(raw) if isinstance(raw, dict) else raw

    @property
    def id(self) -> str:
        """The park's identifier: in topics and as its tag in the store."""
        return self.park.id

    @cached_property
    def zone(self) -> ZoneInfo:
        """Local time of the park."""
        return ZoneInfo(self.park.timezone)

    @cached_property
    def meter(self) -> dict[str, Meter]:
        """Meters by id."""
        return {meter.id: meter for meter in self.meters}

    @cached_property
    def tenant(self) -> dict[str, Tenant]:
        """Tenants by id."""
        return {tenant.id: tenant for tenant in self.tenants}

    def points_of_tenant(self, tenant: str | None, span: Span = EVER) -> tuple[Tenure, ...]:
        """The points that a tenant (None: the park itself) has within a span, in the order of the park file."""
        return _clipped(self._owned.get(tenant, ()), span)

    def children(self, meter: str, span: Span = EVER) -> tuple[Tenure, ...]:
        """The meters directly below a meter within a span, in the order of the park file."""
        return _clipped(self._below.get(meter, ()), span)

    @cached_property
    def parents(self) -> frozenset[str]:
        """Meters that have, or once had, others below them."""
        return frozenset(self._below)

    @cached_property
    def _owned(self) -> dict[str | None, list[Tenure]]:
        owned: dict[str | None, list[Tenure]] = {}
        for tenure in self.tenures():
            owned.setdefault(tenure.belonging.tenant, []).append(tenure)
        return owned

    @cached_property
    def _below(self) -> dict[str, list[Tenure]]:
        below: dict[str, list[Tenure]] = {}
        for tenure in self.tenures():
            if tenure.belonging.parent is not None:
                below.setdefault(tenure.belonging.parent, []).append(tenure)
        return below

    def tenures(self) -> Iterator[Tenure]:
        """All metering points, each for as long as somebody has it, or it has a parent."""
        return (Tenure(meter, belonging) for meter in self.meters for belonging in meter.belongs)

    def with_parts(self, **parts: Any) -> "Park":
        """A copy with some parts replaced; not validated again."""
        return Park.model_construct(**{name: getattr(self, name) for name in Park.model_fields} | parts)

    def meters_of(self, gateway: str) -> tuple[Meter, ...]:
        """Meters whose readings this gateway carries."""
        return tuple(meter for meter in self.meters if meter.gateway == gateway)

    def silent_after_s(self, meter: Meter, tenant: str | None, day: date) -> int:
        """After how many seconds without a reading a meter that a tenant has on a day counts as silent.

        The configured threshold; for a meter that is read less often, a few of its own intervals.
        """
        return max(self.thresholds_of(tenant, day).silent_s, _MISSED * meter.interval_s)

    def thresholds_of(self, tenant: str | None, day: date) -> Thresholds:
        """Thresholds of a tenant on a day, by default the park's."""
        own = value_on(self.tenant[tenant].thresholds, day) if tenant is not None else None
        return own or self.park.thresholds


def _clipped(tenures: Sequence[Tenure], span: Span) -> tuple[Tenure, ...]:
    found = []
    for tenure in tenures:
        belonging = tenure.belonging.clipped(span)
        if belonging is not None:
            found.append(tenure if belonging is tenure.belonging else Tenure(tenure.meter, belonging))
    return tuple(found)

"""What the park is: tenants, gateways, meters and dated data, as frozen models. Read with `metering.parkfile`."""

from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from metering.calendar import Window
from metering.dated import Values
from metering.meters import Driven, Meter, MeterModel, Thresholds
from metering.model import Count, Identifier, Localized, Model, Positive
from metering.tariffs import Factors, Tariffs


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        msg = "not a time zone of the IANA database, such as Asia/Ho_Chi_Minh"
        raise ValueError(msg)
    return name


class ParkInfo(Model):
    """The park itself. All days, bands and shifts are in its `timezone`."""

    id: Identifier
    name: Localized
    timezone: Annotated[str, AfterValidator(_known_zone)]
    area_m2: Positive | None = None
    thresholds: Thresholds = Thresholds()
    horizon_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] = 400


class Contract(Model):
    """What the tenant may draw and discharge, and at which voltage level it buys; dated."""

    voltage: str | None = None
    demand_kw: Values = ()
    wastewater_m3_per_day: Values = ()


class Tenant(Model):
    """A firm of the park. `budget_vnd_per_month`: what its energy and water may cost in a month before VAT; dated."""

    id: Identifier
    name: Localized
    sector: Localized
    floor_area_m2: Positive | None = None
    employees: Count | None = None
    shifts: tuple[Window, ...] = ()
    contract: Contract = Contract()
    budget_vnd_per_month: Values = ()
    thresholds: Thresholds | None = None


class Gateway(Driven):
    """A device that carries readings of meters to the broker.

    `confirm`: what lets it forget a reading: Ecopark's receipt, or, on a broker without Ecopark's ingester, the
    broker's acknowledgement.
    """

    id: Identifier
    name: Localized
    confirm: Literal["receipt", "broker"] = "receipt"


class Park(Model):
    """One park file, with the registers of the meter models already put into the meters."""

    park: ParkInfo
    tenants: tuple[Tenant, ...] = ()
    gateways: tuple[Gateway, ...]
    meter_models: dict[str, MeterModel] = Field(default_factory=dict)
    meters: tuple[Meter, ...]
    tariffs: Tariffs = Tariffs()
    factors: Factors = Factors()

    @property
    def id(self) -> str:
        """The park's identifier: its place in topics and its tag in the store."""
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

    @cached_property
    def of_tenant(self) -> dict[str, tuple[Meter, ...]]:
        """Meters of each tenant, in the order of the park file."""
        return {
            tenant.id: tuple(meter for meter in self.meters if meter.tenant == tenant.id) for tenant in self.tenants
        }

    @cached_property
    def children(self) -> dict[str, tuple[Meter, ...]]:
        """Sub-meters directly below each meter that has any."""
        below: dict[str, list[Meter]] = {}
        for meter in self.meters:
            if meter.parent is not None:
                below.setdefault(meter.parent, []).append(meter)
        return {parent: tuple(meters) for parent, meters in below.items()}

    def meters_of(self, gateway: str) -> tuple[Meter, ...]:
        """Meters whose readings this gateway carries."""
        return tuple(meter for meter in self.meters if meter.gateway == gateway)

    def thresholds_of(self, tenant: str | None) -> Thresholds:
        """Thresholds of a tenant, else the park's."""
        own = self.tenant[tenant].thresholds if tenant is not None else None
        return own or self.park.thresholds

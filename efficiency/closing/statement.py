"""What a tenant is charged for a month, and why: the frozen models of a closed month.

A charge is one line: a quantity, its price and their product in whole dong before VAT. Everything that costs money is a
charge, so that a month can later be compared with itself: any difference is a correction.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, PlainSerializer, model_validator

from efficiency.closing.amounts import dong
from metering.errors import OperatorError
from metering.model import Identifier, Model
from metering.months import MONTH_WRITTEN, month_of
from metering.quantities import Utility
from metering.tariffs import AllocationKey, Band
from metering.words import text


def _month(written: Any) -> Any:
    try:
        return month_of(written) if isinstance(written, str) else written
    except OperatorError as error:
        raise ValueError(str(error)) from None


CalendarMonth = Annotated[date, BeforeValidator(_month), PlainSerializer(lambda day: day.strftime(MONTH_WRITTEN))]


class ChargeKind(StrEnum):
    """What is charged for."""

    USE = "use"
    DEMAND = "demand"
    REACTIVE = "reactive"
    LOSSES = "losses"
    COMMON = "common"


class RegisterAt(Model):
    """What a register showed at an instant; `interpolated` if nothing was read at that instant."""

    at: datetime
    shown: float
    interpolated: bool = False


class Stretch(Model):
    """One register of one instrument over the part of a month in which somebody had the point.

    `use` = (closing - opening) x multiplier, allowing for a roll-over; None if a register is missing.
    """

    counter: str
    serial: str | None = None
    since: datetime
    until: datetime
    opening: RegisterAt | None = None
    closing: RegisterAt | None = None
    multiplier: float
    use: float | None = None


class PointUse(Model):
    """What passed at a metering point while a tenant had it; `estimated` is the part of `quantity` that was estimated.

    `rules` are the names of the rules that marked some of it as estimated or suspect.
    """

    point: Identifier
    utility: Utility
    since: datetime
    until: datetime
    stretches: tuple[Stretch, ...] = ()
    quantity: float
    unit: str
    completeness: float
    estimated: float = 0.0
    rules: tuple[str, ...] = ()


class Allotted(Model):
    """The basis of an allocated charge: the whole amount, the key, and the sum of the weights."""

    key: AllocationKey
    weights: float
    amount_vnd: int


class Peak(Model):
    """F9: the highest half hour, and when it began.

    `known`: the share of half hours that are known; `estimated`: the share of this half hour that is estimated.
    """

    at: datetime
    kw: float
    known: float = 1.0
    estimated: float = 0.0


class Charge(Model):
    """One line before VAT; it holds from `since` up to but not including `until`.

    For a surcharge, the quantity is its percentage, and the price is a hundredth of its basis. For an allocated cost,
    the quantity is the tenant's weight, `share` is the basis, and the price is that of one unit of weight. For demand,
    the quantity is the kW of the `peak`, and the price is that of a month times the `part` of the month.
    """

    kind: ChargeKind = ChargeKind.USE
    utility: Utility
    point: Identifier | None = None
    band: Band = Band.ALL
    since: date
    until: date
    quantity: float
    unit: str
    price: float
    net_vnd: int
    source: str
    vat: float
    vat_source: str
    share: Allotted | None = None
    peak: Peak | None = None
    part: float = 1.0

    @classmethod
    def of(cls, quantity: float, price: float, **rest: Any) -> Self:
        """The charge of a quantity at a price."""
        return cls(quantity=quantity, price=price, net_vnd=dong(quantity, price), **rest)


class PowerFactor(Model):
    """F8 over a month: the power factor of its sums of kWh and kvarh, and the surcharge in percent of `cost_vnd`."""

    active_kwh: float
    reactive_kvarh: float
    power_factor: float
    percent: float
    cost_vnd: int
    since: date
    until: date
    source: str


class CorrectionReason(StrEnum):
    """Why a month would be stated differently now."""

    READINGS = "readings"
    INSTRUMENT = "instrument"
    OWNER = "owner"
    PRICE = "price"
    VAT = "vat"
    POWER_FACTOR = "power_factor"
    ALLOCATION = "allocation"


CORRECTION_TEXT: Final = {
    CorrectionReason.READINGS: text("late or corrected readings", "số đọc đến muộn hoặc được sửa"),
    CorrectionReason.INSTRUMENT: text("corrected entry of the instrument", "sửa khai báo thiết bị đo"),
    CorrectionReason.OWNER: text("corrected time at the metering point", "sửa thời gian sử dụng điểm đo"),
    CorrectionReason.PRICE: text("corrected price or tariff hours", "sửa đơn giá hoặc khung giờ"),
    CorrectionReason.VAT: text("corrected rate of VAT", "sửa thuế suất GTGT"),
    CorrectionReason.POWER_FACTOR: text(
        "power factor or its basis corrected", "sửa hệ số công suất hoặc tiền điện làm căn cứ"
    ),
    CorrectionReason.ALLOCATION: text(
        "amount or key of the allocation corrected", "sửa số tiền hoặc tiêu thức phân bổ"
    ),
}


class Correction(Model):
    """F25: the charges of one kind and point of an earlier month as they would be now, less those that were stated."""

    month: CalendarMonth
    kind: ChargeKind
    utility: Utility
    point: Identifier | None = None
    quantity: float
    unit: str
    net_vnd: int
    vat: float
    reasons: tuple[CorrectionReason, ...]

    @property
    def with_vat_vnd(self) -> int:
        """The correction with VAT."""
        return self.net_vnd + dong(self.net_vnd, self.vat)


class Taxed(Model):
    """The net sum at one rate of VAT, and the VAT on it."""

    rate: float
    net_vnd: int
    vat_vnd: int


def taxed(lines: Iterable[Charge | Correction]) -> tuple[Taxed, ...]:
    """Net sums and VAT by rate, lowest first."""
    sums: dict[float, int] = {}
    for line in lines:
        sums[line.vat] = sums.get(line.vat, 0) + line.net_vnd
    return tuple(Taxed(rate=rate, net_vnd=net, vat_vnd=dong(net, rate)) for rate, net in sorted(sums.items()))


class Statement(Model):
    """One tenant's month. `taxed` follows from the lines; if it does not, the file was changed by hand."""

    tenant: Identifier
    points: tuple[PointUse, ...] = ()
    power_factor: PowerFactor | None = None
    charges: tuple[Charge, ...] = ()
    corrections: tuple[Correction, ...] = ()
    taxed: tuple[Taxed, ...] = ()

    @classmethod
    def of(cls, tenant: str, charges: Sequence[Charge], corrections: Sequence[Correction] = (), **rest: Any) -> Self:
        """A statement with its VAT."""
        lines: list[Charge | Correction] = [*charges, *corrections]
        return cls(tenant=tenant, charges=tuple(charges), corrections=tuple(corrections), taxed=taxed(lines), **rest)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.taxed != taxed(self.lines):
            raise ValueError(f"the lines of {self.tenant} do not add up to what is taxed")
        return self

    @property
    def lines(self) -> list[Charge | Correction]:
        """All charges and corrections."""
        return [*self.charges, *self.corrections]

    @property
    def net_vnd(self) -> int:
        """All lines before VAT."""
        return sum(each.net_vnd for each in self.taxed)

    @property
    def vat_vnd(self) -> int:
        """VAT of all rates."""
        return sum(each.vat_vnd for each in self.taxed)

    @property
    def total_vnd(self) -> int:
        """What is to be paid."""
        return self.net_vnd + self.vat_vnd

    def with_more(self, charges: Sequence[Charge] = (), corrections: Sequence[Correction] = ()) -> "Statement":
        """A copy with further charges, and corrections of earlier months."""
        return self.of(
            self.tenant,
            [*self.charges, *charges],
            [*self.corrections, *corrections],
            points=self.points,
            power_factor=self.power_factor,
        )

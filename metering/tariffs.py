"""Dated data of money, carbon and primary energy: tariffs by time-of-use band, prices, emission factors, TOE."""

from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from metering.calendar import Calendar, Window
from metering.dated import DatedValue, Sourced, Values, in_order
from metering.fuels import Fuel, GasFactor, WarmingPotential
from metering.model import Identifier, Model, NotNegative, Positive
from metering.quantities import Utility


class Band(StrEnum):
    """Time-of-use band of the electricity tariff; `all` where a utility has one price at all hours."""

    OFF_PEAK = "off_peak"
    NORMAL = "normal"
    PEAK = "peak"
    ALL = "all"


class BandHours(Sourced):
    """Which local hours are peak and off-peak; the rest is normal. Peak wins where both claim an hour."""

    peak: tuple[Window, ...]
    off_peak: tuple[Window, ...]

    def band(self, local: datetime, calendar: Calendar) -> Band:
        """Band of a local time of the park, with its holidays and seasons."""
        day, minute = local.date(), local.hour * 60 + local.minute
        if calendar.covers(self.peak, day, minute):
            return Band.PEAK
        return Band.OFF_PEAK if calendar.covers(self.off_peak, day, minute) else Band.NORMAL


class BandPrices(Sourced):
    """VND per kWh before VAT; `demand` makes it a two-component tariff.

    `demand`: VND per kW of the month's highest half hour, on top (F28).
    """

    off_peak: NotNegative
    normal: NotNegative
    peak: NotNegative
    demand: NotNegative | None = Field(None, exclude_if=lambda price: price is None)


def _rising(percents: tuple[float, ...]) -> tuple[float, ...]:
    if any(later < earlier for earlier, later in pairwise(percents)):
        raise ValueError("a lower power factor costs at least as much: begin with the hundredth under the least one")
    return percents


class ReactiveRule(Sourced):
    """Surcharge for a low power factor over a billing cycle, for buyers of at least `min_kw`: the regulation's table.

    `percents`: what is put on top at each hundredth under `min_power_factor`, in this order: 0.89, 0.88 and so on.
    `floor_percent`: at every power factor under the last of them.
    """

    min_power_factor: Positive
    percents: Annotated[tuple[NotNegative, ...], Field(min_length=1, max_length=100), AfterValidator(_rising)]
    floor_percent: NotNegative
    min_kw: NotNegative


class ElectricityTariff(Model):
    """`prices` by voltage level (a name of the park file's choosing, which each tenant refers to).

    `compared`: to which other entry of `prices` a level is compared, such as the two-component tariff of that voltage.
    """

    bands: Annotated[tuple[BandHours, ...], in_order]
    prices: dict[str, Annotated[tuple[BandPrices, ...], in_order]]
    reactive: Annotated[tuple[ReactiveRule, ...], in_order] = ()
    compared: dict[str, str] = Field(default_factory=dict, exclude_if=lambda pairs: not pairs)

    def other(self, level: str) -> str | None:
        """What a level is compared to; a level that others are compared to, to the first of them."""
        return self.compared.get(level) or next((one for one, two in self.compared.items() if two == level), None)


class Purchase(Model):
    """What the park itself pays at its main meters, before VAT: electricity by band, other utilities at all hours.

    The hours of bands and the reactive power rule are those of its tenants: a retailer of power is on three-band
    metering itself. `compared`: prices of electricity that it does not pay, for comparison.
    """

    electricity: Annotated[tuple[BandPrices, ...], in_order] = ()
    compared: Annotated[tuple[BandPrices, ...], in_order] = Field((), exclude_if=lambda entries: not entries)
    prices: dict[Utility, Values] = Field(default_factory=dict)


class Tariffs(Model):
    """`prices` of the other utilities are VND per unit of the counter (m3, t, Nm3, kWh); `vat` is a share (0.08)."""

    electricity: ElectricityTariff | None = None
    prices: dict[Utility, Values] = Field(default_factory=dict)
    vat: dict[Utility, Values] = Field(default_factory=dict)
    purchase: Purchase = Purchase()


class AllocationKey(StrEnum):
    """The keys by which tenants share a cost; the last three consider the days on which they use the utility."""

    USE = "use"
    AREA = "area"
    EQUAL = "equal"
    CONTRACT_DEMAND = "contract_demand"


class CostShare(Model):
    """A cost that `tenants` share by a key: those named, or all who use the utility.

    `meters`: common use, measured by these meters of the park's own, or by all of them.
    """

    key: AllocationKey
    tenants: tuple[Identifier, ...] = ()
    meters: tuple[Identifier, ...] = ()


class Allocation(Sourced):
    """How tenants bear the losses and the common use of a utility, from the first day of a month on."""

    losses: CostShare | None = None
    common: CostShare | None = None


class BoughtFactor(DatedValue):
    """F11: kg CO2e per unit bought; an `estimate` is one whose authors give it for reference only."""

    standing: Literal["official", "estimate"] = "official"


class Factors(Model):
    """Emission and conversion factors.

    `scope1`: metered fuels burnt on site. `scope2`: kg CO2e per unit bought. `toe`: tonnes of oil equivalent per unit,
    `mj`: energy content per unit (F20). `fuels`: entered by month, under names that the park file chooses;
    `gwp`: the set of warming potentials for adding up the gases of all fuels (F12, F33).
    """

    scope1: dict[Utility, Annotated[tuple[GasFactor, ...], in_order]] = Field(default_factory=dict)
    scope2: dict[Utility, Annotated[tuple[BoughtFactor, ...], in_order]] = Field(default_factory=dict)
    toe: dict[Utility, Values] = Field(default_factory=dict)
    mj: dict[Utility, Values] = Field(default_factory=dict)
    fuels: dict[str, Fuel] = Field(default_factory=dict)
    gwp: Annotated[tuple[WarmingPotential, ...], in_order] = ()

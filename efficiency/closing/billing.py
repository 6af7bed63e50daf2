"""F22: what a tenant is charged for a month, from what passed at its points and the prices of each day.

The month of a point is split wherever another price, voltage level or VAT rate takes effect; each piece has one charge
per band. A two-component tariff also charges for the highest half hour of all points together (F28). A missing price is
an obstacle, and there is no charge.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import hypot
from zoneinfo import ZoneInfo

from efficiency.closing.amounts import billed, total
from efficiency.closing.monthuse import MonthUse, Passed, points_charged
from efficiency.closing.obstacle import Obstacle
from efficiency.closing.statement import Charge, ChargeKind, PointUse, PowerFactor, Statement
from efficiency.indicators.demandcharge import DemandPiece, tenant_pieces
from efficiency.indicators.electricity import surcharge_percent
from efficiency.indicators.tenant import REACTIVE, counts
from efficiency.usage.quality import Rule, rules_in
from efficiency.valuation.valued import REASON_TEXT, ValueReason
from metering.dated import DatedValue, HistoryEntry, Sourced, at, edges, value_on
from metering.instants import local_day
from metering.model import Localized
from metering.park import Tenant
from metering.quantities import Utility
from metering.tariffs import Band, BandPrices
from metering.words import text

_TELLING = ~int(Rule.EXPORT | Rule.ROLLOVER)
"""Rules that concern the quality of a quantity."""
_NO_PEAK = text("no half hour is known for the demand charge", "không có nửa giờ nào đủ số liệu để tính tiền công suất")


@dataclass(frozen=True, slots=True)
class Charged:
    """What passed at a point, and the charges for it."""

    passed: Passed
    charges: tuple[Charge, ...]


class Billing:
    """Makes the charges of one month; `obstacles` say what could not be charged, and why."""

    def __init__(self, month: MonthUse) -> None:
        self.obstacles: list[Obstacle] = []
        self._month = month
        self._park = month.park

    def statement(self, tenant: Tenant, utilities: Container[Utility] = frozenset(Utility)) -> Statement | None:
        """A tenant's statement for some utilities; None if it had no point of them in the month."""
        charged = [
            Charged(passed, tuple(self._resold(passed, tenant)) if self._sold(passed) else ())
            for passed in map(self._month.passed, points_charged(self._park, tenant.id, self._month.span))
            if passed.meter.utility in utilities
        ]
        if not charged:
            return None
        factor = self.power_factor(charged, tenant.contract.demand_kw)
        power = [each.passed for each in charged if each.passed.meter.utility is Utility.ELECTRICITY]
        demand = self.demand(tenant_pieces(self._park, tenant, self._month.span), power, tenant.id)
        return Statement.of(
            tenant.id,
            [*(charge for each in charged for charge in each.charges), *demand, *self.surcharge(factor)],
            points=tuple(map(self._point, charged)),
            power_factor=factor,
        )

    def _sold(self, passed: Passed) -> bool:
        """Whether the park file has any prices for the utility; others are shown but not charged."""
        tariffs, utility = self._park.tariffs, passed.meter.utility
        return utility in tariffs.prices or (utility is Utility.ELECTRICITY and tariffs.electricity is not None)

    def _resold(self, passed: Passed, tenant: Tenant) -> Iterator[Charge]:
        """Charges at the prices of the tenant's contract; its voltage level may change within the month."""
        tariff, utility = self._park.tariffs.electricity, passed.meter.utility
        if utility is not Utility.ELECTRICITY or tariff is None:
            yield from self.charges(passed, self._park.tariffs.prices.get(utility, ()))
            return
        for span in passed.span.cut(edges(tenant.contract.voltage, passed.span, self._park.zone)):
            voltage = value_on(tenant.contract.voltage, local_day(span.start, self._park.zone))
            if voltage not in tariff.prices:
                self.lacking(tenant.id, REASON_TEXT[ValueReason.NO_VOLTAGE])
                continue
            yield from self.charges(passed.within(span), tariff.prices[voltage])

    def charges(self, passed: Passed, prices: Sequence[Sourced]) -> Iterator[Charge]:
        """Charges for what passed at a point, at the prices of each day; none without any prices."""
        if not prices:
            return
        meter = passed.meter
        zone: ZoneInfo = self._park.zone
        rates: Sequence[DatedValue] = self._park.tariffs.vat.get(meter.utility, ())
        for span in passed.span.cut((*edges(prices, passed.span, zone), *edges(rates, passed.span, zone))):
            day, last = (local_day(ms, zone) for ms in (span.start, span.end - 1))
            entry, vat = at(prices, day), at(rates, day)
            for band, amount in passed.within(span).bands.items():
                price = price_of(entry, band)
                if entry is None or price is None:
                    self.lacking(meter.id, REASON_TEXT[ValueReason.NO_PRICE if entry is None else ValueReason.NO_BANDS])
                elif vat is None:
                    self.lacking(meter.utility.value, REASON_TEXT[ValueReason.NO_VAT])
                elif billed(amount):
                    yield Charge.of(
                        billed(amount),
                        price,
                        utility=meter.utility,
                        point=meter.id,
                        band=band,
                        since=day,
                        until=last + timedelta(days=1),
                        unit=meter.unit,
                        source=entry.source,
                        vat=vat.value,
                        vat_source=vat.source,
                    )

    def demand(self, pieces: Iterable[DemandPiece], points: Sequence[Passed], subject: str) -> Iterator[Charge]:
        """F28: the demand charge of several points together, taxed at the rate of the last day of each piece."""
        for piece in pieces:
            first, last = (local_day(ms, self._park.zone) for ms in (piece.span.start, piece.span.end - 1))
            vat = at(self._park.tariffs.vat.get(Utility.ELECTRICITY, ()), last)
            peak = self._month.peak(points, piece.span)
            if vat is None:
                self.lacking(Utility.ELECTRICITY.value, REASON_TEXT[ValueReason.NO_VAT])
            elif peak is None:
                self.lacking(subject, _NO_PEAK)
            else:
                yield Charge.of(
                    peak.kw,
                    piece.price * piece.part,
                    kind=ChargeKind.DEMAND,
                    utility=Utility.ELECTRICITY,
                    since=first,
                    until=last + timedelta(days=1),
                    unit="kW",
                    source=piece.entry.source,
                    vat=vat.value,
                    vat_source=vat.source,
                    peak=peak,
                    part=piece.part,
                )

    def power_factor(
        self, charged: Iterable[Charged], buyer_kw: Sequence[HistoryEntry[float]] = ()
    ) -> PowerFactor | None:
        """F8 of the points that count reactive energy, by the rule and contract of their first day; else None."""
        counting = [each for each in charged if counts(each.passed.meter, REACTIVE)]
        tariff = self._park.tariffs.electricity
        if tariff is None or not counting:
            return None
        spans = [each.passed.span for each in counting]
        first, last = (local_day(ms, self._park.zone) for ms in (spans[0].start, spans[0].end - 1))
        rule, size = at(tariff.reactive, first), value_on(buyer_kw, first)
        active, blind = (billed(sum(each.passed.both(column) for each in counting)) for column in ("amount", REACTIVE))
        if rule is None or not active:
            return None
        factor = active / hypot(active, blind)
        return PowerFactor(
            active_kwh=active,
            reactive_kvarh=abs(blind),
            power_factor=round(factor, 4),
            percent=surcharge_percent(rule, factor) if size is None or size >= rule.min_kw else 0.0,
            cost_vnd=sum(charge.net_vnd for each in counting for charge in each.charges),
            since=first,
            until=last + timedelta(days=1),
            source=rule.source,
        )

    def surcharge(self, factor: PowerFactor | None) -> Iterator[Charge]:
        """F8: the surcharge, taxed at the rate of the last day; nothing if the power factor is good."""
        if factor is None or not factor.percent:
            return
        vat = at(self._park.tariffs.vat.get(Utility.ELECTRICITY, ()), factor.until - timedelta(days=1))
        if vat is None:
            self.lacking(Utility.ELECTRICITY.value, REASON_TEXT[ValueReason.NO_VAT])
            return
        yield Charge.of(
            factor.percent,
            factor.cost_vnd / 100,
            kind=ChargeKind.REACTIVE,
            utility=Utility.ELECTRICITY,
            since=factor.since,
            until=factor.until,
            unit="%",
            source=factor.source,
            vat=vat.value,
            vat_source=vat.source,
        )

    def _point(self, charged: Charged) -> PointUse:
        passed, meter = charged.passed, charged.passed.meter
        quantities = [each.quantity for each in charged.charges] or [billed(sum(passed.bands.values()))]
        return PointUse(
            point=meter.id,
            utility=meter.utility,
            since=self._month.local(passed.span.start),
            until=self._month.local(passed.span.end),
            stretches=self._month.stretches_of(passed),
            quantity=total(quantities),
            unit=meter.unit,
            completeness=float(passed.hours.completeness.mean()),
            estimated=billed(passed.estimated),
            rules=tuple((rule.name or "").lower() for rule in rules_in(passed.rules & _TELLING)),
        )

    def lacking(self, subject: str, text: Localized) -> None:
        """Note an obstacle to charging something."""
        found = Obstacle(subject=subject, text=text)
        if found not in self.obstacles:
            self.obstacles.append(found)


def price_of(entry: Sourced | None, band: Band) -> float | None:
    """The price of a band; None if the entry has none for it."""
    if isinstance(entry, BandPrices):
        return {Band.OFF_PEAK: entry.off_peak, Band.NORMAL: entry.normal, Band.PEAK: entry.peak}.get(band)
    return entry.value if isinstance(entry, DatedValue) and band is Band.ALL else None

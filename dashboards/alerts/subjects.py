"""Subjects of alert rules on a day: gateways, tenants that share a threshold, contracts, outfalls, solar plants.

Each function gives the `subjects` of a line of the tables; `values` fill in the placeholders of its texts and questions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from dashboards.alerts.rule import AlertSubject, Allowed, Severity, SubjectValue
from dashboards.alerts.statements import one_of
from dashboards.names import short
from metering.dated import at
from metering.instants import Span, midnight_ms
from metering.meters import Belonging, Meter, Role, Thresholds
from metering.park import Gateway, Park, Tenant
from metering.quantities import UTILITIES, Utility
from metering.words import Language, text

SubjectFinder = Callable[[Park, date], Iterator[AlertSubject]]
_WRITTEN = (Language.EN.exact, Language.VI.exact)
_PARK = ""
"""In place of a tenant: the park's own meters."""


def had_by(park: Park, meter: Meter, day: date) -> Belonging | None:
    """Who has a metering point when a day ends; None where it does not exist on that day."""
    span = Span(midnight_ms(day, park.zone), midnight_ms(day + timedelta(days=1), park.zone))
    return next(reversed(meter.belongings_in(span)), None)


def _by_silence(park: Park, gateway: Gateway, day: date) -> dict[int, list[str]]:
    """Meters of a gateway by how long they may be silent, shortest first."""
    groups: dict[int, list[str]] = defaultdict(list)
    for meter in park.meters_of(gateway.id):
        had = had_by(park, meter, day)
        if had is not None:
            groups[park.silent_after_s(meter, had.tenant, day)].append(meter.id)
    return dict(sorted(groups.items()))


def meters_of_gateways(park: Park, day: date) -> Iterator[AlertSubject]:
    """One rule for the meters of a gateway with the same permitted silence; `others` are all meters of the gateway."""
    for gateway in park.gateways:
        groups = _by_silence(park, gateway, day)
        every = [name for ids in groups.values() for name in ids]
        for seconds, ids in groups.items():
            values = {
                "gateway": gateway.id,
                "seconds": str(seconds),
                "meters": one_of("meter", ids),
                "others": one_of("meter", every),
                "others_s": str(min(groups)),
            }
            yield AlertSubject(values, allowed=Allowed(high=seconds))


def gateways(park: Park, day: date) -> Iterator[AlertSubject]:
    """One rule for each gateway that has meters; it is silent when the meter that is heard most often is."""
    for gateway in park.gateways:
        groups = _by_silence(park, gateway, day)
        if groups:
            every = [name for ids in groups.values() for name in ids]
            values = {"gateway": gateway.id, "others": one_of("meter", every), "count": str(len(every))}
            yield AlertSubject(values, allowed=Allowed(high=min(groups)))


def clocks(park: Park, day: date) -> Iterator[AlertSubject]:
    """One rule for each gateway that has meters.

    A reading may be as late as one interval of the fastest meter.
    """
    for gateway in park.gateways:
        read = [meter.interval_s for meter in park.meters_of(gateway.id) if had_by(park, meter, day) is not None]
        if read:
            off = park.park.clock_off_s
            yield AlertSubject({"gateway": gateway.id}, allowed=Allowed(-off, off + min(read)))


def sharing(
    pick: Callable[[Park, Thresholds], float | None], allowed: Callable[[float], Allowed], *, own: bool = False
) -> SubjectFinder:
    """One rule for the tenants that share a threshold, the `limit`; `own`: also for the park's own meters."""

    def found(park: Park, day: date) -> Iterator[AlertSubject]:
        groups: dict[float, list[str]] = defaultdict(list)
        for tenant in park.tenants:
            threshold = pick(park, park.thresholds_of(tenant.id, day))
            if threshold is not None:
                groups[threshold].append(tenant.id)
        of_park = pick(park, park.park.thresholds) if own else None
        if of_park is not None:
            groups[of_park].append(_PARK)
        for limit, tenants in sorted(groups.items()):
            yield AlertSubject({"limit": limit, "tenants": one_of("tenant", tenants)}, allowed=allowed(limit))

    return found


def at_levels(finder: SubjectFinder, levels: dict[int, Severity]) -> SubjectFinder:
    """Each subject once for each `percent` of its limit."""

    def found(park: Park, day: date) -> Iterator[AlertSubject]:
        for subject in finder(park, day):
            for percent, severity in levels.items():
                yield at_percent(subject, percent, severity)

    return found


def at_percent(subject: AlertSubject, percent: int, severity: Severity) -> AlertSubject:
    """The subject at a `percent` of its limit."""
    values = {**subject.values, "percent": str(percent)}
    return AlertSubject(values, subject.tenant, Allowed(high=percent), severity)


def waiting_to_close(park: Park, _: date) -> Iterator[AlertSubject]:
    """One rule for the park: after how many days an open month is reported."""
    days = park.park.thresholds.unclosed_days
    yield AlertSubject({"limit": str(days)}, allowed=Allowed(high=days))


def intake_contracts(park: Park, day: date) -> Iterator[AlertSubject]:
    """The park's own contract demand, where it has one and main meters of electricity without one above."""
    contract = at(park.park.contract.demand_kw, day)
    had = {meter.id: had_by(park, meter, day) for meter in park.meters if meter.utility is Utility.ELECTRICITY}
    mains = [
        meter
        for meter, owned in had.items()
        if owned is not None and owned.role is Role.MAIN and owned.tenant is None and owned.parent is None
    ]
    if contract is not None and contract.value > 0 and mains:
        yield AlertSubject({"limit": contract.value, "mains": one_of("meter", mains)})


def demand_contracts(park: Park, day: date) -> Iterator[AlertSubject]:
    """Tenants with a contract demand: at 80 %, at their own warning level, and at 100 %."""
    for tenant in park.tenants:
        contract = at(tenant.contract.demand_kw, day)
        if contract is not None and contract.value > 0:
            warning = round(park.thresholds_of(tenant.id, day).demand_warning_ratio * 100)
            levels = {80: Severity.INFO, warning: Severity.WARNING, 100: Severity.CRITICAL}
            less = _less_a_count(park, tenant.id, contract.value, day)
            subject = _contract(tenant, contract.value, less)
            for percent, severity in sorted(levels.items()):
                yield at_percent(subject, percent, severity)


def wastewater_contracts(park: Park, day: date) -> Iterator[AlertSubject]:
    """Tenants whose contract limits their daily discharge."""
    for tenant in park.tenants:
        contract = at(tenant.contract.wastewater_m3_per_day, day)
        if contract is not None and contract.value > 0:
            yield _contract(tenant, contract.value)


def _contract(tenant: Tenant, limit: float, less: str = "") -> AlertSubject:
    values: dict[str, SubjectValue] = {"tenant": tenant.id, "name": short(tenant.name), "limit": limit, "less": less}
    return AlertSubject(values, tenant.id)


def _less_a_count(park: Park, tenant: str, contract: float, day: date) -> str:
    """What one count of the tenant's coarsest meter can add to a half hour, in percent of the contract.

    A counter with large steps shows in one half hour what passed in the one before: an alert needs what was certainly
    reached. Empty where a count is under 1 %.
    """
    counts = [
        register.resolution * abs(instrument.factor(meter.counter))
        for meter in park.meters
        if meter.utility is Utility.ELECTRICITY and (had := had_by(park, meter, day)) and had.tenant == tenant
        for instrument in meter.instruments_in(had.span)
        if (register := instrument.registers.get(meter.counter)) is not None
    ]
    percent = 2 * max(counts, default=0.0) / contract * 100
    return f" - {percent:.2f}" if percent >= 1 else ""


def outfalls(park: Park, day: date) -> Iterator[AlertSubject]:
    """Metering points with permitted limits: one rule for each instrument that may fail to measure."""
    for meter in park.meters:
        had = had_by(park, meter, day)
        if had is not None and meter.limits:
            yield AlertSubject({"meter": meter.id, "name": meter.name}, had.tenant)


def permits(quantity: str) -> SubjectFinder:
    """Metering points where a quantity has a permitted range."""

    def found(park: Park, day: date) -> Iterator[AlertSubject]:
        for meter in park.meters:
            had, limit = had_by(park, meter, day), at(meter.limits.get(quantity, ()), day)
            if had is not None and limit is not None:
                sides = [side for side in (limit.low, limit.high) if side is not None]
                english, viet = (" - ".join(write(side) for side in sides) for write in _WRITTEN)
                unit = UTILITIES[meter.utility].quantities[quantity].unit
                values: dict[str, SubjectValue] = {
                    "meter": meter.id,
                    "name": meter.name,
                    "unit": "" if quantity == "ph" else f" {unit}",
                    "permitted": text(english, viet),
                }
                yield AlertSubject(values, had.tenant, Allowed(limit.low, limit.high))

    return found


def main_meters(park: Park, day: date) -> Iterator[AlertSubject]:
    """One rule for the park's own main meters, and one for each tenant that has some: who is notified differs."""
    mains: dict[str | None, list[str]] = defaultdict(list)
    for name in sorted(park.parents):
        had = had_by(park, park.meter[name], day)
        if had is not None and had.role is Role.MAIN:
            mains[had.tenant].append(name)
    for tenant, names in mains.items():
        yield AlertSubject({"mains": one_of("main", names), "tenant": tenant or ""}, tenant)


def solar_plants(park: Park, day: date) -> Iterator[AlertSubject]:
    """Solar plants that can be compared with others of the park; `others` are those, with their rating."""
    had = [(meter, had_by(park, meter, day)) for meter in park.meters]
    plants = {meter.id: owned for meter, owned in had if owned is not None and owned.role is Role.GENERATION}
    for name, owned in plants.items():
        others: Sequence[Meter] = [park.meter[other] for other in plants if other != name]
        if others:
            meter, ratio = park.meter[name], park.thresholds_of(owned.tenant, day).solar_ratio
            values: dict[str, SubjectValue] = {
                "meter": name,
                "name": meter.name,
                "rated": meter.rated,
                "limit": ratio,
                "others": one_of("meter", (other.id for other in others)),
                "others_rated": sum(other.rated for other in others),
            }
            yield AlertSubject(values, allowed=Allowed(low=ratio))

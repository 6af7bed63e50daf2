"""The sources of a baseline's use and drivers: names looked up in a park, and their amounts on a day.

A driver is `output` (what the tenant's lines make), a utility (what the tenant uses of it), the id of any meter of the
park, such as that of one product, `shift_hours`, or one of the weather: `temperature`, `cdd:24`, `hdd:18`. The amount
of a tenant is the figure that the tenant is shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.baseline.model import MAX_DRIVERS, Baseline, Subject
from efficiency.baseline.weather import NO_WEATHER, TEMPERATURE, WeatherSeries, is_weather, unit_of_weather
from efficiency.indicators.electricity import electricity_of
from efficiency.indicators.figure import Figure, absent, figure, total
from efficiency.indicators.series import Portion, together
from efficiency.indicators.tenant import TenantHours, fence_meters, generating, output_of, tenant_hours
from efficiency.stored.days import DayHours
from efficiency.usage.intervals import EVER
from efficiency.valuation.localtime import period_span
from efficiency.valuation.valued import ValueReason
from metering.calendar import MINUTES_PER_DAY
from metering.dated import value_on
from metering.errors import OperatorError
from metering.figures import Period
from metering.meters import Meter
from metering.park import Park
from metering.quantities import UTILITIES, Utility

OUTPUT = "output"
"""The default driver."""
SHIFT_HOURS = "shift_hours"
"""Hours of the day in which the tenant works, by its shifts and the park's holidays."""

WHOLE = 0.999
"""A day with less of its data would look like a saving: it has no expected use, and fits exclude it."""


@dataclass(frozen=True, slots=True)
class BaselineSource:
    """An amount per day in `unit`: of a tenant's `utility`, or, without one, what the one meter measured.

    Without meters it is of the `weather`, or of the tenant's shifts.
    """

    name: str
    unit: str
    meters: tuple[Meter, ...]
    utility: Utility | None = None
    weather: WeatherSeries = NO_WEATHER


@dataclass(frozen=True, slots=True)
class Sources:
    """What explains a subject's use; `tenant` is whose figures are meant, None for the park's own meters."""

    tenant: str | None
    use: BaselineSource
    drivers: tuple[BaselineSource, ...]

    @property
    def meters(self) -> tuple[str, ...]:
        """Ids of all meters that are needed."""
        return tuple(sorted({meter.id for source in (self.use, *self.drivers) for meter in source.meters}))


@dataclass(frozen=True, slots=True)
class DayAmounts:
    """Use and drivers on one local day."""

    day: date
    use: Figure
    drivers: tuple[Figure, ...]

    @property
    def whole(self) -> bool:
        """Whether everything is known for the whole day."""
        return all(one.value is not None and one.completeness >= WHOLE for one in (self.use, *self.drivers))


def sources_of(
    park: Park, subject: Subject, drivers: Sequence[str], last: date, weather: WeatherSeries = NO_WEATHER
) -> Sources:
    """Look the names up in a park; a meter counts for whoever has it when the day `last` ends.

    Raises `OperatorError`, listing what there is, where one is unknown.
    """
    if subject.meter is None:
        tenant = subject.tenant
        if tenant not in park.tenant:
            raise OperatorError(f"{park.id} has no tenant {tenant}; it has {_listed(park.tenant)}")
        use = _of_tenant(park, tenant, subject.utility.value)
    else:
        meter = park.meter.get(subject.meter)
        if meter is None:
            raise OperatorError(f"{park.id} has no meter {subject.meter}; see ecopark check")
        if meter.utility is not subject.utility:
            raise OperatorError(f"meter {meter.id} measures {meter.utility.value}, not {subject.utility.value}")
        had = meter.belongings_in(period_span(park, Period.DAY, last))
        if not had:
            raise OperatorError(f"meter {meter.id} was not there on {last}; choose days on which it was")
        tenant, use = had[-1].tenant, BaselineSource(meter.id, meter.unit, (meter,))
    found = tuple(_driver(park, tenant, name, weather) for name in drivers)
    if not found or len({source.name for source in found}) < len(found):
        raise OperatorError("a baseline needs drivers, each named once")
    if len(found) > MAX_DRIVERS:
        raise OperatorError(f"{len(found)} drivers are too many: name the {MAX_DRIVERS} that explain the most")
    if any(source.name == use.name for source in found):
        raise OperatorError(f"{use.name} cannot be explained by itself; name another driver")
    return Sources(tenant, use, found)


def sources_of_baseline(park: Park, baseline: Baseline, weather: WeatherSeries = NO_WEATHER) -> Sources:
    """Sources of a frozen baseline.

    Raises `OperatorError` where the park no longer has these names, or counts them in other units.
    """
    drivers = [driver.name for driver in baseline.fit.drivers]
    found = sources_of(park, baseline.subject, drivers, baseline.period_to, weather)
    frozen = (baseline.unit, *(driver.unit for driver in baseline.fit.drivers))
    for source, unit in zip((found.use, *found.drivers), frozen, strict=True):
        if source.unit != unit:
            raise OperatorError(f"{source.name} is counted in {source.unit} now, in {unit} when it was frozen")
    return found


def _driver(park: Park, tenant: str | None, name: str, weather: WeatherSeries) -> BaselineSource:
    if is_weather(name):
        if not weather.days:
            raise OperatorError(f"{name}: no weather is known of {park.id}; see ecopark weather import --help")
        return BaselineSource(name, unit_of_weather(name), (), weather=weather)
    if name == SHIFT_HOURS:
        if tenant is None or not park.tenant[tenant].shifts:
            raise OperatorError(f"{name}: {tenant or 'the park itself'} has no shifts in the park file")
        return BaselineSource(name, "h", ())
    if name in {OUTPUT, *(utility.value for utility in Utility)}:
        if tenant is None:
            raise OperatorError(f"{name}: the meter belongs to no tenant; name meters as drivers")
        return _of_tenant(park, tenant, name)
    if name not in park.meter:
        known = ", ".join((OUTPUT, *(utility.value for utility in Utility if utility is not Utility.PRODUCTION)))
        raise OperatorError(
            f"{park.id} knows no driver {name}; name {known}, {SHIFT_HOURS}, {TEMPERATURE}, degree days such as cdd:24 "
            "or hdd:18, or the id of a meter"
        )
    return BaselineSource(name, park.meter[name].unit, (park.meter[name],))


def _of_tenant(park: Park, tenant: str, name: str) -> BaselineSource:
    utility = Utility.PRODUCTION if name == OUTPUT else Utility(name)
    meters = fence_meters(park, tenant, utility, EVER)
    if not meters:
        raise OperatorError(f"tenant {tenant} has no meter of {utility.value}; it has {_utilities(park, tenant)}")
    if utility is not Utility.PRODUCTION:
        own = generating(park, tenant, EVER) if utility is Utility.ELECTRICITY else ()
        return BaselineSource(name, UTILITIES[utility].unit, (*meters, *own), utility)
    units = {meter.unit for meter in meters}
    if len(units) > 1:
        raise OperatorError(
            f"tenant {tenant} makes things counted in {_listed(units)}, which have no sum; name the meters as drivers: "
            + _listed(meter.id for meter in meters)
        )
    return BaselineSource(OUTPUT, units.pop(), meters, utility)


def day_amounts(park: Park, sources: Sources, of_day: DayHours) -> DayAmounts:
    """Amounts of a day.

    A meter counts for nobody on a day on which somebody else has it, even for a part of the day.
    """
    day, span, by_meter = of_day.day, of_day.hours.span, of_day.hours.meters
    hours = tenant_hours(park, sources.tenant, by_meter, span) if sources.tenant is not None else None

    def amount(source: BaselineSource) -> Figure:
        if not source.meters:
            return _of_the_day(park, sources.tenant, source, day)
        if source.utility is not None:
            return _of_hours(hours, source.utility) if hours is not None else absent(source.unit, ValueReason.NO_DATA)
        one = by_meter.get(source.meters[0].id)
        series = together([Portion.whole(one)] if one is not None else [])
        return series.figure(source.unit) if series is not None else absent(source.unit, ValueReason.NO_DATA)

    use = amount(sources.use)
    if sources.use.utility is None:
        (meter,) = sources.use.meters
        if any(belonging.tenant != sources.tenant for belonging in meter.belongings_in(span)):
            use = absent(sources.use.unit, ValueReason.NO_DATA)
    return DayAmounts(day, use, tuple(map(amount, sources.drivers)))


def _of_the_day(park: Park, tenant: str | None, source: BaselineSource, day: date) -> Figure:
    """Amounts that no meter measures: the weather, and the hours of the shifts."""
    if source.name != SHIFT_HOURS:
        return figure(source.weather.driver(source.name, day), source.unit)
    windows = value_on(park.tenant[tenant].shifts, day) if tenant is not None else None
    if windows is None:
        return absent(source.unit, ValueReason.NO_DATA)
    minutes = range(0, MINUTES_PER_DAY, _QUARTER_MIN)
    worked = sum(park.calendar.covers(windows, day, minute) for minute in minutes)
    return figure(worked * _QUARTER_MIN / 60, source.unit)


_QUARTER_MIN = 15


def _of_hours(hours: TenantHours, utility: Utility) -> Figure:
    """The tenant's figure for a utility: electricity including own solar, and output."""
    unit = UTILITIES[utility].unit
    if utility is Utility.PRODUCTION:
        return output_of(hours).figure
    if utility is Utility.ELECTRICITY:
        found = electricity_of(hours.use.get(utility, ()), hours.generated, hours.exported)
        if found is None:
            return absent(unit, ValueReason.NO_DATA)
        bought = found.taken.figure(unit)
        return total([bought, found.solar], unit) if hours.generated else bought
    series = hours.of(utility)
    return series.figure(unit) if series is not None else absent(unit, ValueReason.NO_DATA)


def _utilities(park: Park, tenant: str) -> str:
    return _listed({tenure.meter.utility.value for tenure in park.points_of_tenant(tenant)}) or "none"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))

"""One line of a report: a figure of a tenant or park with the figure of the period before, its unit and its worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.reports.periods import ReportPeriod
from efficiency.reports.reading import DayUse, Fields, MeterDays
from efficiency.reports.reasons import inputs, output_unit, why_absent
from efficiency.reports.sums import YEARLY, Worth, indicative, worth, year_fields
from metering.figures import FIGURES
from metering.figures import Figure as Spec
from metering.meters import Meter
from metering.model import Localized
from metering.park import Park, Tenant


@dataclass(frozen=True, slots=True)
class Entry:
    """`now` is the figure of the period, `before` that of the period before; `formula` as in `metering.figures`."""

    name: str
    label: Localized
    formula: str
    better: int
    now: Figure
    before: Figure
    revised: date | None = None

    @property
    def change(self) -> float | None:
        """Now over before, minus one; only where both come from enough data, so that like is compared with like.

        Savings have either sign: nothing is said of how they change.
        """
        if (
            self.name in _SIGNED
            or self.now.value is None
            or not self.before.value
            or indicative(self.now)
            or indicative(self.before)
        ):
            return None
        return self.now.value / self.before.value - 1


_SIGNED = frozenset({"saving_kwh", "cusum_kwh"})


def tenant_entries(
    park: Park,
    tenant: Tenant,
    period: ReportPeriod,
    months: Mapping[date, Fields],
    use: MeterDays,
) -> dict[str, Entry]:
    """All figures of a tenant by name; `months` holds those of the period and of the one before."""
    now, before = (_fields(months, each) for each in (period, period.before))
    unit = output_unit(park, tenant.id)
    past = Worth(_completeness(months, period.before), 0.0, None)
    found = {}
    for spec in FIGURES.values():
        if spec.name in {"completeness", "estimated"} or (period.month is None and spec.name not in YEARLY):
            continue
        quality = _worth(park, tenant, spec, period, now, use)
        found[spec.name] = Entry(
            spec.name,
            spec.label,
            spec.formula,
            spec.better,
            _figure(park, tenant, spec, period, now, quality, unit),
            _figure(park, tenant, spec, period.before, before, past, unit),
            quality.revised,
        )
    return found


def months_of(months: Mapping[date, Fields], period: ReportPeriod) -> dict[date, Fields]:
    """Those months that lie in a period."""
    return {day: fields for day, fields in months.items() if period.first <= day < period.until}


def _fields(months: Mapping[date, Fields], period: ReportPeriod) -> Fields:
    inside = months_of(months, period)
    return year_fields(inside) if period.month is None else inside.get(period.first, {})


def _completeness(months: Mapping[date, Fields], period: ReportPeriod) -> float:
    """Of a period, from that of its months; a month that is not stored counts as missing."""
    days = {month: len(ReportPeriod(month.year, month.month).days) for month in period.months}
    return sum(months.get(month, {}).get("completeness", 0.0) * size for month, size in days.items()) / sum(
        days.values()
    )


def _figure(
    park: Park, tenant: Tenant, spec: Spec, period: ReportPeriod, fields: Fields, quality: Worth, output: str | None
) -> Figure:
    unit = spec.unit.format(output=output or "")
    if spec.name in fields:
        return figure(fields[spec.name], unit, quality.completeness, quality.estimated)
    reason = why_absent(park, tenant, spec.name, fields, period.first)
    return absent(unit if output or "{output}" not in spec.unit else "", reason, quality.completeness)


def _worth(park: Park, tenant: Tenant, spec: Spec, period: ReportPeriod, fields: Fields, use: MeterDays) -> Worth:
    """That of the utility with the least data, as a ratio is as complete as the worse of its two sums."""
    meters = inputs(park, tenant.id, spec.name)
    by_utility: dict[str, list[Mapping[date, DayUse]]] = {}
    for meter in meters:
        by_utility.setdefault(meter.utility.value, []).append(use.get(meter.id, {}))
    if not any(days for group in by_utility.values() for days in group):
        return Worth(fields.get("completeness", 0.0), fields.get("estimated", 0.0), None)
    groups = [worth(group, period.days) for group in by_utility.values()]
    return Worth(
        min(each.completeness for each in groups),
        max(each.estimated for each in groups),
        max((each.revised for each in groups if each.revised is not None), default=None),
    )


def by_column(period: ReportPeriod, by_day: Mapping[date, float]) -> tuple[float | None, ...]:
    """Sums per day of a month, or per month of a year; None where no day is known."""
    if period.month is not None:
        return tuple(by_day.get(day) for day in period.days)
    sums: dict[date, float] = {}
    for day, value in by_day.items():
        first = day.replace(day=1)
        sums[first] = sums.get(first, 0.0) + value
    return tuple(sums.get(month) for month in period.months)


def amounts(use: MeterDays, meters: Sequence[Meter], band: str | None = None) -> dict[date, float]:
    """What several meters measured together by day, over all bands or in one."""
    found: dict[date, float] = {}
    for meter in meters:
        for day, one in use.get(meter.id, {}).items():
            value = one.whole if band is None else one.amount.get(band)
            if value is not None:
                found[day] = found.get(day, 0.0) + value
    return found


def costs(use: MeterDays, meters: Sequence[Meter]) -> dict[str, float]:
    """Cost by band over a period, VND; nothing as soon as one day's use has no price: the rest would be too little."""
    found: dict[str, float] = {}
    for meter in meters:
        for one in use.get(meter.id, {}).values():
            if set(one.amount) - set(one.cost_vnd):
                return {}
            for band, value in one.cost_vnd.items():
                found[band] = found.get(band, 0.0) + value
    return found


def completeness(period: ReportPeriod, days: Mapping[date, DayUse]) -> tuple[float, ...]:
    """Of one meter, per day of a month or per month of a year."""
    if period.month is not None:
        return tuple(days[day].completeness if day in days else 0.0 for day in period.days)
    months = (ReportPeriod(month.year, month.month) for month in period.months)
    return tuple(worth([days], month.days).completeness for month in months)

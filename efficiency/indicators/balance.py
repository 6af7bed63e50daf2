"""F14: what came into a network, who took it, and what was lost: for each main meter, and for the park's edge.

The park's edge is all main meters that have none above. There, the intake equals what the tenants took, what the park
used itself, and what was lost: four numbers that add up, over the quarter hours in which every meter is complete, so
that like is compared with like.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.indicators.series import Portion, UseSeries, together
from efficiency.indicators.tenant import EXPORT, counts
from efficiency.usage.intervals import QUARTER_MS, Bools, Floats, Span, Times, quarters_in, starts_in
from efficiency.usage.quarterhours import QuarterHours
from efficiency.usage.rhythm import estimated_in_sums
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.figures import INDICATIVE_BELOW
from metering.meters import Belonging, Meter, Role
from metering.park import Park
from metering.quantities import Utility

INCOMING, TENANTS, OWN, LOSS, BAND = "incoming", "tenants", "own", "loss", "band"
SUBMETERS, LOSS_SHARE = "submeters", "loss_share"

BALANCE_FIGURES = (INCOMING, TENANTS, OWN, SUBMETERS, LOSS, BAND, LOSS_SHARE)
"""Figures of a balance: `submeters` is `tenants` and `own` together; all in the main meter's unit but the share."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A register in a balance, for as long as it belongs to it. `into`: brings something in; `tenant`: who takes it."""

    meter: Meter
    register: str
    span: Span
    into: bool = False
    tenant: str | None = None


def taps(park: Park, main: str, span: Span) -> tuple[Tap, ...]:
    """The other registers in the balance of a main meter within a span.

    Those of its own sub-meters, where generation and export of sub-meters bring something in, and its own export, which
    takes some out; empty where there is no sub-meter that uses anything.
    """
    found: list[Tap] = []
    for tenure in park.children(main, span):
        found += _taps_of(tenure.meter, tenure.belonging, span)
    if all(tap.into for tap in found):
        return ()
    above = park.meter[main]
    if counts(above, EXPORT):
        found.append(Tap(above, EXPORT, span))
    return tuple(found)


def _taps_of(meter: Meter, belonging: Belonging, span: Span) -> Iterator[Tap]:
    own = belonging.span.within(span)
    yield Tap(meter, meter.counter, own, belonging.role is Role.GENERATION, belonging.tenant)
    if belonging.role is not Role.GENERATION and counts(meter, EXPORT):
        yield Tap(meter, EXPORT, own, into=True, tenant=belonging.tenant)


def edge_mains(park: Park, utility: Utility, span: Span) -> tuple[Tap, ...]:
    """The park's own main meters without one above, and their exports."""
    found: list[Tap] = []
    for tenure in park.points_of_tenant(None):
        meter, belonging = tenure.meter, tenure.belonging
        main = belonging.role is Role.MAIN and belonging.parent is None
        if main and meter.utility is utility and belonging.span.overlaps(span):
            own = belonging.span.within(span)
            found.append(Tap(meter, meter.counter, own, into=True))
            if counts(meter, EXPORT):
                found.append(Tap(meter, EXPORT, own))
    return tuple(found)


def edge_taps(park: Park, utility: Utility, span: Span) -> tuple[Tap, ...]:
    """What is below the park's edge within a span: tenants' uppermost meters, own use, generation below the edge.

    A main meter further in only measures again what others below it measure: those are used instead.
    """
    found: list[Tap] = []
    seen: set[str] = set()
    through = [tap.meter.id for tap in edge_mains(park, utility, span) if tap.into]
    while through:
        main = through.pop()
        if main in seen:
            continue
        seen.add(main)
        for tenure in park.children(main, span):
            if tenure.belonging.role is Role.MAIN and tenure.belonging.tenant is None and _below(park, tenure.meter.id):
                through.append(tenure.meter.id)
            else:
                found += _taps_of(tenure.meter, tenure.belonging, span)
    return tuple(found)


def _below(park: Park, meter: str) -> bool:
    return meter in park.parents


def main_balance(park: Park, main: Meter, by_meter: Mapping[str, QuarterHours], span: Span) -> dict[str, Figure]:
    """F14 of one main meter over exactly the span of `by_meter`; empty where it was not there then."""
    clipped = [belonging.span.within(span) for belonging in main.belongings_in(span) if belonging.role is Role.MAIN]
    if not clipped:
        return {}
    mains = [Tap(main, main.counter, each, into=True) for each in clipped]
    return _balance(mains, taps(park, main.id, span), by_meter, span)


def park_balance(park: Park, utility: Utility, by_meter: Mapping[str, QuarterHours], span: Span) -> dict[str, Figure]:
    """The four numbers of the park's edge of one utility; empty where it has no main meter of it."""
    mains = edge_mains(park, utility, span)
    return _balance(mains, edge_taps(park, utility, span), by_meter, span) if mains else {}


def park_meters(park: Park, utility: Utility, span: Span) -> set[str]:
    """The meters that `park_balance` needs."""
    return {tap.meter.id for tap in (*edge_mains(park, utility, span), *edge_taps(park, utility, span))}


def _balance(
    mains: Sequence[Tap], others: Sequence[Tap], by_meter: Mapping[str, QuarterHours], span: Span
) -> dict[str, Figure]:
    unit = mains[0].meter.unit
    every = [*mains, *others]
    if any(tap.meter.id not in by_meter for tap in every):
        return _without(unit, ValueReason.NO_DATA, 0.0)
    if not any(not tap.into for tap in others):
        return _without(unit, ValueReason.NO_SUBMETERS, 0.0)
    start = quarters_in(span)
    portions = [_portion(tap, by_meter[tap.meter.id], start) for tap in every]
    parts = [together([portion]) for portion in portions]
    known = [part for part in parts if part is not None]
    expected = np.logical_or.reduce([part.expected for part in known])
    whole = expected & np.logical_and.reduce([part.whole | ~part.expected for part in known])
    completeness = float(whole.sum() / expected.sum()) if expected.any() else 0.0
    if completeness < INDICATIVE_BELOW:
        return _without(unit, ValueReason.INCOMPLETE if expected.any() else ValueReason.NO_DATA, completeness)
    return _sums(every, known, whole, start, completeness)


def _portion(tap: Tap, hours: QuarterHours, start: Times) -> Portion:
    estimated = estimated_in_sums(hours, tap.meter.interval_s * 1000, len(start) * QUARTER_MS)
    portion = Portion(replace(hours, estimated=estimated), starts_in(start, tap.span))
    return portion if tap.register == tap.meter.counter else portion.column(tap.register)


def _sums(
    taps_: Sequence[Tap], parts: Sequence[UseSeries], whole: Bools, start: Times, completeness: float
) -> dict[str, Figure]:
    unit = taps_[0].meter.unit
    estimated = max(float(part.estimated[whole].mean()) for part in parts)
    sums = {INCOMING: 0.0, TENANTS: 0.0, OWN: 0.0}
    variance = 0.0
    for tap, part in zip(taps_, parts, strict=True):
        counted = whole & part.expected
        side = INCOMING if tap.into else OWN if tap.tenant is None else TENANTS
        sums[side] += float(part.amount[counted].sum())
        variance += sum(error**2 for error in class_errors(tap.meter, start[counted], part.amount[counted]))
    out = sums[TENANTS] + sums[OWN]
    loss = sums[INCOMING] - out

    def of(value: float, of_unit: str = unit, over: float | None = None) -> Figure:
        return figure(value, of_unit, completeness, estimated, over=over)

    band = float(np.sqrt(variance))
    noise = ValueReason.NOT_SIGNIFICANT if abs(loss) <= band else NOTHING
    share = absent("1", ValueReason.ZERO_DENOMINATOR, completeness)
    if sums[INCOMING]:
        share = of(loss / sums[INCOMING], "1", sums[INCOMING]).noting(noise)
    return {
        **{name: of(value) for name, value in sums.items()},
        SUBMETERS: of(out),
        LOSS: of(loss).noting(noise),
        BAND: of(band),
        LOSS_SHARE: share,
    }


def class_errors(meter: Meter, start: Times, amount: Floats) -> list[float]:
    """The possible error of its sum from the class of each device that measured: one device's errors have one sign.

    A quarter hour belongs to the device that measured at its start, or the first one where none did.
    """
    since = np.array([each.span.start for each in meter.instruments[1:]], dtype=np.int64)
    place = np.searchsorted(since, start, side="right")
    errors: list[float] = []
    for number, instrument in enumerate(meter.instruments):
        error = instrument.accuracy_pct / 100 * float(amount[place == number].sum())
        if errors and instrument.continues:
            errors[-1] += error
        else:
            errors.append(error)
    return errors


def _without(unit: str, reasons: ValueReason, completeness: float) -> dict[str, Figure]:
    names = dict.fromkeys(BALANCE_FIGURES, absent(unit, reasons, completeness))
    return {**names, LOSS_SHARE: absent("1", reasons, completeness)}


def balance_of_days(
    days: Mapping[date, Mapping[str, Figure]], lengths: Mapping[date, float], running: date | None = None
) -> dict[str, Figure]:
    """A balance of a longer period from those of its days: sums over the days on which it could be computed.

    `lengths`: for how long of each day up to now there was a main meter; of the day that is `running` much may still
    be on its way. Errors of a meter's class have the same sign every day, so the error bands add up; that is at most a
    little too wide.
    """
    due = {day: length for day, length in lengths.items() if length > 0}
    computed = {day: days[day] for day in due if LOSS in days.get(day, {}) and days[day][LOSS].value is not None}
    known = next((each for each in days.values() if LOSS in each), None)
    unit = known[LOSS].unit if known is not None else ""
    completeness = complete_over({day: each[LOSS] for day, each in computed.items()}, due)
    if not computed:
        reasons = NOTHING
        for each in days.values():
            reasons |= each[LOSS].reasons if LOSS in each else NOTHING
        return _without(unit, (reasons & ~ValueReason.INDICATIVE) or ValueReason.NO_DATA, completeness)
    sums = {
        name: sum(each[name].value or 0.0 for each in computed.values())
        for name in (INCOMING, TENANTS, OWN, SUBMETERS, LOSS, BAND)
    }
    estimated = max(each[LOSS].estimated for each in computed.values())
    noise = ValueReason.NOT_SIGNIFICANT if abs(sums[LOSS]) <= sums[BAND] else NOTHING
    partly = ValueReason.PARTLY if due.keys() - computed.keys() - {running} else NOTHING
    found = {name: figure(value, unit, completeness, estimated, partly) for name, value in sums.items()}
    found[LOSS] = found[LOSS].noting(noise)
    share = absent("1", ValueReason.ZERO_DENOMINATOR, completeness)
    if sums[INCOMING]:
        share = figure(sums[LOSS] / sums[INCOMING], "1", completeness, estimated, partly, over=sums[INCOMING])
    return {**found, LOSS_SHARE: share.noting(noise) if share.value is not None else share}


def complete_over(known: Mapping[date, Figure], due: Mapping[date, float]) -> float:
    """Completeness of a sum over the days `known`, of those that are `due`, each with its length."""
    size = sum(due.values())
    return sum(each.completeness * due[day] for day, each in known.items()) / size if size else 0.0

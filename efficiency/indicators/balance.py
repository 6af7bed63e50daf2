"""F14 and F15: what got lost between a main meter and those below it, and water that runs when nobody works."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from efficiency.indicators.figure import INDICATIVE_UNDER, Figure, absent, figure
from efficiency.indicators.series import Series
from efficiency.usage.intervals import Bools
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, week_minutes
from efficiency.valuation.valued import NOTHING, Reason
from metering.calendar import MINUTES_PER_DAY, Window
from metering.meters import Meter, Role
from metering.model import Model
from metering.park import Park


@dataclass(frozen=True, slots=True)
class Flow:
    """One meter of a balance. `into`: whether it brings something into the network below the main meter."""

    use: QuarterHours
    accuracy_pct: float
    into: bool = False


@dataclass(frozen=True, slots=True)
class Tap:
    """A register that belongs into the balance of a main meter."""

    meter: Meter
    register: str
    into: bool = False


EXPORT = "energy_export_kwh"


def taps(park: Park, main: str) -> tuple[Tap, ...]:
    """What belongs into the balance of a main meter, besides the main meter itself.

    Its own sub-meters, with generation and export of sub-meters bringing something in, and its own export taking some
    out; nothing where there is no sub-meter that uses anything.
    """
    found: list[Tap] = []
    for meter in (tenure.meter for tenure in park.children(main)):
        found.append(Tap(meter, meter.counter, into=meter.role is Role.GENERATION))
        if EXPORT in meter.registers and meter.role is not Role.GENERATION:
            found.append(Tap(meter, EXPORT, into=True))
    if all(tap.into for tap in found):
        return ()
    above = park.meter[main]
    if EXPORT in above.registers:
        found.append(Tap(above, EXPORT))
    return tuple(found)


def balance_meters(park: Park) -> set[str]:
    """Every meter that is in a balance."""
    mains = [meter.id for meter in park.meters if meter.role is Role.MAIN]
    return {*mains, *(tap.meter.id for main in mains for tap in taps(park, main))}


class Balance(Model):
    """F14 for one main meter and period: `loss` = what came in - what is accounted for; `band` = its error band.

    `loss_share` is the loss over what came in. `noise` says that the loss lies inside the band, None without a loss.
    """

    main: Figure
    submeters: Figure
    loss: Figure
    band: Figure
    loss_share: Figure
    noise: bool | None


def balance(main: Flow, others: Sequence[Flow], unit: str, where: Bools | None = None) -> Balance:
    """Main meter against the others of its network.

    What comes in: the main meter, generation below it, export of a sub-meter back into the network. What goes out:
    sub-meters, known own use, export through the main meter. An interval counts where every meter is complete: the
    sums compare like with like; with less than 95 % of them left the balance is not computable. `where` picks
    intervals, such as the nights.
    """
    flows = [main, *others]
    chosen = np.ones(len(main.use), dtype=np.bool_) if where is None else where
    whole = reduce(np.logical_and, (flow.use.completeness == 1 for flow in flows)) & chosen
    completeness = float(whole.sum() / chosen.sum()) if chosen.any() else 0.0
    estimated = max(float(flow.use.estimated[whole].mean()) for flow in flows) if whole.any() else 0.0
    reasons = NOTHING if any(not flow.into for flow in others) else Reason.NO_SUBMETERS
    if completeness < INDICATIVE_UNDER:
        reasons |= Reason.INCOMPLETE if chosen.any() else Reason.NO_DATA
    if reasons:
        none = absent(unit, reasons, completeness)
        share = absent("", reasons, completeness)
        return Balance(main=none, submeters=none, loss=none, band=none, loss_share=share, noise=None)
    sums = [float(flow.use.amount[whole].sum()) for flow in flows]
    incoming = sums[0] + sum(amount for flow, amount in zip(others, sums[1:], strict=True) if flow.into)
    outgoing = sum(amount for flow, amount in zip(others, sums[1:], strict=True) if not flow.into)
    loss = incoming - outgoing
    band = float(np.sqrt(sum((flow.accuracy_pct / 100 * s) ** 2 for flow, s in zip(flows, sums, strict=True))))

    def of(value: float, its_unit: str = unit) -> Figure:
        return figure(value, its_unit, completeness, estimated)

    share = of(loss / incoming, "") if incoming else absent("", Reason.ZERO_DENOMINATOR, completeness)
    return Balance(
        main=of(incoming),
        submeters=of(outgoing),
        loss=of(loss),
        band=of(band),
        loss_share=share,
        noise=abs(loss) <= band,
    )


NIGHT = (2 * 60, 4 * 60)
"""F15: from 02:00 to 04:00, minutes of the local day."""


def at_night(when: Slots) -> Bools:
    """Quarter hours of the night."""
    return np.asarray((when.minute >= NIGHT[0]) & (when.minute < NIGHT[1]))


def night_share(water: Series, when: Slots, shifts: Sequence[Window]) -> Figure:
    """F15: mean flow at night over mean flow of the day, of the days on which the tenant does not work at night.

    Only quarter hours that are wholly known count on either side; a day without any at night is left out.
    """
    working = week_minutes(shifts)[when.weekday * MINUTES_PER_DAY + when.minute]
    idle = ~np.isin(when.day, when.day[working & at_night(when)])
    if not idle.any():
        return absent("", Reason.NO_NIGHT, float(water.completeness.mean()) if len(when) else 0.0)
    night, known = at_night(when) & idle, water.whole
    with_night = idle & np.isin(when.day, when.day[night & known])
    if not with_night.any():
        return absent("", Reason.NO_DATA)
    completeness, estimated = float(water.completeness[idle].mean()), float(water.estimated[idle].mean())
    mean = float(water.amount[with_night & known].mean())
    if mean == 0:
        return absent("", Reason.ZERO_DENOMINATOR, completeness)
    return figure(float(water.amount[night & known].mean()) / mean, "", completeness, estimated)

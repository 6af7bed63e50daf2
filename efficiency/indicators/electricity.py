"""Figures of electricity alone: own solar, demand, the share of peak hours, power factor and its surcharge."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure, ratio, total
from efficiency.indicators.series import Portion, UseSeries, quotient, together
from efficiency.usage.intervals import QUARTER_MS, Floats, Times
from efficiency.valuation.money import BANDS
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.figures import ELECTRICITY
from metering.tariffs import Band, ReactiveRule

BLOCK_MS = 2 * QUARTER_MS
_BLOCKS_PER_HOUR = 2
_BASE_PERCENTILE = 5.0
"""Base load is what demand exceeds 95 % of the time: the minimum itself would depend on chance."""

_COARSE = 0.05
"""A count that is a larger share of the peak than this is shown as its error."""


@dataclass(frozen=True, slots=True)
class Electricity:
    """The parts of a tenant's electricity over a period.

    `taken`: what came in through its fence. `used`: including own solar. `solar`: what was generated and not exported,
    as a figure of the whole period.
    """

    taken: UseSeries
    used: UseSeries
    solar: Figure


def electricity_of(
    bought: Sequence[Portion], generated: Sequence[Portion], exported: Sequence[Portion]
) -> Electricity | None:
    """Put together what a tenant buys, generates and exports (by registers of their own); None without a fence meter.

    Own solar is what was generated, less what was exported or turned the intake back; it is never below zero.
    """
    all_bought = together(bought)
    if all_bought is None:
        return None
    taken = all_bought.positive()
    made, away = together(generated), together(exported)
    if made is None:
        return Electricity(taken, taken, absent("kWh", ValueReason.NO_METER))
    figures = [made.figure("kWh"), *([away.figure("kWh")] if away is not None else [])]
    whole = total(figures, "kWh")
    if whole.value is None or figures[0].value is None:
        return Electricity(taken, taken.plus(made), whole)
    turned_back = -float(np.nansum(np.minimum(all_bought.amount, 0.0)))
    sent = sum(one.value or 0.0 for one in figures[1:]) + turned_back
    solar = figure(max(0.0, figures[0].value - sent), "kWh", whole.completeness, whole.estimated, whole.reasons)
    used = all_bought.plus(made).plus(away, -1.0) if solar.value else taken
    return Electricity(taken, used, solar)


def amount_figures(electricity: Electricity | None, *, generates: bool) -> dict[str, Figure]:
    """What one tenant took, generated and used over a period."""
    if electricity is None:
        none = dict.fromkeys(("grid_kwh", "solar_kwh", ELECTRICITY), absent("kWh", ValueReason.NO_METER))
        return {**none, "solar_share": absent("1", ValueReason.NO_METER)}
    grid = electricity.taken.figure("kWh")
    used = total([grid, electricity.solar], "kWh") if generates else grid
    return {
        "grid_kwh": grid,
        "solar_kwh": electricity.solar,
        ELECTRICITY: used,
        "solar_share": ratio(electricity.solar, used, "1"),
    }


def shape_figures(electricity: Electricity | None, start: Times, shares: Floats, contract: Floats) -> dict[str, Figure]:
    """When one tenant took it: demand, and the share of peak hours by `money.band_shares` of the quarter hours.

    `contract`: the contract demand in kW for each quarter hour, NaN where there is none.
    """
    if electricity is None:
        none = dict.fromkeys(("mean_demand_kw", "peak_demand_kw", "base_load_kw"), absent("kW", ValueReason.NO_METER))
        shapes = ("demand_share", "load_factor", "peak_share")
        return {**none, **dict.fromkeys(shapes, absent("1", ValueReason.NO_METER))}
    return {
        "peak_share": peak_share(electricity.taken, shares),
        **demand(start, electricity.taken),
        "demand_share": demand_share(start, electricity.taken, contract),
    }


class HalfHours(NamedTuple):
    """Half hours by their `start`, ms: mean `power` and its `error`, kW; NaN where unknown."""

    start: Times
    power: Floats
    error: Floats


def half_hours(start: Times, electricity: UseSeries) -> HalfHours:
    """The half hours that lie entirely in the series.

    Known where both quarter hours are. The error of a half hour is that of one count, not of two: what the counter
    holds back in one quarter hour it shows in the next.
    """
    first = int(np.searchsorted(start, -(-int(start[0]) // BLOCK_MS) * BLOCK_MS)) if len(start) else 0
    last = first + (len(start) - first) // 2 * 2
    amount = np.where(electricity.whole, electricity.amount, np.nan)[first:last]
    error = electricity.error[first:last]
    return HalfHours(
        start[first:last:2],
        (amount[::2] + amount[1::2]) * _BLOCKS_PER_HOUR,
        np.maximum(error[::2], error[1::2]) * _BLOCKS_PER_HOUR,
    )


@dataclass(frozen=True, slots=True)
class Highest:
    """F9: the highest half hour, from `start` (ms) on; `estimated` is the estimated share of it.

    `known`: share of the half hours that are known. Where it is under 1, another one may have been higher.
    """

    start: int
    kw: float
    known: float
    estimated: float


def highest(start: Times, electricity: UseSeries) -> Highest | None:
    """The highest half hour of a period, the first of equal ones; None where none is wholly known."""
    begins, power, _ = half_hours(start, electricity)
    known = np.isfinite(power)
    if not known.any():
        return None
    place = int(np.nanargmax(power))
    at = int(np.searchsorted(start, begins[place]))
    share = min(1.0, float(known.sum() / max(_expected_blocks(start, electricity), 1.0)))
    return Highest(int(begins[place]), float(power[place]), share, float(electricity.estimated[at : at + 2].mean()))


def demand(start: Times, electricity: UseSeries) -> dict[str, Figure]:
    """F9: demand of a period by half hours; `start` are its quarter hours, without holes."""
    _, power, error = half_hours(start, electricity)
    expected = _expected_blocks(start, electricity)
    known = np.isfinite(power)
    names = ("mean_demand_kw", "peak_demand_kw", "base_load_kw")
    if not known.any():
        none = dict.fromkeys(names, absent("kW", ValueReason.NO_DATA, 0.0))
        return {**none, "load_factor": absent("1", ValueReason.NO_DATA, 0.0)}
    completeness, estimated = min(1.0, float(known.sum() / max(expected, 1.0))), electricity.spread
    place = int(np.nanargmax(power))
    highest, mean = float(power[place]), float(power[known].mean())
    coarse = ValueReason.COARSE if error[place] > _COARSE * highest else NOTHING
    hours = known.sum() / _BLOCKS_PER_HOUR
    base = float(np.percentile(power[known], _BASE_PERCENTILE))
    found = {
        "mean_demand_kw": figure(mean, "kW", completeness, estimated, over=float(hours)),
        "peak_demand_kw": figure(highest, "kW", completeness, estimated, coarse),
        "base_load_kw": figure(base, "kW", completeness, estimated),
        "peak_demand_error_kw": figure(float(error[place]), "kW", completeness, estimated),
    }
    load = absent("1", ValueReason.ZERO_DENOMINATOR, completeness)
    if highest > 0:
        load = figure(mean / highest, "1", completeness, estimated, coarse)
    return {**found, "load_factor": load}


def demand_share(start: Times, electricity: UseSeries, contract: Floats) -> Figure:
    """F9: the highest half hour as a share of the contract demand, in kW by quarter hour."""
    begun, power, error = half_hours(start, electricity)
    stated = contract[np.searchsorted(start, begun)]
    if not (stated > 0).any():
        return absent("1", ValueReason.NO_CONTRACT_DEMAND, 1.0)
    known = np.isfinite(power) & (stated > 0)
    if not known.any():
        return absent("1", ValueReason.NO_DATA, 0.0)
    completeness = min(1.0, float(np.isfinite(power).sum() / max(_expected_blocks(start, electricity), 1.0)))
    shares = np.divide(power, stated, out=np.full(len(power), np.nan), where=known)
    place = int(np.nanargmax(shares))
    coarse = ValueReason.COARSE if error[place] > _COARSE * power[place] else NOTHING
    return figure(float(shares[place]), "1", completeness, electricity.spread, coarse, over=float(stated[place]))


def _expected_blocks(start: Times, electricity: UseSeries) -> float:
    """How many half hours there are in which the tenant's meters count."""
    first = int(np.searchsorted(start, -(-int(start[0]) // BLOCK_MS) * BLOCK_MS)) if len(start) else 0
    expected = electricity.expected[first:]
    last = len(expected) // 2 * 2
    return float((expected[:last:2] & expected[1:last:2]).sum())


def peak_share(electricity: UseSeries, shares: Floats) -> Figure:
    """F10: share of the electricity taken in peak hours."""
    split = electricity.amount * shares[:, BANDS.index(Band.PEAK)]
    undated = np.isnan(shares).any(axis=1) & np.isfinite(electricity.amount)
    if undated.any():
        return absent("1", ValueReason.NO_BANDS, electricity.complete)
    return quotient(replace(electricity, amount=split), electricity, "1")


def power_factor(active: UseSeries | None, reactive: UseSeries | None) -> Figure:
    """F8: power factor of a period from its sums of kWh and kvarh, over the quarter hours in which both are known.

    A register of reactive energy that counts down is wired the wrong way round: only the size of the sum counts. `over`
    is the active energy, so that months can be joined.
    """
    if active is None or reactive is None:
        return absent("cosφ", ValueReason.NO_METER)
    both = active.whole & reactive.whole
    expected = active.expected | reactive.expected
    if not both.any():
        return absent("cosφ", ValueReason.NO_DATA)
    completeness = float(both.sum() / expected.sum())
    real, blind = float(active.amount[both].sum()), abs(float(reactive.amount[both].sum()))
    apparent = float(np.hypot(real, blind))
    if apparent == 0:
        return absent("cosφ", ValueReason.ZERO_DENOMINATOR, completeness)
    estimated = max(float(active.estimated[both].mean()), float(reactive.estimated[both].mean()))
    return figure(real / apparent, "cosφ", completeness, estimated, over=real)


def reactive_surcharge(rule: ReactiveRule | None, factor: Figure, buyer_kw: float | None, cost: Figure) -> Figure:
    """F8: VND on top of the `cost` of a billing cycle with the power factor `factor`.

    Zero for buyers below the rule's size; a buyer of unknown size is assumed to be above it.
    """
    if rule is None:
        return absent("₫", ValueReason.NO_RULE)
    if cost.value is None or factor.value is None:
        return absent("₫", cost.absent_for | factor.absent_for, min(cost.completeness, factor.completeness))
    percent = 0.0
    if buyer_kw is None or buyer_kw >= rule.min_kw:
        percent = surcharge_percent(rule, factor.value)
    completeness = min(cost.completeness, factor.completeness)
    return figure(cost.value * percent / 100, "₫", completeness, max(cost.estimated, factor.estimated))


def surcharge_percent(rule: ReactiveRule, factor: float) -> float:
    """Percent on top at a power factor, which is rounded to two decimals, half up, and looked up in the table."""
    under = round(rule.min_power_factor * 100) - int(np.floor(factor * 100 + 0.5))
    if under <= 0:
        return 0.0
    return rule.percents[under - 1] if under <= len(rule.percents) else rule.floor_percent

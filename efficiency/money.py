"""F10: what use costs, in VND before VAT; and the power factor with its surcharge, F8.

Bands follow local time; a quarter hour that straddles a band edge is split in proportion to its minutes. Where the park
file has no price, no hours or no voltage level for a day, there is no cost but a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from efficiency.figures import Figure, Reason, Valued, absent, figure
from efficiency.intervals import Floats
from efficiency.localtime import Slots, day_number, on_days, week_minutes
from efficiency.usage import Usage
from metering.calendar import MINUTES_PER_DAY
from metering.dated import DatedValue
from metering.tariffs import Band, BandHours, BandPrices, ElectricityTariff, ReactiveRule

BANDS = (Band.OFF_PEAK, Band.NORMAL, Band.PEAK)
"""Order of the columns of everything that is split by band."""

_QUARTER_MIN = 15


@lru_cache(maxsize=64)
def band_shares(hours: tuple[BandHours, ...], when: Slots) -> Floats:
    """Share of each quarter hour in each band, (intervals, 3); a row of NaN where no hours are dated."""
    shares = np.full((len(when), len(BANDS)), np.nan)
    minute = when.weekday * MINUTES_PER_DAY + when.minute
    for entry in hours:
        holds = when.day >= day_number(entry.since)
        if entry.until is not None:
            holds &= when.day < day_number(entry.until)
        counted = np.cumsum(np.eye(len(BANDS))[np.concatenate(([0], _week(entry)))], axis=0)
        first = minute[holds]
        shares[holds] = (counted[first + _QUARTER_MIN] - counted[first]) / _QUARTER_MIN
    shares.flags.writeable = False  # all meters share them
    return shares


def _week(hours: BandHours) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Column of the band of each minute of a week that starts on Monday."""
    week = np.full(7 * MINUTES_PER_DAY, BANDS.index(Band.NORMAL), dtype=np.int64)
    week[week_minutes(hours.off_peak)] = BANDS.index(Band.OFF_PEAK)
    week[week_minutes(hours.peak)] = BANDS.index(Band.PEAK)
    return week


@dataclass(frozen=True, slots=True)
class Tariff:
    """An electricity tariff laid over a window: `shares` and `prices` by (interval, band)."""

    shares: Floats
    prices: Floats
    no_voltage: bool = False


def tariff_over(tariff: ElectricityTariff, shares: Floats, voltage: str | None, when: Slots) -> Tariff:
    """Prices of one voltage level; `shares` from `band_shares`, which all levels have in common."""
    entries = tariff.prices.get(voltage, ()) if voltage is not None else ()

    def of(band: Band) -> Floats:
        def price(entry: BandPrices) -> float:
            prices: dict[Band, float] = {
                Band.OFF_PEAK: entry.off_peak,
                Band.NORMAL: entry.normal,
                Band.PEAK: entry.peak,
            }
            return prices[band]

        return on_days(entries, price, when.day)

    return Tariff(shares, np.stack([of(band) for band in BANDS], axis=1), voltage not in tariff.prices)


@dataclass(frozen=True, slots=True)
class BandCost:
    """Use and cost by (interval, band), NaN where there is no value; `reasons` by interval say why there is no cost."""

    amount: Floats
    cost: Floats
    total: Valued


def electricity_cost(use: Usage, tariff: Tariff) -> BandCost:
    """F10 for electricity, VND. A band in which an interval has no share costs nothing; its price need not be known.

    What flows back through the meter is not sold at the price of what is bought: it costs nothing.
    """
    amount = use.amount[:, np.newaxis] * tariff.shares
    bought = np.maximum(amount, 0.0)
    cost = np.where(tariff.shares == 0, 0.0 * amount, bought * tariff.prices)
    known = np.isfinite(use.amount)
    undated = np.isnan(tariff.shares).any(axis=1)
    unpriced = ~undated & (np.isnan(tariff.prices) & (tariff.shares > 0)).any(axis=1)
    reasons = np.where(known, 0, Reason.NO_DATA) | np.where(undated, Reason.NO_BANDS, 0)
    reasons |= np.where(unpriced, Reason.NO_VOLTAGE if tariff.no_voltage else Reason.NO_PRICE, 0)
    return BandCost(amount, cost, Valued(cost.sum(axis=1), reasons.astype(np.uint32)))


def flat_cost(use: Usage, prices: Sequence[DatedValue], when: Slots) -> Valued:
    """F10 for a utility with one price at all hours, VND."""
    return by_factor(use, on_days(prices, lambda entry: entry.value, when.day), Reason.NO_PRICE)


def by_factor(use: Usage, factor: Floats, missing: Reason) -> Valued:
    """Use times a dated factor; `missing` is why there is none on a day. What flows back counts for nothing."""
    reasons = np.where(np.isfinite(use.amount), 0, Reason.NO_DATA) | np.where(np.isnan(factor), missing, 0)
    return Valued(np.maximum(use.amount, 0.0) * factor, reasons.astype(np.uint32))


def power_factor(active: Usage, reactive: Usage) -> Figure:
    """F8: power factor of a period from its sums of kWh and kvarh, over the intervals in which both are known."""
    both = np.isfinite(active.amount) & np.isfinite(reactive.amount)
    if not both.any():
        return absent("cosφ", Reason.NO_DATA)
    real, blind = float(active.amount[both].sum()), float(reactive.amount[both].sum())
    completeness = float(np.minimum(active.completeness, reactive.completeness).mean())
    estimated = float(np.maximum(active.estimated, reactive.estimated).mean())
    apparent = float(np.hypot(real, blind))
    if apparent == 0:
        return absent("cosφ", Reason.ZERO_DENOMINATOR, completeness)
    return figure(real / apparent, "cosφ", completeness, estimated)


def power_factor_to_date(active: Usage, reactive: Usage) -> Floats:
    """F8 from the start of the arrays up to the end of each interval; NaN as long as nothing passed."""
    both = np.isfinite(active.amount) & np.isfinite(reactive.amount)
    real = np.cumsum(np.where(both, active.amount, 0.0))
    apparent = np.hypot(real, np.cumsum(np.where(both, reactive.amount, 0.0)))
    factor: Floats = np.divide(real, apparent, out=np.full(len(real), np.nan), where=apparent > 0)
    return factor


def reactive_surcharge(rule: ReactiveRule | None, factor: Figure, buyer_kw: float | None, cost: Figure) -> Figure:
    """VND on top of the `cost` of a billing cycle whose power factor is `factor`.

    Nothing for buyers under the rule's size; a buyer whose size is unknown is taken to be large enough.
    """
    if rule is None:
        return absent("VND", Reason.NO_RULE)
    if cost.value is None or factor.value is None:
        return absent("VND", (cost.reasons | factor.reasons) & ~Reason.INDICATIVE, cost.completeness)
    percent = 0.0
    if buyer_kw is None or buyer_kw >= rule.min_kw:
        percent = surcharge_percent(rule, factor.value)
    completeness = min(cost.completeness, factor.completeness)
    return figure(cost.value * percent / 100, "VND", completeness, max(cost.estimated, factor.estimated))


def surcharge_percent(rule: ReactiveRule, factor: float) -> float:
    """Percent on top at a power factor (Circular 15/2014, the values from the park file)."""
    if factor < rule.floor_power_factor:
        return rule.floor_percent
    return max(0.0, (rule.min_power_factor / factor - 1) * 100)

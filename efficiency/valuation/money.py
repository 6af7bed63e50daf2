"""F10: what use costs, in VND before VAT.

Bands follow local time; a quarter hour that straddles a band edge is split in proportion to its minutes. Where the park
file has no price, no hours or no voltage level for a day, there is no cost but a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from efficiency.usage.intervals import Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, day_of, minutes_in, on_days, runs
from efficiency.valuation.valued import Valued, ValueReason
from metering.calendar import MINUTES_PER_DAY, Calendar
from metering.dated import DatedValue, at
from metering.tariffs import Band, BandHours, BandPrices, ElectricityTariff

BANDS = (Band.OFF_PEAK, Band.NORMAL, Band.PEAK)
"""Order of the columns of everything that is split by band."""

_QUARTER_MIN = 15


def band_shares(hours: tuple[BandHours, ...], calendar: Calendar, when: Slots) -> Floats:
    """Share of each quarter hour in each band, (intervals, 3); a row of NaN where no hours are dated.

    Hours that do not hold on holidays, or in one season only, are those of `calendar`.
    """
    cut = when.cut_from
    return _band_shares(hours, calendar, when) if cut is None else band_shares(hours, calendar, cut.whole)[cut.part]


@lru_cache(maxsize=64)
def _band_shares(hours: tuple[BandHours, ...], calendar: Calendar, when: Slots) -> Floats:
    shares = np.full((len(when), len(BANDS)), np.nan)
    for number, of_day in runs(when.day):
        day = day_of(number)
        entry = at(hours, day)
        if entry is not None:
            counted = _counted(calendar.minutes(entry.off_peak, day), calendar.minutes(entry.peak, day))
            first = when.minute[of_day]
            shares[of_day] = (counted[first + _QUARTER_MIN] - counted[first]) / _QUARTER_MIN
    shares.flags.writeable = False  # all meters share them
    return shares


@lru_cache(maxsize=256)
def _counted(off_peak: tuple[range, ...], peak: tuple[range, ...]) -> Floats:
    """Minutes of each band until each minute of a local day, (1441, 3)."""
    band = np.full(MINUTES_PER_DAY, BANDS.index(Band.NORMAL), dtype=np.int64)
    band[minutes_in(off_peak)] = BANDS.index(Band.OFF_PEAK)
    band[minutes_in(peak)] = BANDS.index(Band.PEAK)
    return np.concatenate((np.zeros((1, len(BANDS))), np.cumsum(np.eye(len(BANDS))[band], axis=0)))


@dataclass(frozen=True, slots=True)
class Tariff:
    """An electricity tariff laid over a window: `shares` and `prices` by (interval, band)."""

    shares: Floats
    prices: Floats
    no_voltage: bool = False


def tariff_over(tariff: ElectricityTariff, shares: Floats, voltage: str | None, when: Slots) -> Tariff:
    """Prices of one voltage level; `shares` from `band_shares`, which all levels have in common."""
    entries = tariff.prices.get(voltage, ()) if voltage is not None else ()
    return Tariff(shares, band_prices(entries, when), voltage not in tariff.prices)


def band_prices(entries: Sequence[BandPrices], when: Slots) -> Floats:
    """Price of each quarter hour in each band, (intervals, 3); NaN where none is dated."""

    def of(band: Band) -> Floats:
        def price(entry: BandPrices) -> float:
            prices: dict[Band, float] = {
                Band.OFF_PEAK: entry.off_peak,
                Band.NORMAL: entry.normal,
                Band.PEAK: entry.peak,
            }
            return prices[band]

        return on_days(entries, price, when.day)

    return np.stack([of(band) for band in BANDS], axis=1)


@dataclass(frozen=True, slots=True)
class BandCost:
    """Use and cost by (interval, band), NaN where there is no value; `reasons` by interval say why there is no cost."""

    amount: Floats
    cost: Floats
    total: Valued


def electricity_cost(use: QuarterHours, tariff: Tariff) -> BandCost:
    """F10 for electricity, VND.

    A band in which an interval has no share costs nothing; its price need not be known. Energy that flows back is not
    sold at the purchase price: it costs nothing.
    """
    amount = use.amount[:, np.newaxis] * tariff.shares
    bought = np.maximum(amount, 0.0)
    cost = np.where(tariff.shares == 0, 0.0 * amount, bought * tariff.prices)
    known = np.isfinite(use.amount)
    undated = np.isnan(tariff.shares).any(axis=1)
    unpriced = ~undated & (np.isnan(tariff.prices) & (tariff.shares > 0)).any(axis=1)
    reasons = np.where(known, 0, ValueReason.NO_DATA) | np.where(undated, ValueReason.NO_BANDS, 0)
    reasons |= np.where(unpriced, ValueReason.NO_VOLTAGE if tariff.no_voltage else ValueReason.NO_PRICE, 0)
    return BandCost(amount, cost, Valued(cost.sum(axis=1), reasons.astype(np.uint32)))


def flat_cost(use: QuarterHours, prices: Sequence[DatedValue], when: Slots) -> Valued:
    """F10 for a utility with one price at all hours, VND."""
    return by_factor(use, on_days(prices, lambda entry: entry.value, when.day), ValueReason.NO_PRICE)


def by_factor(use: QuarterHours, factor: Floats, missing: ValueReason) -> Valued:
    """Use times a dated factor; `missing` is why there is none on a day. What flows back counts for nothing."""
    reasons = np.where(np.isfinite(use.amount), 0, ValueReason.NO_DATA) | np.where(np.isnan(factor), missing, 0)
    return Valued(np.maximum(use.amount, 0.0) * factor, reasons.astype(np.uint32))

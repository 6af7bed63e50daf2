"""F30: what one surplus can give one demand, and what that demand asks, by quarter hour and by quality.

Heat flows from hot to cold: a surplus at T gives a demand, heated from c to t through an exchanger that takes k, what
it has above c + k, and can meet the share (min(t, T - k) - c) / (t - c) of it. A demand that does not say what it is
heated from takes heat only above t + k. Other kinds are given in the quarter hours in which every limit of the demand
is kept; a quality that is not known keeps no limit.
"""

from dataclasses import dataclass

import numpy as np

from efficiency.symbiosis.flow import StreamFlow
from efficiency.usage.intervals import Bools, Floats
from efficiency.valuation.localtime import Slots, on_days
from efficiency.valuation.valued import NOTHING, ValueReason
from metering.streams import StreamKind

KWH_PER_M3_K = 1.163
"""F13: heat that a cubic metre, or a tonne, of water carries for each kelvin."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A surplus and a demand: `offered` and `asked` by quarter hour, in the unit of the kind; NaN where not known.

    `share`: how much of what is asked such a surplus can meet. `reasons`: what speaks against all of it.
    """

    giver: StreamFlow
    taker: StreamFlow
    offered: Floats
    asked: Floats
    share: Floats
    reasons: ValueReason

    @property
    def there(self) -> Bools:
        """Whether both streams exist."""
        return self.giver.there & self.taker.there

    @property
    def known(self) -> Bools:
        """Whether both quantities, and what they depend on, are known."""
        return np.asarray(self.there & np.isfinite(self.offered) & np.isfinite(self.asked) & np.isfinite(self.share))


def pair_of(giver: StreamFlow, taker: StreamFlow, when: Slots) -> Pair:
    """Two flows of one kind."""
    if giver.stream.kind is StreamKind.HEAT:
        return _heat(giver, taker)
    fits = _fits(giver, taker, when)
    reasons = NOTHING
    both = fits[giver.there & taker.there]
    if len(both) and not np.isfinite(both).any():
        reasons = ValueReason.NO_QUALITY
    elif not (both[np.isfinite(both)] > 0).any():
        reasons = ValueReason.TOO_POOR
    offered = np.where(np.isnan(fits), np.nan, giver.amount * np.nan_to_num(fits))
    return Pair(giver, taker, offered, asked=taker.amount, share=np.ones(len(when)), reasons=reasons)


def _heat(giver: StreamFlow, taker: StreamFlow) -> Pair:
    cold = np.where(np.isnan(taker.cold_c), taker.hot_c, taker.cold_c)
    reach = giver.hot_c - taker.stream.approach_k
    span = taker.hot_c - cold
    share = np.where(
        span > 0,
        np.clip((np.minimum(taker.hot_c, reach) - cold) / np.where(span > 0, span, 1.0), 0.0, 1.0),
        np.where(np.isnan(reach), np.nan, (reach >= cold).astype(np.float64)),
    )
    floor = np.fmax(giver.cold_c, cold + taker.stream.approach_k)
    lift = np.maximum(giver.hot_c - floor, 0.0)
    offered = giver.amount * (KWH_PER_M3_K * lift if giver.liquid else np.where(share > 0, 1.0, share))
    asked = taker.amount * (KWH_PER_M3_K * span if taker.liquid else 1.0)
    reasons = NOTHING
    if not np.isfinite(giver.hot_c[giver.there]).any():
        reasons = ValueReason.NO_QUALITY
    elif not (share[np.isfinite(share)] > 0).any():
        reasons = ValueReason.TOO_COLD
    return Pair(giver, taker, offered, asked=asked, share=share, reasons=reasons)


def _fits(giver: StreamFlow, taker: StreamFlow, when: Slots) -> Floats:
    """1 where all limits are kept, 0 where one is not, NaN where that is not known."""
    fits = np.ones(len(when))
    for name, limits in taker.stream.limits.items():
        value = giver.quality.get(name, np.full(len(when), np.nan))
        low = on_days(limits, lambda entry: -np.inf if entry.low is None else entry.low, when.day)
        high = on_days(limits, lambda entry: np.inf if entry.high is None else entry.high, when.day)
        kept = np.where(np.isnan(value) | np.isnan(low), np.nan, (value >= low) & (value <= high))
        fits = np.where((fits == 0) | (kept == 0), 0.0, fits + kept - 1.0)
    return fits

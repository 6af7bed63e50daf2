"""F32: savings of a demand by a match: the utilities replaced, at their prices and factors of each day.

A missing price or factor leaves the sum without a value. The cost of pipes, pumps, treatment and the surplus itself is
not included.
"""

from collections.abc import Sequence

import numpy as np

from efficiency.indicators.figure import Figure, absent, figure
from efficiency.symbiosis.flow import numbers, replaced
from efficiency.usage.intervals import Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.carbon import counted, emissions, primary_energy
from efficiency.valuation.localtime import Slots, on_days
from efficiency.valuation.money import band_shares, by_factor, electricity_cost, flat_cost, tariff_over
from efficiency.valuation.valued import NO_FACTOR_OF, NOTHING, Valued, ValueReason
from metering.meters import Role
from metering.park import Park
from metering.quantities import Utility
from metering.streams import Stream


def worth_of(park: Park, taker: Stream, met: Floats, when: Slots) -> dict[str, Figure]:
    """Savings of a demand of which `met` is met in each quarter hour, NaN where that is not known."""
    saved = {utility: QuarterHours.of(when.start, amount) for utility, amount in replaced(taker, met, when).items()}
    money = [_cost(park, taker, utility, use, when) for utility, use in saved.items()]
    if taker.price_vnd:
        price = numbers(taker.price_vnd, when)
        money.append(by_factor(QuarterHours.of(when.start, met), price, ValueReason.NO_PRICE))
    emitted = [
        emissions(use, utility, Role.CONSUMPTION, park.factors, when)
        for utility, use in saved.items()
        if counted(utility, park.factors) or utility in NO_FACTOR_OF
    ]
    energy = [
        primary_energy(use, utility, park.factors, when) for utility, use in saved.items() if utility in NO_FACTOR_OF
    ]
    water = [by_factor(use, np.ones(len(met)), NOTHING) for utility, use in saved.items() if utility is Utility.WATER]
    return {
        "saved_vnd": _sum(money, met, "₫"),
        "saved_m3": _sum(water, met, "m³"),
        "saved_toe": _sum(energy, met, "TOE"),
        "saved_co2e_kg": _sum(emitted, met, "kg CO₂e"),
    }


def _cost(park: Park, taker: Stream, utility: Utility, use: QuarterHours, when: Slots) -> Valued:
    """What a utility would have cost the demand; electricity by its voltage level and the bands of the tariff."""
    tariff, tenant = park.tariffs.electricity, park.tenant.get(taker.tenant or "")
    if utility is not Utility.ELECTRICITY or tariff is None:
        return flat_cost(use, park.tariffs.prices.get(utility, ()), when)
    shares = band_shares(tariff.bands, park.calendar, when)
    levels = tenant.contract.voltage if tenant is not None else ()
    value, reasons = np.full(len(when), np.nan), np.full(len(when), int(ValueReason.NO_VOLTAGE), dtype=np.uint32)
    holds = on_days(levels, lambda entry: float(levels.index(entry)), when.day)
    for place, level in enumerate(levels):
        total = electricity_cost(use, tariff_over(tariff, shares, level.value, when)).total
        value = np.where(holds == place, total.value, value)
        reasons = np.where(holds == place, total.reasons, reasons)
    return Valued(value, reasons)


def _sum(parts: Sequence[Valued], met: Floats, unit: str) -> Figure:
    """All parts over the quarter hours in which anything is met."""
    if not parts:
        return absent(unit, ValueReason.NOT_REPLACED)
    flowing = np.nan_to_num(met) > 0
    lacking = [part for part in parts if np.isnan(part.value[flowing]).any()]
    if lacking:
        mask = np.bitwise_or.reduce(np.concatenate([part.reasons[flowing] for part in lacking]))
        return absent(unit, ValueReason(int(mask)) or ValueReason.NO_FACTOR)
    return figure(sum(float(part.value[flowing].sum()) for part in parts), unit)

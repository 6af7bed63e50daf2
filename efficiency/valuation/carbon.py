"""Emissions and primary energy of each interval, by dated factors; no factor, no value.

Own solar power used on site emits nothing (F11); a utility that the park file gives no factors at all has none.
"""

import numpy as np

from efficiency.usage.intervals import Floats
from efficiency.usage.quarterhours import QuarterHours
from efficiency.valuation.localtime import Slots, on_days
from efficiency.valuation.money import by_factor
from efficiency.valuation.valued import Valued, ValueReason
from metering.meters import Role
from metering.quantities import Utility
from metering.tariffs import Factors


def emissions(use: QuarterHours, utility: Utility, role: Role, factors: Factors, when: Slots) -> Valued:
    """Kg CO2e: F12 for fuels that the tenant burns, F11 for what is bought."""
    if role is Role.GENERATION:
        return by_factor(use, np.zeros(len(use)), ValueReason.NO_FACTOR)
    if utility in factors.scope1:
        per_unit = _burnt_per_unit(factors, utility, when)
    else:
        per_unit = on_days(factors.scope2.get(utility, ()), lambda entry: entry.value, when.day)
    return by_factor(use, per_unit, ValueReason.NO_FACTOR)


def _burnt_per_unit(factors: Factors, utility: Utility, when: Slots) -> Floats:
    """F12: kg CO2e of a unit burnt, NaN on days without a factor or a set of warming potentials."""
    entries, day = factors.scope1[utility], when.day
    ch4 = on_days(entries, lambda fuel: fuel.gases(1.0).ch4_kg, day) * on_days(factors.gwp, lambda gwp: gwp.ch4, day)
    n2o = on_days(entries, lambda fuel: fuel.gases(1.0).n2o_kg, day) * on_days(factors.gwp, lambda gwp: gwp.n2o, day)
    return on_days(entries, lambda fuel: fuel.gases(1.0).co2_kg, day) + ch4 + n2o


def primary_energy(use: QuarterHours, utility: Utility, factors: Factors, when: Slots) -> Valued:
    """Tonnes of oil equivalent."""
    return by_factor(
        use, on_days(factors.toe.get(utility, ()), lambda entry: entry.value, when.day), ValueReason.NO_FACTOR
    )


def counted(utility: Utility, factors: Factors) -> bool:
    """Whether the park file gives emission factors for a utility, so that it belongs in a sum of emissions."""
    return utility in factors.scope1 or utility in factors.scope2

"""Emissions and primary energy of each interval, by dated factors; no factor, no value.

Own solar power used on site emits nothing (F11); a utility that the park file gives no factors at all has none.
"""

import numpy as np

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
        per_unit = on_days(factors.scope1[utility], lambda fuel: fuel.gj_per_unit * fuel.kg_per_gj, when.day)
    else:
        per_unit = on_days(factors.scope2.get(utility, ()), lambda entry: entry.value, when.day)
    return by_factor(use, per_unit, ValueReason.NO_FACTOR)


def primary_energy(use: QuarterHours, utility: Utility, factors: Factors, when: Slots) -> Valued:
    """Tonnes of oil equivalent."""
    return by_factor(
        use, on_days(factors.toe.get(utility, ()), lambda entry: entry.value, when.day), ValueReason.NO_FACTOR
    )


def counted(utility: Utility, factors: Factors) -> bool:
    """Whether the park file gives emission factors for a utility, so that it belongs into a sum of emissions."""
    return utility in factors.scope1 or utility in factors.scope2

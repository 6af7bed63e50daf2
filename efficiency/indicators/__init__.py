"""From stored quarter hours to the figures of tenants and the balances of main meters: sums over sums, or a reason.

Pure. A figure never travels without its unit, its completeness and its estimated share.
"""

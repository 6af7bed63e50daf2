"""Reports of a tenant or a park for a month or a year: stored figures, arranged for reading and printing.

Nothing that the usage service computes is computed again here: `usage`, `efficiency` and `balance` are read and shown.
"""

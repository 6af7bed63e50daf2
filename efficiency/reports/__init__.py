"""Reports of a tenant or a park for a month or a year: stored figures, arranged for reading and printing.

Whatever the usage service computes is not computed again: `usage`, `efficiency` and `balance` are read and shown.
"""

"""Reports of a tenant or a park for a month or a year: what the store holds, laid out for reading and printing.

Nothing is computed here that the usage service computes: `usage`, `efficiency` and `balance` are read, summed over
periods and shown.
"""

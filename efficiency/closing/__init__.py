"""Closing a month: what each tenant and the park were charged for it is frozen, together with its sources.

Later changes do not change the statement: they become a correction in the next month.
"""

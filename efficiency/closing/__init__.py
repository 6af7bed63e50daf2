"""Closing a month: what each tenant and the park were charged for it, frozen together with its sources.

What changes afterwards does not change the statement: it becomes a correction in the next month.
"""

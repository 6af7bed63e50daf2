"""Closing a month: what each tenant and the park were charged for it, frozen with what it came from.

What changes afterwards does not change what was stated: it is a correction in the next month.
"""

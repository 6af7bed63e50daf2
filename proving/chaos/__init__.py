"""Kills and pauses everything but the plant while it runs, and then counts: `python -m proving.chaos --help`."""

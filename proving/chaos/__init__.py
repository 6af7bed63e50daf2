"""Kills and pauses everything but the plant while it runs, with a hostile gateway beside it, and then counts."""

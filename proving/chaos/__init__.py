"""Kills and pauses everything but the plant while it runs, with a hostile gateway, and then counts."""

"""Measures the path from meter to database on private servers."""

"""The service that keeps it all true: it finds what came late or was changed, and computes again what that touches.

It needs no disk: how far it is, and by what it computed, stands in the database.
"""

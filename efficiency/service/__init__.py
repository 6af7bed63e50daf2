"""The service that keeps it all true: it finds what came late or was changed, and computes again what that touches.

Stateless: the cursor and the inputs of the last run are stored in the database.
"""

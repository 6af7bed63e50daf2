"""Points of a park in the database: compared with what is stored, written or deleted, and read again.

Only what differs is written. A tenant's points are also in its own database.
"""

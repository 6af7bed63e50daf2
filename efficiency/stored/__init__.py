"""Points of a park in the database: compared with what is stored, written or taken away, and read again.

Only what differs is written. What is a tenant's stands in its own database, too.
"""

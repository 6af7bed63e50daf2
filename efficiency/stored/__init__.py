"""What is computed for a park, in the database: read, compared with new results, written and deleted.

Only what differs is written. A tenant's points are also written to its own database.
"""

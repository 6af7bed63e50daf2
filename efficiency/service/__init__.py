"""The usage service: finds what came late or was changed, and recomputes what depends on it.

Stateless: the cursor and the inputs of the last run are stored in the database.
"""

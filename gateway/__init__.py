"""The edge: polls meters into a spool on disk, and publishes from the spool."""

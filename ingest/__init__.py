"""MQTT to store: accept each reading, write it, and acknowledge only what the database has."""

"""The database: its schema, writing and querying. The only room that knows InfluxDB."""

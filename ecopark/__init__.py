"""The front door: the command line, and the administration of brokers, databases and tenants."""

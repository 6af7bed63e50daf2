"""Each tenant's database, credentials and Grafana organization: planned purely, carried out by server."""

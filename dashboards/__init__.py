"""Grafana dashboards and alert rules as typed code, and the JSON and YAML that it generates."""

"""A small read-only web server that shows the generated dashboards where there is no Grafana."""

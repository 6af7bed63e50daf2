"""The broker's accounts, rules, configuration and certificates, from the park files."""

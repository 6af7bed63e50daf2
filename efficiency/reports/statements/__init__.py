"""Statements of tenants as a bookkeeper takes them: pages to print, and tables for the accounts."""

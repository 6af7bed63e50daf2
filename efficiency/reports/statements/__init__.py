"""Statements of tenants for bookkeeping: pages to print, and tables for the accounts."""

"""Statements of tenants and the park's account: pages to print, and tables for bookkeeping."""

"""From registers to the figures that people are judged by; each package imports only from those named before it.

`usage`: registers become quarter hours of use, judged for quality. `valuation`: bands, money, carbon, TOE. `stored`:
reads and writes both in the database. `indicators`: figures of tenants and periods, and balances. `baseline`: expected
use and savings. `symbiosis`: surpluses matched with demands. `service`: recomputes what changed. `closing`: months
frozen as statements. `reports`: stored figures for reading and printing.
"""

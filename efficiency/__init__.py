"""From registers to numbers that people are judged by; each package imports only from those named before it.

`use`: registers are read and weighed, and become quarter hours of use. `worth`: their bands, money and carbon.
`points`: what stands of it in the database. `figures`: of tenants and periods, and balances. `baseline`: what use
should have been. `service`: recomputes what changed. `reports`: what is stored, laid out for people.
"""

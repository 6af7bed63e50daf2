"""`python -m ecopark` is the command `ecopark`."""

from ecopark.cli import main

main()

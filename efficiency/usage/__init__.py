"""From registers to use: readings become steps, and steps become quarter hours with their quality.

Pure: the use of a quarter hour depends only on the park file and the registers around it.
"""

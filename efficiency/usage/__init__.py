"""From registers to use: readings become steps, and steps become quarter hours that say how good they are.

Pure: the use of a quarter hour follows from the park file and the registers around it alone.
"""

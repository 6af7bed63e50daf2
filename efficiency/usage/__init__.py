"""From registers to use: what they showed is read and weighed, and becomes quarter hours that say how good they are.

The use of a quarter hour follows from the park file and the registers around it alone; nothing is stored here.
"""

"""From registers to numbers that people are judged by. Pure functions of arrays; only the baseline file touches a disk."""

"""From registers to numbers that people are judged by: pure functions of arrays; only baselines are kept in a file."""

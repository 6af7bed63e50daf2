"""The simulated plant: what the demo park's meters would show, what was truly used, and what goes wrong in the field."""

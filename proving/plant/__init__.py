"""The simulated plant: what the demo park's meters show, what was truly used, and what goes wrong in the field."""

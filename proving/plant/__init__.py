"""The simulated plant: what the demo park's meters show, the true use behind it, and field events."""

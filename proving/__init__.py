"""What proves the product: the simulated plant, the demo, private servers, chaos and the bench. No room imports it."""

"""The commands of `ecopark` that run what proves it."""

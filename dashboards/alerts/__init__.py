"""Alert rules as code: what wakes somebody, from which figure of the store, at which threshold of the park file."""

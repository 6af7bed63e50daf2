"""Alert rules as code: which figure of the store is compared with which threshold of the park file, and who is notified."""

"""Memory that is freed goes back to the system where the allocator would keep it for later."""

import ctypes


def return_freed_memory() -> None:
    """Return what glibc's allocator has been given back; with other libraries, do nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

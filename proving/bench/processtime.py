"""Processor time, resident memory and open files of a process, from the kernel."""

import time
from contextlib import suppress
from pathlib import Path

_SCHEDULED = 2
"""A process's processor time as the kernel's scheduler keeps it: nanoseconds of all threads, not ticks of 10 ms."""


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, in user and kernel mode, in seconds."""
    return time.clock_gettime(~pid << 3 | _SCHEDULED)


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM now (VmRSS), in MiB."""
    return _status(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most that was ever resident (VmHWM), in MiB."""
    return _status(pid, "VmHWM")


def open_files(pid: int, below: Path) -> list[Path]:
    """The files below a folder that a process has open."""
    found: list[Path] = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(descriptor.readlink())
    return [file for file in found if file.is_relative_to(below)]


def _status(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) / 1024
    raise RuntimeError(f"the kernel does not give {key} of process {pid}")

"""What the kernel says of a process: processor time and resident memory."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_AFTER_NAME = 2
_UTIME = 13 - _AFTER_NAME
_STIME = 14 - _AFTER_NAME


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, in user and kernel mode, in seconds (of 1/100 s resolution)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM now (VmRSS), in MiB."""
    return _status(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most that was ever resident (VmHWM), in MiB."""
    return _status(pid, "VmHWM")


def _status(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) / 1024
    msg = f"the kernel does not give {key} of process {pid}"
    raise RuntimeError(msg)

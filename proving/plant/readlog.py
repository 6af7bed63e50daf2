"""The plant's own record of every read that it answered: JSON lines, written before the answer is sent.

It costs one `write` to a file opened for appending, and nothing is buffered in the process; so the record is complete
up to the instant at which the process is killed (not the machine).
"""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class ReadLog:
    """An append-only file of reads. Raises `OSError` where it cannot be opened or written."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(self, epoch: int, gateway: str, meter: str, ts: int, values: dict[str, float]) -> None:
        """Record what a read is about to be answered: connection `epoch`, `ts` of the server, decoded `values`."""
        line = {"epoch": epoch, "gateway": gateway, "meter": meter, "ts": ts, "values": values}
        os.write(self._descriptor, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

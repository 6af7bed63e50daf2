"""Atomic writing: a file is replaced whole or not at all, whatever happens meanwhile."""

import os
from pathlib import Path

from metering.errors import OperatorError


def write_whole(file: Path, text: str) -> None:
    """Replace the content of a file.

    Raises `OperatorError` where it cannot be written; the file is then unchanged.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OperatorError(f"{file}: cannot be written: {error}; check the folder and its space") from error

"""A file that is written whole or not at all, whatever happens meanwhile."""

import os
from pathlib import Path

from metering.errors import OperatorError


def write_whole(file: Path, text: str) -> None:
    """Write a text in the place of what a file held.

    Raises `OperatorError` where it cannot be written; the file is then as it was.
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

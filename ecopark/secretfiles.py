"""Files with secrets: `NAME=value` lines, readable by their owner only, replaced atomically.

A secret is generated once and is only in one such file: neither this module nor its users print or log one. A
file can be given unchanged to systemd (`EnvironmentFile=`), to Docker (`--env-file`), or named in `ECOPARK_ENV_FILE`.
"""

import contextlib
import os
import secrets
import string
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from metering.errors import OperatorError

_BYTES = 24
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_")


def generate() -> str:
    """A new secret of 192 random bits, in characters that need no escaping in a URL, a shell or InfluxQL.

    It contains small and capital letters, digits and a mark, as openGemini demands.
    """
    while True:
        found = secrets.token_urlsafe(_BYTES)
        if all(any(letter in kind for letter in found) for kind in _KINDS):
            return found


def write_private(file: Path, text: str) -> bool:
    """Replace a file by one of mode 0600; it keeps its owner, so that a server can still read it.

    Returns whether anything changed. Raises `OperatorError` where the place cannot be written.
    """
    try:
        old = file.stat() if file.exists() else None
        if old is not None and file.read_text(encoding="utf-8") == text:
            file.chmod(0o600)
            return False
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # made with mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        if old is not None:
            with contextlib.suppress(PermissionError):  # only root can give files away; anybody else owns both
                os.chown(name, old.st_uid, old.st_gid)
        Path(name).replace(file)
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror}") from error
    return True


def read_secrets(file: Path) -> dict[str, str]:
    """The content of a file; empty where there is none.

    Raises `OperatorError` for a file that others than its owner may read, or that is no such file.
    """
    try:
        if not file.exists():
            return {}
        if file.stat().st_mode & 0o077:
            raise OperatorError(f"{file} holds secrets and others may read it; chmod 600 it, and renew what it holds")
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}") from error
    found = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, separator, value = line.partition("=")
            if not separator:
                raise OperatorError(f"{file}:{number}: not NAME=value; delete the file to have new secrets made")
            found[name] = value
    return found


def write_secrets(file: Path, values: Mapping[str, str]) -> bool:
    """Write such a file; returns whether anything changed."""
    return write_private(file, "".join(f"{name}={value}\n" for name, value in values.items()))


def hand_out(files: Iterable[Path], where: Path) -> None:
    """Put each `NAME.env` into the folder NAME below `where`, if there is one: each user sees only that folder.

    Raises `OperatorError` where `where` is no folder.
    """
    if not where.is_dir():
        raise OperatorError(f"{where} is no folder; make one in it for each account that is to be handed out")
    for file in files:
        if (where / file.stem).is_dir():
            write_private(where / file.stem / file.name, file.read_text(encoding="utf-8"))

"""The meter models that come with Ecopark: one file of `gateway/profiles/` each, named like the model.

They are data for the gateway's drivers, and say which quantities an instrument serves; no code is imported for them.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import ryaml

from metering.model import Model

Block = dict[str, Any]
"""What a driver of the gateway needs to know; only the driver understands it (see `gateway.sources`)."""


class Driven(Model):
    """What drivers read has a block for each driver. Its `registers` name the quantities that the driver reads."""

    modbus: Block | None = None
    mbus: Block | None = None


DRIVERS: Final = tuple(Driven.model_fields)
"""The drivers that have a block."""


@cache
def library_names() -> tuple[str, ...]:
    """Names of the models, in order."""
    if not _folder().is_dir():
        return ()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir() if file.name.endswith(".yaml")))


@cache
def library_model(name: str) -> dict[str, Any]:
    """A model as its file has it, not yet validated; not to be changed.

    Raises `KeyError` for a name that is none of theirs.
    """
    if name not in library_names():
        raise KeyError(name)
    return dict(ryaml.loads((_folder() / f"{name}.yaml").read_text(encoding="utf-8")))


def _folder() -> Any:
    return files("gateway") / "profiles"

"""The meter models that come with Ecopark: one file of `gateway/profiles/` each, named after the model.

They are data for the gateway's drivers, and list the quantities that an instrument serves. A model is read as data; the
gateway's code is not imported.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import ryaml

from metering.model import Model

Block = dict[str, Any]
"""What a driver of the gateway needs to know; only the driver understands it (see `gateway.drivers`)."""


class DriverBlocks(Model):
    """One optional block for each driver. Its `registers` name the quantities that the driver reads."""

    modbus: Block | None = None
    mbus: Block | None = None


DRIVER_NAMES: Final = tuple(DriverBlocks.model_fields)
"""The names of the drivers, which are those of their blocks."""


@cache
def library_names() -> tuple[str, ...]:
    """Names of the models, sorted."""
    if not _folder().is_dir():
        return ()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir() if file.name.endswith(".yaml")))


@cache
def library_model(name: str) -> dict[str, Any]:
    """A model as in its file, not yet validated; do not modify it.

    Raises `KeyError` for an unknown name.
    """
    if name not in library_names():
        raise KeyError(name)
    return dict(ryaml.loads((_folder() / f"{name}.yaml").read_text(encoding="utf-8")))


def _folder() -> Any:
    return files("gateway") / "profiles"

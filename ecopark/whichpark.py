"""The park that a command is about, by its name among those of the park files."""

from pathlib import Path
from typing import NamedTuple

from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks


class ParkInFile(NamedTuple):
    """A park and its file."""

    file: Path
    park: Park


def find_park(where: Path, name: str | None) -> ParkInFile:
    """The park of this name, or the only one.

    Raises `OperatorError` where there is no such park, or several.
    """
    parks = load_parks(where)
    found = [ParkInFile(file, park) for file, park in parks.items() if name in {None, park.id}]
    if len(found) != 1:
        known = ", ".join(park.id for park in parks.values())
        what = "name one of several parks" if found else f"no park file has a park {name}"
        raise OperatorError(f"{what} in {where}; there are {known}")
    return found[0]

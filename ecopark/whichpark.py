"""The park, tenant or meter that a command is about, by its name among those of the park files."""

from pathlib import Path
from typing import Literal, NamedTuple

from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_parks


class ParkInFile(NamedTuple):
    """A park and its file."""

    file: Path
    park: Park


class PartOfPark(NamedTuple):
    """A tenant or meter by its id, in its park and file."""

    file: Path
    park: Park
    id: str


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


def find_part(where: Path, name: str, kind: Literal["tenant", "meter"]) -> PartOfPark:
    """The tenant or meter of this name, which may be written PARK/NAME.

    Raises `OperatorError` where there is no such part, or several.
    """
    park_id, _, part = name.rpartition("/")
    parks = {file: park for file, park in load_parks(where).items() if park_id in {"", park.id}}
    there = {park.id: park.tenant if kind == "tenant" else park.meter for park in parks.values()}
    found = [PartOfPark(file, park, part) for file, park in parks.items() if part in there[park.id]]
    if len(found) == 1:
        return found[0]
    if found:
        raise OperatorError(f"several parks in {where} have a {kind} {part}; write PARK/{part}")
    known = ", ".join(f"{park.id}/{tenant}" for park in parks.values() for tenant in park.tenant) or "none"
    hint = f"there are {known}" if kind == "tenant" else f"see ecopark check {where}"
    raise OperatorError(f"no park file has a {kind} {name}; {hint}")

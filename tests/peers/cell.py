"""What one check found of one server."""

from dataclasses import dataclass
from enum import Enum


class Judgement(Enum):
    """Whether it is as on Debian's servers; what was not run proves nothing."""

    SAME = "same"
    DIFFERENT = "different"
    NOTED = "noted"
    """A figure that is the server's own, or a difference that the documents name."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`said` is shown in the table; `details` name each difference."""

    judgement: Judgement
    said: str
    details: tuple[str, ...] = ()


def cell(said: str, faults: "list[str] | tuple[str, ...]" = ()) -> Cell:
    """The same where nothing is at fault."""
    if faults:
        return Cell(Judgement.DIFFERENT, f"{said}; {len(faults)} DIFFER", tuple(faults))
    return Cell(Judgement.SAME, said)

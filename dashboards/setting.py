"""What pages and rules are generated for: the park files, and the day that decides about contracts and limits."""

from dataclasses import dataclass
from datetime import date

from metering.errors import OperatorError
from metering.park import Park


@dataclass(frozen=True, slots=True)
class Setting:
    """The parks of an installation."""

    parks: tuple[Park, ...]
    day: date

    @property
    def timezone(self) -> str:
        """The time zone of every page.

        Raises `OperatorError` where the parks do not share one: days would begin at different instants on one page.
        """
        zones = {park.park.timezone for park in self.parks}
        if len(zones) != 1:
            found = ", ".join(sorted(zones)) or "no park"
            raise OperatorError(
                f"dashboards need parks of one time zone, and these have {found}; generate them for one group at a time"
            )
        return zones.pop()

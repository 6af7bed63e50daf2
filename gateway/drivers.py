"""The table of drivers: where a gateway's readings come from.

A driver is a file of this room and an entry here: a function that finds faults in its blocks of a park file, and one
that makes the lines it polls. The name of its blocks is a field of `metering.meterlibrary.DriverBlocks`; only the
driver understands their content.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

from gateway import mbus, modbus
from gateway.polling import PolledLine
from metering.lenient import Broken
from metering.meters import Meter
from metering.park import Gateway, Park


class _Lines(Protocol):
    def __call__(
        self, gateway: Gateway, meters: Iterable[Meter], *, where: str | None, clock: Callable[[], float]
    ) -> list[PolledLine]: ...


class Driver(NamedTuple):
    """`faults` checks its blocks in a park; `lines` makes the lines of a gateway's meters that have its block."""

    faults: Callable[[Park], Iterator[Broken]]
    lines: _Lines


DRIVERS: Final[Mapping[str, Driver]] = {
    "modbus": Driver(modbus.faults, modbus.lines),
    "mbus": Driver(mbus.faults, mbus.lines),
}


def faults(park: Park) -> Iterator[Broken]:
    """What the drivers find wrong with their blocks: where, and what would be right."""
    for driver in DRIVERS.values():
        yield from driver.faults(park)


def lines_of(park: Park, gateway: Gateway, where: Mapping[str, str], clock: Callable[[], float]) -> list[PolledLine]:
    """The lines that a gateway polls; `where` gives, by driver, the line that the environment sets.

    Raises `OperatorError` for a meter without a line.
    """
    meters = park.meters_of(gateway.id)
    return [
        line
        for name, driver in DRIVERS.items()
        for line in driver.lines(gateway, meters, where=where.get(name), clock=clock)
    ]

"""Where a gateway's readings come from: the one table of drivers.

A driver is a file of this room and an entry here: what it finds wrong with its blocks of a park file, and the lines it
polls. Its blocks have a name in `metering.meterlibrary.Driven`; nobody else understands them.
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
    """`faults` of its blocks in a park; `lines` of the meters of one gateway that have its block."""

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
    """The lines that a gateway polls; `where` gives a driver's line that the environment sets.

    Raises `OperatorError` for a meter without a line.
    """
    meters = park.meters_of(gateway.id)
    return [
        line
        for name, driver in DRIVERS.items()
        for line in driver.lines(gateway, meters, where=where.get(name), clock=clock)
    ]

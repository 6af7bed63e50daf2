"""The address of a line: the URL of a connection or serial port behind which meters answer.

`modbus://10.0.0.7:502` (Modbus TCP), `modbus-rtu://10.0.0.8:4001` (RTU frames over TCP, as serial servers send them),
`modbus-rtu:///dev/ttyUSB0?baud=9600&parity=even`, `mbus://10.0.0.9:10001`, `mbus:///dev/ttyUSB1?baud=2400`. Also groups
the meters of a gateway by line. Each driver names its own schemes; nothing here knows a protocol.
"""

import termios
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Generic, Literal, NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationError

from metering.errors import OperatorError
from metering.lenient import Broken, as_far_as_read
from metering.meters import Meter
from metering.model import Model, Positive
from metering.park import Gateway, Park
from metering.parkfile import explained

PORT_ERRORS: Final = (OSError, ValueError, termios.error)
"""What pyserial raises where a port cannot be opened; the last one where it rejects the settings."""


class Scheme(NamedTuple):
    """What the URL of a line may begin with, and an example of such a URL."""

    name: str
    example: str
    port: int | None = None
    """Of a host, where the URL names none."""
    serial: Mapping[str, str] | None = None
    """The settings that a serial port has to have; None where there is no serial port."""


class Bus(NamedTuple):
    """A protocol whose meters share lines: its `name`, and the `key` of its blocks in a park file."""

    name: str
    key: str
    schemes: tuple[Scheme, ...]
    variable: str
    """The environment variable that sets the gateway's own line."""


class Serial(Model):
    """Settings of a serial port. A character has a start bit, 8 bits, perhaps a parity bit, and stop bits."""

    path: str
    baud: Annotated[int, Field(ge=300, le=921_600)]
    parity: Literal["none", "even", "odd"]
    stop: Annotated[int, Field(ge=1, le=2)] = 1


class LineAddress(Model):
    """A connection to `host` and `port`, or a `serial` port; `timeout` in seconds is how long an answer may take."""

    scheme: str
    host: str = ""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    serial: Serial | None = None
    timeout: Positive = 1.0

    @property
    def rtu(self) -> bool:
        """Whether frames are those of a serial line, which have no transaction number to match answers by."""
        return self.scheme != "modbus"

    def __str__(self) -> str:
        return self.serial.path if self.serial is not None else f"{self.host}:{self.port}"


def parse_line(text: str, schemes: tuple[Scheme, ...]) -> LineAddress:
    """Read the URL of a line of one of the schemes.

    Raises `ValueError` that says what would be right.
    """
    right = "write " + " or ".join(scheme.example for scheme in schemes)
    try:
        url = urlsplit(text)
        options = dict(parse_qsl(url.query, strict_parsing=True)) if url.query else {}
        port = url.port
    except ValueError as error:
        raise ValueError(f"{right} ({error})") from error
    scheme = next((scheme for scheme in schemes if scheme.name == url.scheme), None)
    if scheme is None or url.fragment or url.username:
        raise ValueError(right)
    timeout = options.pop("timeout", None)
    known: dict[str, object] = {"scheme": scheme.name}
    try:
        if timeout is not None:
            known["timeout"] = float(timeout)
        if url.hostname and url.path in {"", "/"} and not options:
            known |= {"host": url.hostname, "port": port or scheme.port}
            if known["port"] is None:
                raise ValueError(f"the port is missing; {right}")
        elif not url.netloc and url.path and scheme.serial is not None:
            known["serial"] = Serial.model_validate({"path": url.path, **scheme.serial, **options})
        else:
            raise ValueError(right)
        return LineAddress.model_validate(known)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(f"{fault['loc'][-1]}: {fault['msg'].lower()}; {right}") from error


class BusGatewayBlock(Model):
    """A gateway's block: the `line` of its meters that name none."""

    line: str


class _OnLine(Protocol):
    @property
    def line(self) -> str | None: ...


_Block = TypeVar("_Block", bound=_OnLine)


class PolledMeter(NamedTuple, Generic[_Block]):
    """A meter and its block for a driver."""

    meter: Meter
    block: _Block


def line_faults(bus: Bus, line: Any) -> Iterator[Broken]:
    """What is wrong with the line of a block; that it is a text is checked by the block's model."""
    if isinstance(line, str):
        try:
            parse_line(line, bus.schemes)
        except ValueError as error:
            yield Broken(("line",), str(error))


def block_faults(
    bus: Bus,
    park: Park,
    *,
    model: Callable[[dict[str, Any]], Iterator[Broken]],
    meter: Callable[[Meter], Iterator[Broken]],
) -> Iterator[Broken]:
    """What is wrong with the park's blocks for a driver: where, and what would be right.

    `model` checks the block of a meter model, with places inside it; `meter` a whole meter, with places inside the
    meter.
    """
    for index, gateway in enumerate(park.gateways):
        for path, right in _gateway_faults(bus, getattr(gateway, bus.key)):
            yield Broken(("gateways", index, bus.key, *path), right)
    for name, found in park.meter_models.items():
        raw = getattr(found, bus.key)
        if raw is not None:
            for path, right in model(raw):
                yield Broken(("meter_models", name, bus.key, *path), right)
    for index, each in enumerate(park.meters):
        for path, right in as_far_as_read(meter(each)):
            yield Broken(("meters", index, *path), right)


def misfits(kind: type[Model], raw: dict[str, Any]) -> Iterator[Broken]:
    """What a model of blocks rejects."""
    try:
        kind.model_validate(raw)
    except ValidationError as error:
        yield from explained(error, kind)


def _gateway_faults(bus: Bus, raw: dict[str, Any] | None) -> Iterator[Broken]:
    if raw is not None:
        yield from misfits(BusGatewayBlock, raw)
        yield from line_faults(bus, raw.get("line"))


def own_line(bus: Bus, gateway: Gateway, where: str | None) -> str | None:
    """The gateway's own line: `where` from the environment, or that of its block."""
    raw = getattr(gateway, bus.key)
    return where or (BusGatewayBlock.model_validate(raw).line if raw is not None else None)


def by_line(
    bus: Bus, gateway: Gateway, where: str | None, meters: Iterable[PolledMeter[_Block]]
) -> dict[LineAddress, list[PolledMeter[_Block]]]:
    """Meters grouped by line; those that name none are on the gateway's `own_line`.

    Raises `OperatorError` for a meter without a line, and for a line that cannot be read.
    """
    own, found = own_line(bus, gateway, where), dict[LineAddress, list[PolledMeter[_Block]]]()
    for each in meters:
        line = each.block.line or own
        if line is None:
            raise OperatorError(
                f"Meter {each.meter.id} names no {bus.name} line, and gateway {gateway.id} has none. Write "
                f"{bus.key}: {{line: ...}} into the park file, or set {bus.variable}."
            )
        try:
            address = parse_line(line, bus.schemes)
        except ValueError as error:
            raise OperatorError(f"The {bus.name} line {line} of gateway {gateway.id}: {error}") from error
        found.setdefault(address, []).append(each)
    return found

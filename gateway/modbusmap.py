"""Register maps of Modbus devices: the map as data, the requests that read it, and the decoding of words into values.

Pure. A word that says "not available" is never a measurement, and a value that cannot be read costs no other.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from metering.lenient import Broken
from metering.model import Model, Number

MAX_WORDS: Final = 125
"""Registers in one response, by the Modbus specification."""

RegisterKind = Literal[
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
    "bcd16",
    "bcd32",
    "bcd64",
    "signmag16",
    "signmag32",
    "mod10k32",
    "mod10k48",
    "mod10k64",
]
"""How a number is encoded: two's complement, IEEE 754, decimal digits of 4 bits (BCD), sign and magnitude, or words of
0 to 9999 each (modulo 10000, of PowerLogic meters). The number at the end is its size in bits."""

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""Byte order of a 32-bit value on the wire, A the most significant; CDAB is low word first. Likewise for 16 and 64
bits."""

_FLOATS: Final = {"float32": ">f", "float64": ">d"}
_MOST_EXPONENT: Final = 10  # SunSpec's scale factors lie between -10 and 10
_NEGATIVE: Final = frozenset({1, 0xFFFF})
_DECIMAL_WORD: Final = 10_000

_Address = Annotated[int, Field(strict=True, ge=0, le=465_536)]


def not_zero(scale: float) -> float:
    """A check for a model's field: a factor of 0 would make every value 0."""
    if scale == 0:
        raise ValueError("must not be 0")
    return scale


class RegisterPlace(Model):
    """The registers of one number, with `address` as the maker prints it (see `Map.addresses_from`).

    The value is the number times `scale`, in the quantity's unit; times ten to the power in the register `exponent`
    (int16, as in SunSpec), and negative where the register `sign` is 1 or 0xFFFF. `unavailable` are the numbers (or
    their bits, unsigned) that mean "no value"; by default those usual for the type.
    """

    address: _Address
    type: RegisterKind
    order: Order | None = None
    function: Literal[3, 4] | None = None
    scale: Annotated[Number, AfterValidator(not_zero)] = 1.0
    exponent: _Address | None = None
    sign: _Address | None = None
    unavailable: tuple[Annotated[int, Field(strict=True)], ...] | None = None

    @property
    def bits(self) -> int:
        """Size of the number in bits."""
        return int(self.type[-2:])

    @property
    def words(self) -> int:
        """Registers that it occupies."""
        return self.bits // 16

    @property
    def most(self) -> float:
        """The first count that it cannot show; infinite for a floating-point number."""
        kind = self.type[:-2]
        if kind == "float":
            return math.inf
        if kind == "bcd":
            return 10.0 ** (self.bits // 4)
        if kind == "mod10k":
            return float(_DECIMAL_WORD**self.words)
        return 2.0 ** (self.bits - (kind != "uint"))


def _in_a_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Places = Annotated[tuple[RegisterPlace, ...], BeforeValidator(_in_a_list), Field(min_length=1)]
"""One place, or several whose values are added up (MWh in one register and Wh in the next)."""


class Map(Model):
    """Registers of a type of device, by quantity.

    `addresses_from` is the address that the maker prints for the very first register: 0, 1, 30001, 40001 and so on.
    `function` is 3 (holding registers) or 4 (input registers). One request reads up to `max_words` registers, including
    up to `max_gap` that the map does not name. With `sunspec`, addresses count from the start of the first of these
    SunSpec models that the device has.
    """

    addresses_from: Literal[0, 1, 30001, 40001, 300001, 400001] | None = None
    function: Literal[3, 4] | None = None
    order: Order = "ABCD"
    max_words: Annotated[int, Field(strict=True, ge=1, le=MAX_WORDS)] = MAX_WORDS
    max_gap: Annotated[int, Field(strict=True, ge=0, le=MAX_WORDS)] = 0
    sunspec: tuple[Annotated[int, Field(strict=True, ge=1, le=0xFFFE)], ...] = ()
    registers: dict[str, Places] = Field(default_factory=dict)

    @property
    def first(self) -> int:
        """The address that the maker prints for the first register."""
        return self.addresses_from or 0

    def function_of(self, place: RegisterPlace) -> int:
        """The function code for a place: its own, the map's, or the one implied by the maker's addresses."""
        by_address = 4 if str(self.addresses_from).startswith("3") else 3
        return place.function or self.function or by_address


def wrong_in(chart: Map) -> Iterator[Broken]:
    """Faults that appear only when values of a map are compared."""
    if not chart.registers:
        return
    if chart.sunspec and chart.addresses_from:
        yield Broken(("addresses_from",), "counts from the start of the SunSpec model; leave it out here")
        return
    if chart.addresses_from is None and not chart.sunspec:
        yield Broken(
            ("addresses_from",), "say which address the maker prints for the first register: 0, 1, 30001 or 40001"
        )
        return
    says = {"3": 4, "4": 3}.get(str(chart.addresses_from)[0])
    for name, places in chart.registers.items():
        for place in places:
            if says is not None and chart.function_of(place) != says:
                yield Broken(
                    ("registers", name), f"addresses from {chart.addresses_from} are read with function {says}"
                )
        right = _out_of_reach(chart, places)
        if right is not None:
            yield Broken(("registers", name), right)


def _out_of_reach(chart: Map, places: Sequence[RegisterPlace]) -> str | None:
    first = chart.first
    for place in places:
        named = [place.address, *(other for other in (place.exponent, place.sign) if other is not None)]
        if min(named) < first or max(named) - first + place.words > 1 << 16:
            return f"an address lies between {first} and {first + 0xFFFF}"
    if len({chart.function_of(place) for place in places}) > 1:
        return "what is added up is read with one function"
    words = len(_extent(places))
    if words > chart.max_words:
        return (
            f"takes {words} registers at once, and the device gives {chart.max_words}: what belongs to one value "
            f"is read at one instant"
        )
    return None


def resolution(places: Sequence[RegisterPlace]) -> float | None:
    """The smallest step that a value can show; None where it varies."""
    if any(place.type in _FLOATS or place.exponent is not None for place in places):
        return None
    return min(abs(place.scale) for place in places)


def highest(places: Sequence[RegisterPlace]) -> float:
    """The value at which the registers roll over; infinite where unknown."""
    if any(place.exponent is not None for place in places):
        return math.inf
    return max(place.most * abs(place.scale) for place in places)


def _extent(places: Iterable[RegisterPlace]) -> range:
    """All addresses from the first to the last that belong to one value."""
    spans = []
    for place in places:
        spans.append(range(place.address, place.address + place.words))
        spans += [range(other, other + 1) for other in (place.exponent, place.sign) if other is not None]
    return range(min(span.start for span in spans), max(span.stop for span in spans))


@dataclass(frozen=True, slots=True)
class Value:
    """One quantity of one meter, and its registers from `start` (counted from 0) up to but not including `end`."""

    meter: str
    quantity: str
    function: int
    start: int
    end: int
    first: int
    order: Order
    places: tuple[RegisterPlace, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `words` registers from `address` (counted from 0), and the values in them."""

    function: int
    address: int
    words: int
    values: tuple[Value, ...]

    def __str__(self) -> str:
        named = f"register {self.address}" if self.words == 1 else f"registers {self.address} to {self._last}"
        return f"{named} (function {self.function:02d}, counted from 0)"

    @property
    def _last(self) -> int:
        return self.address + self.words - 1


class MissingValue(NamedTuple):
    """A value that its registers do not give, and why."""

    value: Value
    why: str


@dataclass(slots=True)
class DecodedWords:
    """The content of an answer: values by meter and quantity, and why others are missing."""

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    missing: list[MissingValue] = field(default_factory=list)


def plan(charts: Mapping[str, Map], starts: Mapping[str, int] | None = None) -> tuple[Request, ...]:
    """The fewest requests for the maps of the meters of one device, by meter, within the limits of each.

    `starts`: where on this device the SunSpec model of a meter starts.
    """
    values = sorted(
        (value for meter, chart in charts.items() for value in _values(meter, chart, (starts or {}).get(meter, 0))),
        key=lambda value: (value.function, value.start, value.end),
    )
    most = min((chart.max_words for chart in charts.values()), default=MAX_WORDS)
    gap = min((chart.max_gap for chart in charts.values()), default=0)
    requests: list[Request] = []
    for value in values:
        if requests and requests[-1].function == value.function:
            last = requests[-1]
            until = max(value.end, last.address + last.words)
            if value.start <= last.address + last.words + gap and until - last.address <= most:
                requests[-1] = Request(last.function, last.address, until - last.address, (*last.values, value))
                continue
        requests.append(Request(value.function, value.start, value.end - value.start, (value,)))
    return tuple(requests)


def _values(meter: str, chart: Map, start_of_model: int) -> Iterator[Value]:
    first = chart.first - start_of_model
    for quantity, places in chart.registers.items():
        extent = _extent(places)
        function = chart.function_of(places[0])
        yield Value(
            meter,
            quantity,
            function,
            start=extent.start - first,
            end=extent.stop - first,
            first=first,
            order=chart.order,
            places=places,
        )


def decode(request: Request, words: Sequence[int]) -> DecodedWords:
    """Values in the units of their quantities."""
    found = DecodedWords()
    for value in request.values:
        offset = value.first + request.address
        try:
            total = sum((_number(place, value.order, words, offset) for place in value.places), Decimal(0))
        except NoMeasurementError as error:
            found.missing.append(MissingValue(value, str(error)))
        else:
            found.values.setdefault(value.meter, {})[value.quantity] = float(total)
    return found


class NoMeasurementError(Exception):
    """There is no measurement where one was looked for; the message says why."""


def _number(place: RegisterPlace, order: Order, words: Sequence[int], offset: int) -> Decimal:
    """The value of a place; `offset` is the address of the first word, as the maker prints it."""
    own = list(words[place.address - offset : place.address - offset + place.words])
    data = in_order(own, place.order or order)
    raw = read(place, data)
    value = Decimal(raw) * Decimal(repr(place.scale))
    if place.exponent is not None:
        exponent = struct.unpack(">h", words[place.exponent - offset].to_bytes(2))[0]
        if abs(exponent) > _MOST_EXPONENT:
            raise NoMeasurementError(f"the scale factor at {place.exponent} is {exponent}")
        value = value.scaleb(exponent)
    if place.sign is not None:
        sign = words[place.sign - offset]
        if sign and sign not in _NEGATIVE:
            raise NoMeasurementError(f"the sign at {place.sign} is {sign:#06x}")
        value = -value if sign else value
    return value


def in_order(words: Sequence[int], order: Order) -> bytes:
    """Bytes of a number, most significant first, from its words in the order received."""
    ordered = words if order in {"ABCD", "BADC"} else words[::-1]
    return b"".join(word.to_bytes(2, "big" if order in {"ABCD", "CDAB"} else "little") for word in ordered)


def read(place: RegisterPlace, data: bytes) -> float:
    """The number in the bytes of a place.

    Raises an error that says so where they hold none.
    """
    bits = int.from_bytes(data)
    kind = place.type[:-2]
    sign_bit = 1 << (place.bits - 1)
    raw: float
    if place.type in _FLOATS:
        raw = struct.unpack(_FLOATS[place.type], data)[0]
    elif kind == "bcd":
        raw = _from_digits([int(digit, 16) for digit in data.hex()], 10)
    elif kind == "mod10k":
        raw = _from_digits(struct.unpack(f">{place.words}H", data), _DECIMAL_WORD)
    elif kind == "signmag":
        raw = -(bits ^ sign_bit) if bits & sign_bit else bits
    else:
        raw = int.from_bytes(data, signed=kind == "int")
    if place.unavailable is None:
        gone = bits == {"int": sign_bit, "uint": 2 * sign_bit - 1, "signmag": 2 * sign_bit - 1}.get(kind)
    else:
        gone = bits in place.unavailable or raw in place.unavailable
    if gone or not math.isfinite(raw):
        raise NoMeasurementError(f"0x{data.hex().upper()} says that there is no value")
    return raw


def _from_digits(digits: Sequence[int], base: int) -> int:
    number = 0
    for digit in digits:
        if digit >= base:
            raise NoMeasurementError(f"{digit:#x} is no digit to the base {base}")
        number = number * base + digit
    return number

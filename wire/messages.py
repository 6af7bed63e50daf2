"""The wire, version 1: what gateways publish and what they receive, as models of the JSON.

`Message` is strict: it accepts only a message without faults. What happens to the others, reading by reading and value
by value, is decided where messages are accepted (`ingest.decode`, `ingest.accept`).
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema

from metering.instants import milliseconds
from metering.model import Count, Model, Number

MAX_BYTES = 256 * 1024
MAX_READINGS = 5_000
MAX_ID = 128

State = Literal["measuring", "calibrating", "fault"]


_RFC_3339 = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})$"


def _written_as_a_date(text: Any) -> Any:
    """Digits in quotes would pass for seconds since the epoch, which nobody means."""
    if isinstance(text, str) and text[4:5] == "-":
        return text
    raise ValueError("a time is whole milliseconds since the epoch, or a text such as 2026-11-23T18:00:00+07:00")


def _whole(number: Any) -> int:
    """Languages without integers (Lua, JavaScript) write whole milliseconds as 1.7951508e12."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    raise ValueError("not whole milliseconds")


_Written = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as_a_date),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _RFC_3339}),
]
_Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "integer"})]
Instant = Annotated[
    Annotated[int, Field(strict=True)] | _Whole | _Written,
    Field(
        union_mode="left_to_right",
        description="whole milliseconds since the epoch (1.7951508e12 counts), or RFC 3339 with an offset",
    ),
]


class Reading(Model):
    """What one meter showed at one instant."""

    meter: Annotated[str, Field(strict=True, description="a meter of the park file")]
    ts: Instant
    values: Annotated[
        dict[str, Number | None], Field(min_length=1, description="quantity name to value; null means absent")
    ]
    state: Annotated[
        State | None,
        Field(description="absent: measuring; say `measuring` where a correction takes back another state"),
    ] = None

    @property
    def ms(self) -> int:
        """The instant of sampling, in milliseconds since the epoch."""
        return self.ts if isinstance(self.ts, int) else milliseconds(self.ts)


MessageId = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_ID)]


class BareReading(Reading):
    """A message of one reading, without the list around it."""

    id: MessageId | None = None


class Message(Model):
    """A batch of readings; with an `id` it is answered by a receipt once it is stored."""

    id: MessageId | None = None
    readings: Annotated[list[Reading], Field(max_length=MAX_READINGS)]


class Reason(StrEnum):
    """Why a value, a reading or a message was refused."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNKNOWN_GATEWAY = "unknown_gateway"
    UNKNOWN_METER = "unknown_meter"
    WRONG_GATEWAY = "wrong_gateway"
    UNKNOWN_QUANTITY = "unknown_quantity"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    BAD_TIME = "bad_time"
    FUTURE_TIME = "future_time"
    STORE_REJECTED = "store_rejected"


class Receipt(Model):
    """Ids of the messages whose good readings are in the database."""

    stored: list[str]


class RefusedReading(Model):
    """What was not stored: one value of a reading where `quantity` names it, else the whole reading.

    `meter` and `ts` as far as they could be made out.
    """

    meter: str | None = None
    ts: Any = None
    quantity: str | None = None
    reason: Reason
    detail: str


class Refusals(Model):
    """What was refused of one message; the message's `id` if it had one."""

    id: str | None = None
    refused: list[RefusedReading]


class Status(Model):
    """What a gateway says of itself; retained, and its last will with `online` false.

    `read`: readings taken from meters and put on disk since it started. `spooled`: messages on disk that are not
    confirmed yet, `spooled_bytes` their size, `oldest` the instant of the oldest reading among them. `unconfirmed`:
    messages sent without a receipt yet. `resent`: messages sent again since the start. `discarded`: readings lost for
    want of space, ever. `bad_values`: values that meters were asked for and did not give, or not so that they could be
    used, since the start. `fault`: what keeps it from working, in words.
    """

    online: bool
    version: str
    read: Count | None = None
    spooled: Count | None = None
    oldest: int | None = None
    spooled_bytes: Count | None = None
    unconfirmed: Count | None = None
    resent: Count | None = None
    discarded: Count | None = None
    bad_values: Count | None = None
    fault: str | None = None

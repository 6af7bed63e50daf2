"""History and manual readings from a spreadsheet, sent through the front door: MQTT, the ingester's checks, receipts.

A mapping says which column is what. A row is done when the ingester has answered it: stored, or refused with a reason.
What is done is noted beside the file, so an import that was interrupted goes on. Rows that were refused are written to
a file of their own, with the reason, to be corrected and imported again.
"""

import asyncio
import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import aiomqtt
import ryaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from ecopark.sheets import CellError, SheetRow, instant, number, read_rows
from gateway.publisher import Link
from metering.errors import OperatorError, UnavailableError
from metering.model import Identifier, Model, Zone
from metering.park import Park
from metering.quantities import QUANTITIES
from metering.units import conversion
from wire.client import client_of
from wire.topics import Channel, topic

BATCH: Final = 50
"""As many as one message of refusals reports."""

IN_FLIGHT: Final = 8
ANSWER_S: Final = 30.0
"""How long an answer may take before a batch is sent again."""

TRIES: Final = 10
FAULTS_SAID: Final = 20


class ImportColumn(Model):
    """One column of values: its quantity, its unit, and its meter where every meter has a column.

    `kind: increment` are amounts of the time before each row; they are added up from `base`, the register before them.
    """

    column: str
    quantity: str
    meter: str | None = None
    unit: str | None = None
    kind: Literal["total", "increment"] = "total"
    base: float | None = None

    @model_validator(mode="after")
    def _known(self) -> "ImportColumn":
        quantity = QUANTITIES.get(self.quantity)
        if quantity is None:
            raise ValueError(f"{self.quantity!r} is not a quantity; there are {', '.join(sorted(QUANTITIES))}")
        if conversion(self.unit, quantity) is None:
            raise ValueError(f"{self.unit!r} cannot become {quantity.unit}")
        if (self.kind == "increment") != (self.base is not None):
            raise ValueError(
                "increments need base, the register before the first of them (0 where none is known); totals do not"
            )
        return self


def _listed(columns: Any) -> Any:
    return (columns,) if isinstance(columns, str) else columns


class ImportMapping(Model):
    """How a spreadsheet is read. `time` is a column, or two of date and time of day; `zone` is that of local times."""

    park: Identifier | None = None
    gateway: Identifier
    time: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1, max_length=2)]
    format: str | None = None
    zone: Zone | None = None
    meter: str | None = None
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    header: Annotated[int, Field(strict=True, ge=1)] = 1
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    values: Annotated[tuple[ImportColumn, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _meters_are_named(self) -> "ImportMapping":
        if self.meter is None and any(column.meter is None for column in self.values):
            raise ValueError("say which column names the meter (meter), or the meter of each column of values")
        return self


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that is not stored, and why."""

    row: int
    reason: str


@dataclass(slots=True)
class ImportResult:
    """What happened to the rows of a file; `already`: rows that an earlier run of this import had done."""

    stored: int = 0
    already: int = 0
    faults: list[RowFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RowReading:
    """One reading of one row, as it is sent."""

    row: int
    meter: str
    ms: int
    values: Mapping[str, float]


def load_mapping(file: Path) -> ImportMapping:
    """Read a mapping. Raises `OperatorError` with every fault in it."""
    try:
        return ImportMapping.model_validate(ryaml.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = (f"{file}: {'.'.join(map(str, f['loc'])) or 'mapping'}: {f['msg']}" for f in error.errors())
        raise OperatorError("\n".join(faults)) from error
    except (OSError, ValueError) as error:
        raise OperatorError(f"{file}: cannot be read as YAML: {error}") from error


class ReadSheet(NamedTuple):
    """Readings of all rows, and the rows of which something cannot be read; their good values are readings."""

    readings: list[RowReading]
    faults: list[RowFault]


def readings_of(rows: Sequence[SheetRow], mapping: ImportMapping, park: Park) -> ReadSheet:
    """Read the rows of a sheet.

    Names of meters are ids or aliases of the park file. Raises `OperatorError` where increments cannot be added up.
    """
    names = {name: meter.id for meter in park.meters for name in (meter.id, meter.alias) if name}
    _heads_are_there(rows, mapping)
    sums: dict[tuple[str, str], float] = {}
    readings: list[RowReading] = []
    faults: list[RowFault] = []
    for row in rows:
        reasons: list[str] = []
        try:
            readings += _of_row(row, mapping, names, sums, reasons)
        except CellError as error:
            reasons.append(str(error))
        if reasons:
            faults.append(RowFault(row.number, "; ".join(reasons)))
    if faults and any(column.kind == "increment" for column in mapping.values):
        said = "\n".join(f"row {fault.row}: {fault.reason}" for fault in faults[:FAULTS_SAID])
        raise OperatorError(f"increments are added up, so no row may be missing; nothing was sent:\n{said}")
    return ReadSheet(readings, faults)


def _heads_are_there(rows: Sequence[SheetRow], mapping: ImportMapping) -> None:
    heads = set().union(*(row.cells for row in rows)) if rows else set()
    wanted = [*mapping.time, *([mapping.meter] if mapping.meter else []), *(column.column for column in mapping.values)]
    missing = [name for name in wanted if name not in heads]
    if rows and missing:
        raise OperatorError(
            f"no column {', '.join(map(repr, missing))}; there are {', '.join(map(repr, sorted(heads)))}"
        )


def _of_row(
    row: SheetRow,
    mapping: ImportMapping,
    names: Mapping[str, str],
    sums: dict[tuple[str, str], float],
    reasons: list[str],
) -> Iterator[RowReading]:
    """Readings of a row, one per meter; why a value is no reading goes to `reasons`."""
    zone = ZoneInfo(mapping.zone) if mapping.zone else None
    ms = instant(_time_cell(row, mapping), zone, mapping.format)
    by_meter: dict[str, dict[str, float]] = {}
    for column in mapping.values:
        try:
            sent = number(row.cells.get(column.column), mapping.decimal)
        except CellError as error:
            reasons.append(f"{column.column}: {error}")
            continue
        if sent is None:
            continue
        named = column.meter or str(row.cells.get(mapping.meter or "", "")).strip()
        meter = names.get(named)
        if meter is None:
            raise CellError(f"the park file has no meter with the id or alias {named!r}")
        into = conversion(column.unit, QUANTITIES[column.quantity])
        value = into.of(sent) if into is not None else sent
        if column.kind == "increment":
            key = (meter, column.quantity)
            value = sums[key] = round(sums.get(key, column.base or 0.0) + value, 9)
        by_meter.setdefault(meter, {})[column.quantity] = value
    for meter, values in by_meter.items():
        yield RowReading(row.number, meter, ms, values)


def _time_cell(row: SheetRow, mapping: ImportMapping) -> Any:
    day, *more = (row.cells.get(name) for name in mapping.time)
    if not more:
        return day
    clock = more[0]
    if isinstance(day, datetime) and isinstance(clock, str):
        with suppress(ValueError):
            clock = time_of_day.fromisoformat(clock.strip())
    if isinstance(day, datetime) and isinstance(clock, time_of_day):
        return datetime.combine(day, clock)
    return f"{day} {clock}"


class ImportJournal:
    """Which batches of which import are done, in a file beside the spreadsheet."""

    def __init__(self, file: Path, identity: str) -> None:
        self._file = file
        self._identity = identity
        self.done: set[str] = set()
        self.faults: list[RowFault] = []
        if file.exists():
            try:
                said = json.loads(file.read_text())
            except ValueError:
                said = {}
            if said.get("import") == identity:  # a changed mapping or content starts over
                self.done = set(said["done"])
                self.faults = [RowFault(**fault) for fault in said["faults"]]

    def note(self, batch: str, faults: Sequence[RowFault]) -> None:
        """Note a batch that was answered."""
        self.done.add(batch)
        self.faults += faults
        said = {
            "import": self._identity,
            "done": sorted(self.done),
            "faults": [{"row": fault.row, "reason": fault.reason} for fault in self.faults],
        }
        beside = self._file.with_name(self._file.name + ".new")
        beside.write_text(json.dumps(said))
        beside.replace(self._file)


async def send(
    readings: Sequence[RowReading],
    link: Link,
    journal: ImportJournal,
    progress: Callable[[int], None],
) -> ImportResult:
    """Send readings as the gateway of a link and wait for the ingester's answers.

    Raises `UnavailableError` where the broker or the ingester does not answer, after several tries: run it again later.
    """
    batches = {
        f"import-{journal_id(readings[at : at + BATCH])}": readings[at : at + BATCH]
        for at in range(0, len(readings), BATCH)
    }
    result = ImportResult(faults=list(journal.faults))
    waiting = {name: batch for name, batch in batches.items() if name not in journal.done}
    done = sum(len(batch) for name, batch in batches.items() if name in journal.done)
    result.already = done - len(journal.faults)
    progress(done)
    try:
        async with client_of(link.address) as client:
            for channel in (Channel.RECEIPTS, Channel.REFUSALS):
                await client.subscribe(topic(link.park, link.gateway, channel), qos=1)
            answers = _Answers(client)
            listening = asyncio.create_task(answers.run())
            try:
                await _send_all(
                    client, link, waiting, answers=answers, journal=journal, result=result, progress=progress
                )
            finally:
                listening.cancel()
    except* aiomqtt.MqttError as group:
        raise UnavailableError(
            f"the broker at {link.address}: {group.exceptions[0]}; run the import again, it goes on. Where the gateway "
            "runs too, import with the operator's account (accounts/operator.env): a gateway's own has one connection"
        ) from group
    return result


class _Answers:
    """Receipts and refusals as they come, by the id of the message."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.stored: dict[str, asyncio.Event] = {}
        self.refused: dict[str, list[dict[str, Any]]] = {}

    async def run(self) -> None:
        """Listen for as long as the task lives."""
        async for message in self._client.messages:
            said = json.loads(message.payload)
            for name in said.get("stored", ()):
                if name in self.stored:
                    self.stored[name].set()
            if "refused" in said and said.get("id") in self.stored:
                self.refused.setdefault(said["id"], []).extend(said["refused"])


async def _send_all(
    client: aiomqtt.Client,
    link: Link,
    waiting: Mapping[str, Sequence[RowReading]],
    answers: _Answers,
    journal: ImportJournal,
    result: ImportResult,
    progress: Callable[[int], None],
) -> None:
    """Keep a few batches in flight; each is sent again until it is answered."""
    free = asyncio.Semaphore(IN_FLIGHT)

    async def one(name: str, batch: Sequence[RowReading]) -> None:
        async with free:
            await _send_one(client, topic(link.park, link.gateway, Channel.READINGS), name, batch, answers)
        faults = _refused_rows(batch, answers.refused.pop(name, []))
        journal.note(name, faults)
        result.faults += faults
        result.stored += len(batch) - len(faults)
        progress(len(batch))

    async with asyncio.TaskGroup() as tasks:
        for name, batch in waiting.items():
            tasks.create_task(one(name, batch))


async def _send_one(client: aiomqtt.Client, to: str, name: str, batch: Sequence[RowReading], answers: _Answers) -> None:
    answered = answers.stored.setdefault(name, asyncio.Event())
    readings = [{"meter": each.meter, "ts": each.ms, "values": each.values} for each in batch]
    payload = json.dumps({"id": name, "readings": readings})
    for _ in range(TRIES):
        await client.publish(to, payload, qos=1)
        try:
            await asyncio.wait_for(answered.wait(), ANSWER_S)
        except TimeoutError:
            continue
        return
    raise UnavailableError(f"no ingester answers on {to}; start one, then run the import again: it goes on")


def _refused_rows(batch: Sequence[RowReading], refused: Sequence[Mapping[str, Any]]) -> list[RowFault]:
    rows = {(each.meter, each.ms): each.row for each in batch}
    found = {}
    for each in refused:
        ms = each.get("ts")
        row = rows.get((str(each.get("meter")), ms)) if isinstance(ms, int) else None
        if row is not None:
            found[row] = RowFault(row, f"{each.get('reason')}: {each.get('detail')}")
    return list(found.values())


def journal_id(readings: Sequence[RowReading]) -> str:
    """Identifier of readings by their content: the same rows are the same batch, whichever run sends them."""
    text = json.dumps([[each.meter, each.ms, dict(each.values)] for each in readings])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def write_refused(file: Path, rows: Sequence[SheetRow], faults: Sequence[RowFault], mapping: ImportMapping) -> None:
    """Write the rows that are not stored with their reason, as CSV in UTF-8 that a spreadsheet opens.

    Numbers and times of a worksheet become the texts that the same mapping reads.
    """
    by_number = {row.number: row for row in rows}
    heads = list(rows[0].cells) if rows else []
    with file.open("w", newline="", encoding="utf-8-sig") as written:
        writer = csv.writer(written)
        writer.writerow([*heads, "row", "reason"])
        for fault in sorted(faults, key=lambda fault: fault.row):
            cells = by_number[fault.row].cells if fault.row in by_number else {}
            texts = (_text_of(cells.get(head, ""), head, mapping) for head in heads)
            writer.writerow([*texts, fault.row, fault.reason])


def _text_of(cell: Any, head: str, mapping: ImportMapping) -> Any:
    if isinstance(cell, float):
        return (str(int(cell)) if cell.is_integer() else repr(cell)).replace(".", mapping.decimal)
    if isinstance(cell, datetime | time_of_day) and mapping.format is not None:
        if mapping.time == (head,):
            return cell.strftime(mapping.format)
        of_day, _, of_clock = mapping.format.partition(" ")
        if head in mapping.time:
            return cell.strftime(of_day if head == mapping.time[0] else of_clock)
    return cell


def load_rows(file: Path, mapping: ImportMapping) -> list[SheetRow]:
    """Rows of the spreadsheet as the mapping says. Raises `OperatorError`."""
    return read_rows(file, sheet=mapping.sheet, header=mapping.header, delimiter=mapping.delimiter)

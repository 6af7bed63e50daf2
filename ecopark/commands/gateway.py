"""`ecopark gateway`: the service beside the meters, and reading one device to see whether it is connected rightly."""

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import ryaml
import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Column, Table

from ecopark.settings import read_settings
from gateway import mbus, modbus
from gateway.drivers import faults, lines_of
from gateway.lines import LineAddress, parse_line
from gateway.mbus import BusAddress
from gateway.mbusmap import Answer, Records
from gateway.modbusmap import Map, wrong_in
from gateway.polling import Polling
from gateway.probe import Probed, probe_mbus, probe_modbus, probed_records
from gateway.publisher import Link
from gateway.service import GatewaySettings, run_gateway
from metering.errors import OperatorError
from metering.meterlibrary import library_model, library_names
from metering.park import Gateway, Park
from metering.parkfile import load_parks
from running.monitor import Monitor, served
from running.service import run_until_told

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The service next to the meters.")


@app.command(epilog="Example: ECOPARK_PARK=park.yaml ECOPARK_MODBUS_URL=modbus://10.0.0.7 ecopark gateway run gw-east")
def run(
    name: Annotated[str, typer.Argument(metavar="GATEWAY", help="Its id, or park/id among several parks.")],
) -> None:
    """Poll the meters of one gateway into its spool, and publish the spool."""
    settings = read_settings()
    place = _find_gateway(settings.park, name)
    park, found = place.park, place.gateway

    async def work(stop: asyncio.Event) -> None:
        link = Link(settings.broker(), park.id, found.id)
        lines = lines_of(park, found, settings.lines(), time.time)
        monitor = Monitor("gateway", lambda _: (), asyncio.get_running_loop().time)
        async with Polling(lines, clock=time.time, stop=stop) as source, served(monitor, settings.metrics):
            told = GatewaySettings(link, settings.spool, found.confirm, lambda: source.bad_values)
            await run_gateway(told, source, stop=stop, observe=lambda counts: monitor.report(counts.model_dump()))

    run_until_told(work)


@app.command(epilog="Example: ecopark gateway probe modbus://10.0.0.7 --profile eastron-sdm630 --device 5")
def probe(
    line: Annotated[
        str,
        typer.Argument(
            metavar="HOST", help="A host (Modbus TCP), or the URL of a line: modbus-rtu://10.0.0.8:4001, mbus://..."
        ),
    ],
    profile: Annotated[str, typer.Option(help="A profile of docs/devices.md, or a YAML file like one.")],
    device: Annotated[str, typer.Option(help="Unit identifier on Modbus, or address on M-Bus.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Read a device once: its registers, their values, and what looks wrong."""
    model = _profile(profile)
    address = _line(line if "://" in line or "/" in line else f"modbus://{line}")
    if address.scheme == "mbus":
        chart = _chart(Records, model.get("mbus"), profile, "mbus")
        answer = probe_mbus(address, _bus_address(device))
        found = probed_records(answer, chart)
    else:
        chart = _chart(Map, model.get("modbus"), profile, "modbus")
        for path, right in wrong_in(chart):
            raise OperatorError(f"{profile}: modbus.{'.'.join(map(str, path))}: {right}")
        if not device.isdecimal() or not 0 <= int(device) <= 255:  # noqa: PLR2004 (what a byte holds)
            raise OperatorError(f"--device {device}: a Modbus device has a number from 0 to 255")
        answer, found = None, asyncio.run(probe_modbus(address, int(device), chart))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
    else:
        _print(found, answer)


def _profile(name: str) -> dict[str, Any]:
    if name in library_names():
        return library_model(name)
    try:
        made = ryaml.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(library_names())
        raise OperatorError(f"--profile {name}: no such profile or file; there are {known}") from error
    except (ryaml.InvalidYamlError, ValueError) as error:
        raise OperatorError(f"--profile {name}: {error}") from error
    if not isinstance(made, dict):
        raise OperatorError(f"--profile {name}: a profile has modbus: or mbus: with registers; see docs/devices.md")
    return made


def _line(text: str) -> LineAddress:
    try:
        return parse_line(text, (*modbus.BUS.schemes, *mbus.BUS.schemes))
    except ValueError as error:
        raise OperatorError(f"{text}: {error}") from error


def _bus_address(text: str) -> str:
    try:
        return TypeAdapter(BusAddress).validate_python(text)
    except ValidationError as error:
        right = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise OperatorError(f"--device {text}: {right}") from error


def _chart(kind: type[Map] | type[Records], raw: Any, profile: str, driver: str) -> Any:
    if raw is None:
        raise OperatorError(f"{profile} has no block {driver}; this line speaks {driver}")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        problems = (f"{driver}.{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors())
        raise OperatorError(f"{profile}: " + "; ".join(problems)) from error


def _print(found: list[Probed], answer: Answer | None) -> None:
    console = Console()
    table = Table(Column("quantity", no_wrap=True), "where", "as it came", "value", "unit", "remark")
    for one in found:
        shown = "" if one.value is None else f"{one.value:.10g}"
        table.add_row(one.quantity, one.place, one.raw, shown, one.unit, one.remark)
    console.print(table)
    if answer is not None:
        console.print(f"secondary address {answer.secondary}, maker {answer.manufacturer}; all records:")
        for record in answer.records:
            console.print(f"  {record}: {record.why or record.value}", markup=False)


class _FoundGateway(NamedTuple):
    park: Park
    gateway: Gateway


def _find_gateway(where: Path, name: str) -> _FoundGateway:
    park_id, _, gateway_id = name.rpartition("/")
    found = [
        _FoundGateway(park, gateway)
        for park in load_parks(where, [faults]).values()
        for gateway in park.gateways
        if gateway.id == gateway_id and park_id in {"", park.id}
    ]
    if len(found) != 1:
        what = "several parks have" if found else "no park file has"
        raise OperatorError(f"{what} a gateway {name} in {where}; name it as park/gateway")
    return found[0]

"""The demo's parts one by one, for containers: the park's folder, its plant, and each of its gateways.

`prepare` puts the demo park into a folder that has no park file, and leaves any other as it is. `plant` and `gateway`
become the programs that a demo on one machine starts, with what the folder's plan says.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ecopark.settings import read_settings
from metering.errors import OperatorError
from metering.parkfile import load_park
from proving.demo.plan import Plan
from proving.plant.modbus import scheme_of

PORT = 5020
"""Of the first gateway's Modbus line; the others' follow, in the order of the park file."""


def prepare(folder: Path, days: int) -> bool:
    """Make the demo's park in a folder without park files; returns whether it did."""
    if any(folder.glob("*.yaml")):
        return False
    with tempfile.TemporaryDirectory(dir=folder) as made:  # a half-made one would be taken for a park
        Plan.of(Path(made), days, datetime.now(UTC))
        for name in ("plan.json", "park.yaml"):
            (Path(made) / name).replace(folder / name)
    return True


def ports(folder: Path, first: int) -> dict[str, int]:
    """Port of each gateway's Modbus line."""
    return {gateway.id: first + at for at, gateway in enumerate(load_park(folder / "park.yaml").gateways)}


def plant(folder: Path, ports: dict[str, int]) -> list[str]:
    """Command of the plant."""
    plan = _plan(folder)
    lines = ",".join(f"{gateway}={port}" for gateway, port in ports.items())
    where = ["--park", str(folder / "park.yaml"), "--ports", lines, "--host", "0.0.0.0"]  # noqa: S104 (its container)
    return ["-m", "proving.plant.server", *where, "--seed", str(plan.seed), "--start", plan.start.isoformat()]


def gateway(folder: Path, name: str, spool: Path) -> list[str]:
    """Command of a gateway: the first time it delivers all of the past, later what it missed."""
    plan = _plan(folder)
    since = round(spool.stat().st_mtime * 1000) if spool.exists() else plan.since
    past = ["--seed", str(plan.seed), "--start", plan.start.isoformat(), "--since", str(since)]
    return ["-m", "proving.demo.gateway", name, *past]


def _plan(folder: Path) -> Plan:
    file = folder / "plan.json"
    if not file.exists():
        raise OperatorError(f"{file} is missing: this is no demo's park; run without the profile demo")
    return Plan.model_validate_json(file.read_text())


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m proving.demo.parts",
        description="The demo's parts for containers.",
        epilog="Example: python -m proving.demo.parts gateway gw-east --dir park --plant plant",
    )
    parser.add_argument("part", choices=["prepare", "plant", "gateway"])
    parser.add_argument("gateway", nargs="?", help="its id in the park file")
    parser.add_argument("--dir", type=Path, required=True, help="the park's folder")
    parser.add_argument("--days", type=int, default=30, help="how much of the past there is (default: 30)")
    parser.add_argument("--plant", default="127.0.0.1", metavar="HOST", help="where the plant is")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the first gateway's line (default: {PORT})")
    options = parser.parse_args(arguments)
    try:
        command = _command(options)
    except OperatorError as error:
        sys.stderr.write(f"ecopark: {error}\n")
        return 2
    if command:
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606 (our own command line)
    return 0


def _command(options: argparse.Namespace) -> list[str]:
    """What to become; nothing where all is done."""
    if options.part == "prepare":
        prepare(options.dir, options.days)
        return []
    lines = ports(options.dir, options.port)
    if options.part == "plant":
        return plant(options.dir, lines)
    if options.gateway not in lines:
        raise OperatorError(f"{options.dir} has no gateway {options.gateway}; it has {', '.join(lines)}")
    os.environ["ECOPARK_PARK"] = str(options.dir / "park.yaml")
    scheme = scheme_of(load_park(options.dir / "park.yaml"), options.gateway)
    os.environ["ECOPARK_MODBUS_URL"] = f"{scheme}://{options.plant}:{lines[options.gateway]}"
    return gateway(options.dir, options.gateway, read_settings().spool)


if __name__ == "__main__":
    sys.exit(main())

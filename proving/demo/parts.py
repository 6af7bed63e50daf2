"""The demo's parts one by one, for containers: the park's folder, its plant, and each of its gateways.

`prepare` puts the demo park into a folder without a park file, and leaves any other unchanged. `plant` and `gateway`
turn into the programs that a demo on one machine starts, with the folder's plan.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ecopark.settings import read_settings
from metering.errors import OperatorError
from metering.parkfile import load_park
from proving.demo.plan import DemoPlan
from proving.plant.modbus import scheme_of

PORT = 5020
"""Of the first gateway's Modbus line; the others' follow, in the order of the park file."""


def prepare(folder: Path, days: int) -> bool:
    """Make the demo's park in a folder without park files; returns whether it did."""
    if any(folder.glob("*.yaml")):
        return False
    with tempfile.TemporaryDirectory(dir=folder) as made:  # a half-made one would be taken for a park
        DemoPlan.of(Path(made), days, datetime.now(UTC))
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


def gateway(folder: Path, name: str, host: str, first: int) -> list[str]:
    """Command of a gateway, whose line is at `host`: the first time it delivers all of the past, later what it missed.

    Sets what a gateway reads from the environment. Raises `OperatorError` for a gateway that the park has not.
    """
    plan, file, lines = _plan(folder), folder / "park.yaml", ports(folder, first)
    if name not in lines:
        raise OperatorError(f"{folder} has no gateway {name}; it has {', '.join(lines)}")
    os.environ["ECOPARK_PARK"] = str(file)
    os.environ["ECOPARK_MODBUS_URL"] = f"{scheme_of(load_park(file), name)}://{host}:{lines[name]}"
    spool = read_settings().spool
    since = round(spool.stat().st_mtime * 1000) if spool.exists() else plan.since
    past = ["--seed", str(plan.seed), "--start", plan.start.isoformat(), "--since", str(since)]
    return ["-m", "proving.demo.gateway", name, *past]


def _plan(folder: Path) -> DemoPlan:
    file = folder / "plan.json"
    if not file.exists():
        raise OperatorError(f"{file} is missing: this is no demo's park; run without the profile demo")
    return DemoPlan.model_validate_json(file.read_text())

"""Draws the pictures of the documentation: every page over the demo's data, by a program of your choice.

Grafana itself needs a browser and a person. So the drawing is left to any program that takes a dashboard's JSON and
makes a PNG of it, called as `PROGRAM PAGE.json --influx URL --db NAME --var NAME=VALUE ... --theme light --out FOLDER`;
it writes `FOLDER/PAGE.png`, over the page's own range of time. What only a running Grafana knows (open alerts,
annotations) is taken out. The demo runs as always meanwhile, filled first where it is new.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboards.generate import contents
from dashboards.setting import Setting
from metering.errors import OperatorError
from metering.park import Park
from proving.demo.run import run_demo
from store.schema import OPERATOR_DATABASE, tenant_database

DAYS = 30
TENANT, METER = "textile", "em-textile"
PAGES = (
    "overview",
    "electricity",
    "water",
    "heat",
    "ranking",
    "tenant",
    "meter",
    "balance",
    "quality",
    "pipeline",
)
IN_VIETNAMESE = ("overview", "tenant")
OWN = "own"
_ONE = {"tenant": TENANT, "meter": METER}
"""Choices of pages that show one of something; all others show everything."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page of `dashboards.generate.contents`, the database that it is drawn over, and the picture's name."""

    page: str
    database: str
    name: str


def pictures(park: Park) -> Iterator[Picture]:
    """What is drawn."""
    own = tenant_database(park.id, TENANT)
    for name in PAGES:
        yield Picture(f"en/{name}.json", OPERATOR_DATABASE, name)
    for name in IN_VIETNAMESE:
        yield Picture(f"vi/{name}.json", OPERATOR_DATABASE, f"{name}-vi")
    yield Picture(f"tenant/en/{OWN}.json", own, OWN)
    yield Picture(f"tenant/vi/{OWN}.json", own, f"{OWN}-vi")


def drawable(board: dict[str, Any]) -> dict[str, Any]:
    """The page without what a picture cannot have, closed up where a panel is gone."""
    gone = [panel["gridPos"] for panel in board["panels"] if panel["type"] == "alertlist"]
    panels = []
    for panel in board["panels"]:
        if panel["type"] != "alertlist":
            place = panel["gridPos"]
            up = sum(each["h"] for each in gone if each["y"] < place["y"])
            panels.append({**panel, "gridPos": {**place, "y": place["y"] - up}})
    return {**board, "panels": panels, "annotations": {"list": []}}


def choices(board: dict[str, Any], park: Park) -> Iterator[tuple[str, str]]:
    """Values of the variables at the head of a page."""
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if name == "park":
            yield name, park.id
        elif name in _ONE and not variable.get("multi"):
            yield name, _ONE[name]


async def draw(program: str, park: Park, influx: str, out: Path) -> None:
    """Draw everything over the running demo's database.

    Raises `OperatorError` where the program does not make a picture.
    """
    made = contents(Setting((park,), datetime.now(park.zone).date()))
    for picture in pictures(park):
        board = drawable(json.loads(made[picture.page]))
        await asyncio.to_thread(_draw, program, board, picture, park, influx, out)


def _draw(program: str, board: dict[str, Any], picture: Picture, park: Park, influx: str, out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{picture.name}.json"
        file.write_text(json.dumps(board), encoding="utf-8")
        command = [
            program,
            str(file),
            "--influx",
            influx,
            "--db",
            picture.database,
            "--theme",
            "light",
            "--out",
            folder,
        ]
        for name, value in choices(board, park):
            command += ["--var", f"{name}={value}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (the caller's)
        except OSError as error:
            raise OperatorError(f"{program} cannot be run: {error}") from error
        drawn = Path(folder) / f"{picture.name}.png"
        if not drawn.exists():
            raise OperatorError(f"{program} made no picture of {picture.page}; it says: {done.stderr.strip()[-500:]}")
        out.mkdir(parents=True, exist_ok=True)
        (out / drawn.name).write_bytes(drawn.read_bytes())


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m proving.demo.pictures",
        description="Draw the documentation's pictures of dashboards.",
        epilog="Example: python -m proving.demo.pictures ./draw-dashboard --dir .demo --out docs/pictures",
    )
    parser.add_argument("program", help="draws a dashboard's JSON to PNG (docs/dashboards.md says how it is called)")
    parser.add_argument("--dir", type=Path, default=Path(".demo"), help="the demo's folder (default: .demo)")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="default: docs/pictures")
    options = parser.parse_args()

    failed: list[OperatorError] = []

    async def meanwhile(park: Park, influx: str) -> None:
        try:
            await draw(options.program, park, influx, options.out)
        except OperatorError as error:  # not through the demo's tasks, which would end in a traceback
            failed.append(error)

    try:
        asyncio.run(run_demo(options.dir, days=DAYS, seconds=None, as_json=True, meanwhile=meanwhile))
    except OperatorError as error:
        failed.append(error)
    for each in failed:
        sys.stderr.write(f"ecopark: {each}\n")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

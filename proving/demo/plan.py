"""The state of a demo folder: when its plant began, its seed, and up to when readings were taken."""

import argparse
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from metering.errors import OperatorError
from metering.model import Model
from metering.park import Park
from metering.parkfile import load_park
from proving.plant.demopark import demo_park_text
from proving.plant.plant import Plant

PUBLISHER = "mosquitto_pub"
"""File of the demo's folder by which `mosquitto_pub` knows broker and account."""

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "song-xanh" / "park.yaml"
SEED = 7


class DemoPlan(Model):
    """`since`: readings before it are in the database already, in milliseconds since the epoch."""

    start: datetime
    days: int
    since: int
    seed: int = SEED

    @classmethod
    def of(cls, folder: Path, days: int, now: datetime) -> Self:
        """Take up what the folder remembers; a demo of other days or an old one is made anew."""
        file = folder / "plan.json"
        if file.exists():
            plan = cls.model_validate_json(file.read_text())
            if plan.days == days and now - plan.start < timedelta(days=days + 30):
                return plan
            _clear(folder)
        folder.mkdir(parents=True, exist_ok=True)
        zone = load_park(EXAMPLE).zone
        start = datetime.combine((now.astimezone(zone) - timedelta(days=days)).date(), datetime.min.time(), zone)
        plan = cls(start=start, days=days, since=round(start.timestamp() * 1000))
        (folder / "park.yaml").write_text(demo_park_text(EXAMPLE.read_text(), plan.plant(load_park(EXAMPLE))))
        plan.save(folder)
        return plan

    def save(self, folder: Path) -> None:
        """Remember."""
        (folder / "plan.json").write_text(self.model_dump_json())

    def plant(self, park: Park) -> Plant:
        """The plant as it has been since the demo's start."""
        return Plant(park, seed=self.seed, start=self.start)


def plant_past(name: str, description: str) -> argparse.Namespace:
    """The arguments of a process of the demo that reads the plant: `gateway`, `seed`, `start` and `since`."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=description)
    parser.add_argument("gateway", help="its id in the park file")
    parser.add_argument("--seed", type=int, required=True, help="of the plant")
    parser.add_argument("--start", type=datetime.fromisoformat, required=True, help="when the plant began")
    parser.add_argument("--since", type=int, required=True, help="first instant to read, ms since the epoch")
    return parser.parse_args()


def _clear(folder: Path) -> None:
    """Empty a demo folder, and nothing that is not one."""
    known = {"plan.json", "park.yaml", "park.baselines.json", "env", "broker", "influx", "logs", "spools"}
    known |= {"reports", "grafana", PUBLISHER}
    strangers = sorted(entry.name for entry in folder.iterdir() if entry.name not in known)
    if strangers:
        raise OperatorError(f"{folder} holds {strangers[0]}, which no demo made; choose another folder with --dir")
    shutil.rmtree(folder)

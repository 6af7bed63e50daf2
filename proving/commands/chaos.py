"""`ecopark chaos`: break everything while it works, and count what the database has in the end."""

import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, get_args

import typer

from proving.bench.parks import PER_GATEWAY
from proving.chaos.outage import METERS, Outage
from proving.chaos.run import Chaos
from proving.chaos.schedule import Deed, Part
from proving.chaos.verdict import Verdict

SHOWN = 20

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Break a simulated park while it works, and count. Ends with a line of JSON; exit 1 where a reading is lost.",
)

Seed = Annotated[int, typer.Option(help="Chooses what is broken and when.")]
Keep = Annotated[Path | None, typer.Option(help="An empty folder to keep logs and data in.")]


@app.command(epilog="Example: ecopark chaos run --seconds 60 --seed 7")
def run(
    seconds: Annotated[float, typer.Option(help="How long things are broken.")] = 60.0,
    seed: Seed = 7,
    keep: Keep = None,
) -> None:
    """Kill and pause gateways, broker, ingesters and database, while a gateway that was taken over does its worst."""
    with ExitStack() as stack:
        chaos = Chaos(_folder(keep, stack), seconds, seed)
        verdict = asyncio.run(chaos.run())
    kills, pauses = ({part: chaos.done[deed, part] for part in get_args(Part)} for deed in get_args(Deed))
    done = {"kills": kills, "pauses": sum(pauses.values()), "hostile": dict(chaos.hostile.sent)}
    _end(verdict, done)


@app.command(epilog="Example: ecopark chaos outage --seconds 120 --meters 500")
def outage(
    seconds: Annotated[float, typer.Option(help="How long the database is away.")] = 3600.0,
    meters: Annotated[int, typer.Option(help=f"Of the park, {PER_GATEWAY} a gateway.")] = METERS,
    seed: Seed = 7,
    keep: Keep = None,
) -> None:
    """Take the database from a large park: frozen for the first half, dead for the second."""
    with ExitStack() as stack:
        trial = Outage(_folder(keep, stack), seconds, meters, seed)
        verdict = asyncio.run(trial.run())
    _end(verdict, trial.memory() | (asdict(trial.back) if trial.back else {}))


def _folder(keep: Path | None, stack: ExitStack) -> Path:
    return keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecopark-chaos-")))


def _end(verdict: Verdict, more: dict[str, object]) -> None:
    for fault in verdict.faults[:SHOWN]:
        sys.stderr.write(f"{fault}\n")
    counts = asdict(verdict)
    del counts["faults"]
    sys.stdout.write(json.dumps(counts | more) + "\n")
    raise typer.Exit(1 if verdict.lost or verdict.wrong or not verdict.read else 0)

"""The commands: a module for each, of the command's name, which has its `app`."""

import time
from datetime import date
from typing import Annotated

import typer

from metering.instants import local_day
from metering.park import Park

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]
"""Option of every command with a result for other programs."""

AmongParks = Annotated[str | None, typer.Argument(metavar="[PARK]", help="Its id, among several parks.")]
"""Argument of every command that is about one park."""


def now_ms() -> int:
    """The present instant, ms."""
    return time.time_ns() // 1_000_000


def today(park: Park) -> date:
    """The present day in the park."""
    return local_day(now_ms(), park.zone)

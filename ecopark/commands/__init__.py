"""The commands: a module for each, of the command's name, which has its `app`."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]
"""Option of every command with a result for other programs."""

AmongParks = Annotated[str | None, typer.Argument(metavar="[PARK]", help="Its id, among several parks.")]
"""Argument of every command that is about one park."""

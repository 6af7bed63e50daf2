"""The command line. Exit status: 0 done, 1 the work failed, 2 wrong use or configuration."""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import Annotated

import typer
from typer._click import Command, Context
from typer.core import TyperGroup
from typer.main import get_command

from metering.errors import OperatorError, UnavailableError
from metering.parkfile import ParkFileError
from store.answers import RejectedError

COMMANDS = (
    "account",
    "baseline",
    "broker",
    "check",
    "close",
    "dashboards",
    "gateway",
    "guard",
    "import",
    "ingest",
    "listen",
    "park",
    "refused",
    "report",
    "statement",
    "store",
    "symbiosis",
    "tariffs",
    "tenants",
    "usage",
    "view",
    "weather",
)
_MODULES = {"import": "importing"}
"""Modules of commands whose names are Python keywords."""

PROVING = ("bench", "chaos", "demo")
"""Commands of the proving room; found by name, since no room imports that one."""


class _AsAsked(TyperGroup):
    """Imports a command's module on use: an ingester needs no numpy, nor its memory."""

    def list_commands(self, ctx: Context) -> list[str]:
        return [*super().list_commands(ctx), *sorted((*COMMANDS, *PROVING))]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name not in (*COMMANDS, *PROVING):
            return super().get_command(ctx, cmd_name)
        room = "proving" if cmd_name in PROVING else "ecopark"
        command = get_command(import_module(f"{room}.commands.{_MODULES.get(cmd_name, cmd_name)}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_AsAsked,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ecopark: telemetry of eco-industrial parks.",
)


@app.callback()
def _log_to_stderr(
    *, verbose: Annotated[bool, typer.Option("--verbose", help="Log more than warnings.")] = False
) -> None:
    handler = logging.StreamHandler(sys.stderr)
    as_json = os.environ.get("ECOPARK_LOG") == "json"
    handler.setFormatter(_Json() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])


class _Json(logging.Formatter):
    """One JSON object per line: time (RFC 3339, UTC), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def main() -> None:
    """Entry point: an error is one clear line; exit 2 where the operator must fix it, 1 where it may pass."""
    status = 0
    try:
        app()
    except* OperatorError as group:
        status = 2
        _say(group)
    except* UnavailableError as group:
        status = status or 1
        _say(group)
    except* RejectedError as group:
        status = 2
        _say(group)
    sys.exit(status)


def _say(group: BaseExceptionGroup[Exception]) -> None:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            _say(error)
        elif isinstance(error, RejectedError):
            sys.stderr.write(f"ecopark: {error.told}\n")
        else:
            sys.stderr.write(f"ecopark: {error}\n" if not isinstance(error, ParkFileError) else f"{error}\n")

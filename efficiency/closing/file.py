"""Closed months in a folder next to the park file: one file each, which people can read, compare and keep.

A file is never rewritten. Later changes go into the file of the month that is closed next, as the statements that
earlier months would have then.
"""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Self

import yaml
from pydantic import ValidationError, model_validator

from efficiency.closing.account import ParkAccount
from efficiency.closing.obstacle import Obstacle
from efficiency.closing.statement import CalendarMonth, Statement
from metering.errors import OperatorError
from metering.model import Identifier, Model
from metering.months import MONTH_WRITTEN, next_month
from metering.parkfile import explained
from metering.yamllines import Lines
from running.wholefile import write_whole


class Restated(Model):
    """The statements of an earlier month that would be different now."""

    month: CalendarMonth
    statements: tuple[Statement, ...]


class ClosedMonth(Model):
    """A month as it was closed; `anyway` is the reason if it was closed despite `obstacles`."""

    park: Identifier
    month: CalendarMonth
    closed_at: datetime
    anyway: str = ""
    obstacles: tuple[Obstacle, ...] = ()
    statements: tuple[Statement, ...]
    account: ParkAccount
    restated: tuple[Restated, ...] = ()

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(each.total_vnd for each in self.statements) != self.account.total_vnd:
            raise ValueError("the statements do not add up to the park's account")
        return self


def folder_of(park_file: Path) -> Path:
    """The folder of a park's closed months: `park.closed` next to `park.yaml`."""
    return park_file.with_suffix(".closed")


def file_of_month(park_file: Path, month: date) -> Path:
    """The file of a closed month."""
    return folder_of(park_file) / f"{month.strftime(MONTH_WRITTEN)}.yaml"


def load_closed(park_file: Path, park: str) -> tuple[ClosedMonth, ...]:
    """All closed months of a park, oldest first.

    Raises `OperatorError` if one of the files cannot be used.
    """
    return tuple(_load(file, park) for file in sorted(folder_of(park_file).glob("*.yaml")))


def _load(file: Path, park: str) -> ClosedMonth:
    try:
        text = file.read_text(encoding="utf-8")
        found = ClosedMonth.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OperatorError(f"{file}: cannot be read: {error}; {_RESTORE}") from error
    except ValidationError as error:
        path, right = next(explained(error, ClosedMonth))
        lines = Lines(text)
        raise OperatorError(f"{file}:{lines.of(path)}: {lines.name(path)}: {right}; {_RESTORE}") from error
    if found.park != park or file.stem != found.month.strftime(MONTH_WRITTEN):
        raise OperatorError(f"{file}: is of {found.park}, {found.month:{MONTH_WRITTEN}}; {_RESTORE}")
    return found


_RESTORE = "restore the file from a backup"


def write_closed(park_file: Path, closed: ClosedMonth) -> Path:
    """Write the file of a closed month and return it.

    Raises `OperatorError` if it cannot be written.
    """
    file = file_of_month(park_file, closed.month)
    content = closed.model_dump(mode="json", exclude_defaults=True)
    write_whole(file, yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120))
    return file


def may_close(closed: Sequence[ClosedMonth], month: date, today: date) -> None:
    """Check that a month may be closed: only once, in order, and after its end.

    Raises `OperatorError` otherwise.
    """
    if next_month(month) > today:
        raise OperatorError(f"{month:{MONTH_WRITTEN}} is not over yet: close it from {next_month(month)} on")
    if not closed:
        return
    newest = closed[-1].month
    if any(each.month == month for each in closed):
        raise OperatorError(
            f"{month:{MONTH_WRITTEN}} is closed already; what changed since is stated with the next month"
        )
    if month < newest:
        raise OperatorError(f"{month:{MONTH_WRITTEN}} is older than {newest:{MONTH_WRITTEN}}, which is closed")
    if month > next_month(newest):
        raise OperatorError(f"close {next_month(newest):{MONTH_WRITTEN}} before {month:{MONTH_WRITTEN}}")


def stated(closed: Sequence[ClosedMonth], month: date) -> dict[str, Statement]:
    """The newest statements of a month by tenant: as it was closed, or as a later month restated it."""
    found: dict[str, Statement] = {}
    for each in closed:
        if each.month == month:
            found |= {statement.tenant: statement for statement in each.statements}
        for restated in each.restated:
            if restated.month == month:
                found |= {statement.tenant: statement for statement in restated.statements}
    return found

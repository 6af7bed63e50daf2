"""Brings databases, credentials and Grafana in line with the park files, or only reports what that would take."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from ecopark.tenants.plan import Plan, SyncStep, Thing, plan
from metering.errors import OperatorError
from metering.park import Park

LANGUAGES: dict[str, Literal["en", "vi"]] = {"en": "en", "vi": "vi"}


class Target(Protocol):
    """A server that can be asked what it has and told what to change."""

    def wanted(self, parks: Iterable[Park]) -> list[Thing]:
        """What these parks need there."""

    async def find(self) -> list[Thing]:
        """What is there of Ecopark's."""

    async def apply(self, step: SyncStep) -> None:
        """Take one step."""


async def sync(
    targets: Sequence[Target], parks: Sequence[Park], *, dry_run: bool, prune: bool, say: Callable[[str], None]
) -> list[Plan]:
    """One plan per target, in order; each is made when the targets before it are done.

    Every step is reported before it is taken. A failure ends it: run it again, and it continues.
    """
    plans = []
    for target in targets:
        made = plan(target.wanted(parks), await target.find(), prune=prune)
        plans.append(made)
        for step in made.steps:
            say(f"would {step}" if dry_run else str(step))
            if not dry_run:
                await target.apply(step)
        for thing in made.stale:
            say(f"{thing} belongs to no tenant any more; remove it with --prune")
    return plans


def tenants_dashboards(folder: Path) -> dict[str, dict[str, Any]]:
    """Dashboards of a folder by uid.

    Raises `OperatorError` where there is none, or a file is none: tenants would lose those they have.
    """
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            board = json.loads(file.read_text(encoding="utf-8"))
            found[board["uid"]] = board
        except (ValueError, KeyError, TypeError) as error:
            raise OperatorError(
                f"{file} is no dashboard with a uid ({error}); generate the dashboards again"
            ) from error
    if not found:
        raise OperatorError(
            f"{folder} holds no dashboards; write them by ecopark dashboards --out, or name their folder"
        )
    return found

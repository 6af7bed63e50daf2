"""The pages of a viewer, and the only statements that it may send to the database: those of these pages.

A browser names a page, a panel and values; the statement is filled in here. Values are only ever inserted into regular
expressions, where they are escaped.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dashboards.filling import EVERYTHING, Choice, filled, interval, outside_patterns, span, stands_aside, with_macros
from dashboards.generate import PageOwner, contents
from dashboards.names import short
from dashboards.panels import POINTS
from dashboards.setting import Setting
from metering.model import Localized
from metering.park import Park
from metering.words import Language
from running.parkwatch import ParkWatch


class UnknownError(Exception):
    """A page, panel or variable that is not there, or a choice that is missing."""


@dataclass(frozen=True, slots=True)
class PageRange:
    """What the page shows. `relative`: it ends now and moves on, so panels may have a range of their own."""

    start: datetime
    end: datetime
    relative: bool


class EventQuery(NamedTuple):
    """A query of events as in the page, and its statement for the database."""

    target: dict[str, Any]
    statement: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One target of a panel with its statement for the database; none where another target answers."""

    ref: str
    statement: str | None


@dataclass(frozen=True, slots=True)
class Asks:
    """What a panel asks, and the range of its answer."""

    start: datetime
    end: datetime
    targets: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One page in one language, as Grafana's JSON."""

    language: Language
    content: dict[str, Any]

    @property
    def uid(self) -> str:
        """Its name in addresses."""
        return str(self.content["uid"])

    @property
    def zone(self) -> ZoneInfo:
        """The park's."""
        return ZoneInfo(self.content["timezone"])

    def panel(self, number: int, chosen: dict[str, list[str]], shown: PageRange) -> Asks:
        """The statements of a panel."""
        panel = next((each for each in self.content["panels"] if each["id"] == number), None)
        if panel is None:
            raise UnknownError(f"{self.uid} has no panel {number}")
        # An absolute range of the page counts more than a panel's own, as in Grafana.
        window = panel.get("timeFrom") if shown.relative else None
        start, end = span(window, panel.get("timeShift"), shown.start, shown.end, self.zone)
        every = interval(start, end, panel.get("interval"), panel.get("maxDataPoints") or POINTS)
        choices = self._choices(chosen)
        targets = []
        for target in panel.get("targets", ()):
            statement = with_macros(filled(target["query"], choices), start, end, every)
            targets.append(Ask(target["refId"], None if stands_aside(statement) else statement))
        return Asks(start, end, tuple(targets))

    def variable(self, name: str, chosen: dict[str, list[str]]) -> str:
        """The statement of the values that a variable offers."""
        for variable in self._variables():
            if variable["name"] == name and variable["type"] == "query":
                return filled(variable["definition"], self._choices(chosen, before=name))
        raise UnknownError(f"{self.uid} has no variable {name} with a query")

    def annotations(self, chosen: dict[str, list[str]], shown: PageRange) -> Iterator[EventQuery]:
        """The queries of events."""
        for annotation in self.content["annotations"]["list"]:
            statement = filled(annotation["target"]["query"], self._choices(chosen))
            yield EventQuery(annotation["target"], with_macros(statement, shown.start, shown.end, 60))

    def statements(self) -> Iterator[str]:
        """Every statement, not yet filled in."""
        for panel in self.content["panels"]:
            yield from (target["query"] for target in panel.get("targets", ()))
        yield from (each["definition"] for each in self._variables() if each["type"] == "query")
        yield from (each["target"]["query"] for each in self.content["annotations"]["list"])

    def _variables(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.content["templating"].get("list", [])
        return found

    def _choices(self, chosen: dict[str, list[str]], before: str | None = None) -> list[Choice]:
        choices = []
        for variable in self._variables():
            name = variable["name"]
            if name == before:
                break
            values = chosen.get(name)
            if not values:
                raise UnknownError(f"{self.uid}: choose a value of {name}")
            if variable.get("multi"):
                everything = EVERYTHING in values
                value = (EVERYTHING,) if everything else tuple(values)
                choices.append(Choice(name, value, variable.get("allValue") if everything else None))
            else:
                choices.append(Choice(name, values[0]))
        return choices


class Boards:
    """The pages of an operator, or of a tenant (`owner`); rebuilt on another day and where a park file has changed."""

    def __init__(self, where: Path, now: Callable[[], datetime], *, owner: PageOwner | None = None) -> None:
        self._watch: ParkWatch[Park] = ParkWatch(where, lambda park: park)
        self._now = now
        self._owner = owner
        self._prefix = "tenant/" if owner else ""
        self._setting = self._today()
        self._by_uid = self._made()

    @property
    def setting(self) -> Setting:
        """What the pages are made for."""
        return self._setting

    def look(self) -> bool:
        """Rebuild the pages where something has changed; returns whether it has."""
        changed = self._watch.look()
        setting = self._today()
        if not changed and setting.day == self._setting.day:
            return False
        self._setting = setting
        self._by_uid = self._made()
        return True

    def by_uid(self, uid: str) -> Board:
        """One page."""
        if uid not in self._by_uid:
            raise UnknownError(f"there is no page {uid}")
        return self._by_uid[uid]

    def all(self) -> Sequence[Board]:
        """Every page in every language, in the order in which they are listed."""
        return tuple(self._by_uid.values())

    def name_of(self, variable: str, value: str, language: Language) -> str:
        """The name of a variable's value; the value itself where it has none."""
        for park in self._setting.parks:
            named: Localized | None = None
            match variable:
                case "park" if value == park.id:
                    named = park.park.name
                case "tenant" if value in park.tenant:
                    named = short(park.tenant[value].name)
                case "meter" if value in park.meter:
                    named = park.meter[value].name
            if named is not None:
                return language.say(named)
        return value

    def _today(self) -> Setting:
        parks = tuple(self._watch.by_id.values())
        zone = ZoneInfo(Setting(parks, self._now().date()).timezone)
        return Setting(parks, self._now().astimezone(zone).date())

    def _made(self) -> dict[str, Board]:
        made = {}
        for name, text in contents(self._setting, self._owner).items():
            if name.endswith(".json") and name.startswith("tenant/") is bool(self._prefix):
                board = Board(Language(name.removeprefix(self._prefix).partition("/")[0]), json.loads(text))
                for statement in board.statements():
                    if loose := outside_patterns(statement):
                        raise ValueError(f"{board.uid}: {', '.join(sorted(loose))} is outside a pattern: {statement}")
                made[board.uid] = board
        return made

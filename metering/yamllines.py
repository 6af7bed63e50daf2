"""Reads YAML, and finds where in its text a value is: only needed to report faults, so it may be slow."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from metering.errors import OperatorError

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the document."""


class ReadYaml(NamedTuple):
    """The content of a YAML file, and its text, in which `Lines` finds the place of a fault."""

    content: Any
    text: str


def read_yaml(file: Path) -> ReadYaml:
    """Read a small YAML file.

    Raises `OperatorError` if it cannot be read, or is not YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
        return ReadYaml(yaml.safe_load(text), text)
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{file}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise OperatorError(f"{file}: is not YAML: {' '.join(str(error).split())}") from error


class _Nearest(NamedTuple):
    """What a path leads to, or, where that is `missing`, the nearest above it."""

    line: int
    node: Any
    missing: bool


class Lines:
    """Finds the line (from 1), the dotted name and the written value of a path, or of the nearest that exists."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, yaml.BaseLoader)

    def of(self, path: KeyPath) -> int:
        """Line of the value's key, or of the value itself in a list."""
        return self._find(path).line

    def has(self, path: KeyPath) -> bool:
        """Whether the text has something there."""
        return not self._find(path).missing

    def value(self, path: KeyPath) -> str:
        """The value as written where it is a scalar, else nothing."""
        found = self._find(path)
        return found.node.value if isinstance(found.node, yaml.ScalarNode) and not found.missing else ""

    def name(self, path: KeyPath) -> str:
        """A path for people, such as `meters[em-1].tenant`: ids replace list positions."""
        name, node = "", self._root
        for step in path:
            node = _child(node, step).node
            if isinstance(step, int):
                name += f"[{_id(node) or step}]"
            else:
                name += f".{step}" if name else step
        return name

    def _find(self, path: KeyPath) -> _Nearest:
        node, line = self._root, 1
        for step in path:
            key, child = _child(node, step)
            if child is None:
                return _Nearest(line, node, missing=True)
            node, line = child, (key or child).start_mark.line + 1
        return _Nearest(line, node, missing=False)


class Repeated(NamedTuple):
    """A key that its mapping already has; `start` and `end` delimit it and its value in the text."""

    path: KeyPath
    line: int
    start: int
    end: int


def repeated_keys(text: str) -> list[Repeated]:
    """Every key that occurs twice in a mapping, at its repetition."""
    found: list[Repeated] = []

    def walk(node: Any, path: KeyPath) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen:
                    mark = key.start_mark
                    found.append(Repeated((*path, name), mark.line + 1, mark.index, value.end_mark.index))
                else:
                    walk(value, (*path, name))
                seen.add(name)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                walk(value, (*path, index))

    walk(yaml.compose(text, yaml.BaseLoader), ())
    return found


def without_repeated(text: str, repeated: Iterable[Repeated]) -> str:
    """The text with repeated keys and their values blanked; every line keeps its number."""
    for key in repeated:
        blank = re.sub(r"[^\n]", " ", text[key.start : key.end])
        text = text[: key.start] + blank + text[key.end :]
    return text


class Large(NamedTuple):
    """What makes a text too large for a park file."""

    line: int
    key: str
    right: str


def too_large(text: str) -> Large | None:
    """Whether a text, with its aliases expanded, is larger than any park file needs to be.

    Parsers do not limit what they make of a text, and a service reads park files while it runs.
    """
    if len(text) > MOST_CHARACTERS:
        return Large(
            1, "file", f"has more than {MOST_CHARACTERS:,} characters; split the park or leave out what is not it"
        )
    lengths = list(map(len, text.split("\n")))
    if max(lengths) > MOST_IN_A_LINE:
        number = lengths.index(max(lengths)) + 1
        return Large(number, "YAML", f"this line has more than {MOST_IN_A_LINE:,} characters; no value is that long")
    if _ALIAS.search(text) is not None and _values(text) > MOST_VALUES:
        return Large(1, "YAML", f"its aliases (*) stand for more than {MOST_VALUES:,} values; write out what is meant")
    return None


MOST_CHARACTERS: Final = 16_000_000
MOST_IN_A_LINE: Final = 65_536
MOST_VALUES: Final = 2_000_000
_ALIAS: Final = re.compile(r"\*[^\s\]},]")
_Loader: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def _values(text: str) -> int:
    """How many values a text has once its aliases are expanded; an alias inside its own target counts once.

    Counted from the parser's events: composing the nodes takes four times as long.
    """
    known: dict[str | None, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            total += known.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor is not None:
                known[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total))
            total += 1
            if event.anchor is not None:
                known[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                known[anchor] = total - before
    return total


class _Child(NamedTuple):
    """A node below another; None where there is none. In a mapping it has a key."""

    key: Any
    node: Any


def _child(node: Any, step: str | int) -> _Child:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return _Child(key, value)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _Child(None, node.value[step])
    return _Child(None, None)


def _id(node: Any) -> str | None:
    found = _child(node, "id").node
    return found.value if isinstance(found, yaml.ScalarNode) else None

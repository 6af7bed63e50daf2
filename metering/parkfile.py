"""Reads park files and reports every fault at once: file, line, key, value, and what would be right.

The fast path parses and validates; only a file with faults is read a second time, to find their lines.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import ryaml
import yaml
from pydantic import BaseModel, ValidationError

from metering.errors import OperatorError
from metering.lenient import Broken, as_far_as_read, read_leniently
from metering.meterlibrary import DRIVER_NAMES
from metering.park import Park
from metering.parkrules import broken_rules
from metering.rules import one_of
from metering.shortforms import SHORT_FORMS, as_written, written_out
from metering.yamllines import KeyPath, Lines, repeated_keys, too_large, without_repeated

Judge = Callable[[Park], Iterator[Broken]]
"""Finds what is wrong with a park that may have been read leniently: the path of each fault and what would be right."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a park file."""

    file: Path
    line: int
    key: str
    value: str
    right: str

    def __str__(self) -> str:
        value = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in self.value)
        shown = f" is {value}" if value else ""
        return f"{self.file}:{self.line}: {self.key}{shown}: {self.right}"


class ParkFileError(OperatorError):
    """A park file that cannot be used, with all its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def load_park(file: Path, judges: Sequence[Judge] = ()) -> Park:
    """Read one park file; `judges` find further faults, such as those of drivers in their blocks.

    Raises `ParkFileError` with every fault in it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParkFileError([Fault(file, 1, "file", "", f"cannot be read: {error}")]) from error
    try:
        if (large := too_large(text)) is not None:
            raise ParkFileError([Fault(file, large.line, large.key, "", large.right)])
        return _parsed(file, text, judges)
    except yaml.YAMLError as error:  # the second reading is stricter than the first, with tabs for instance
        raise ParkFileError(list(_unparsed(file, text, str(error), judges))) from error
    except RecursionError as error:
        right = "is nested too deeply, or an alias (*) is inside its own target; write it out"
        raise ParkFileError([Fault(file, 1, "YAML", "", right)]) from error


def _parsed(file: Path, text: str, judges: Sequence[Judge]) -> Park:
    try:
        raw = ryaml.loads(text)
    except (ryaml.InvalidYamlError, ValueError) as error:  # the second for keys that are lists or mappings
        raise ParkFileError(list(_unparsed(file, text, str(error), judges))) from error
    if not isinstance(raw, dict):
        right = "a park file is a mapping with park, tenants, gateways and meters"
        raise ParkFileError([Fault(file, 1, "file", "", right)])
    if "park" not in raw and raw.keys() >= _OF_A_BILL:
        right = "is a supplier's bill and no park file: keep bills in a folder of their own"
        raise ParkFileError([Fault(file, 1, "file", "", right)])
    try:
        park = Park.model_validate(raw)
    except ValidationError as error:
        raise ParkFileError(_located(file, Lines(text), _all_that_is_wrong(raw, error, judges))) from error
    broken = _broken(park, judges)
    if broken:
        raise ParkFileError(_located(file, Lines(text), broken))
    return park


def _broken(park: Park, judges: Sequence[Judge]) -> list[Broken]:
    found = list(broken_rules(park))
    for judge in judges:
        found += as_far_as_read(judge(park))
    return found


def _all_that_is_wrong(raw: dict[str, Any], error: ValidationError, judges: Sequence[Judge]) -> list[Broken]:
    """What the models report, and what the rules find in all that can be read nevertheless."""
    found = list(explained(error, Park))
    places = {broken.path for broken in found}
    read = read_leniently(Park, written_out(raw))
    return found + [broken for broken in [*read.hidden, *_broken(read.model, judges)] if broken.path not in places]


def park_files(where: Path) -> list[Path]:
    """The park file itself, or those of a folder: `*.yaml` in it and `*/park.yaml` one below.

    Raises `OperatorError` where there is none.
    """
    if where.is_file():
        return [where]
    found = sorted([*where.glob("*.yaml"), *where.glob("*/park.yaml")]) if where.is_dir() else []
    if not found:
        raise OperatorError(f"{where}: no park file there; point ECOPARK_PARK at a park file or a folder of them")
    return found


def load_parks(where: Path, judges: Sequence[Judge] = ()) -> dict[Path, Park]:
    """Read all park files of a folder (or the one file); `judges` as for `load_park`.

    Raises `ParkFileError` with the faults of all of them.
    """
    parks: dict[Path, Park] = {}
    faults: list[Fault] = []
    for file in park_files(where):
        try:
            park = load_park(file, judges)
        except ParkFileError as error:
            faults.extend(error.faults)
            continue
        if any(other.id == park.id for other in parks.values()):
            faults.append(Fault(file, 1, "park.id", park.id, "another park file has this id already; choose another"))
        faults += _same_names(file, park, parks)
        parks[file] = park
    if faults:
        raise ParkFileError(faults)
    return parks


def _same_names(file: Path, park: Park, others: Mapping[Path, Park]) -> Iterator[Fault]:
    """Tenants whose databases would have the same name, such as `b_c` of park `a` and `c` of park `a_b`."""
    taken = {f"{other.id}_{tenant}": other_file for other_file, other in others.items() for tenant in other.tenant}
    for tenant in park.tenant:
        if f"{park.id}_{tenant}" in taken and all(other.id != park.id for other in others.values()):
            right = f"its database would have the name of another's, in {taken[f'{park.id}_{tenant}']}; rename it"
            yield Fault(file, 1, "tenants", tenant, right)


def _located(file: Path, lines: Lines, faults: Iterable[Broken]) -> list[Fault]:
    """Faults with their lines, in order; a fault of a model's register is not repeated for each of its meters."""
    written = dict.fromkeys((_where_said(as_written(path, lines), lines), right) for path, right in faults)
    found = [
        Fault(file, lines.of(path), lines.name(path), lines.value(path)[:_SHOWN], right) for path, right in written
    ]
    return sorted(found, key=lambda fault: fault.line)


def _where_said(path: KeyPath, lines: Lines) -> KeyPath:
    """The place in the meter's model, where more of the path is written there than at the meter."""
    match path:
        case ("meters", int(), "instruments", int(), "registers", _, _, *_):
            own = path[:4]
        case ("meters", int(), str(part), _, *_) if part in {"registers", *DRIVER_NAMES}:
            own = path[:2]
        case _:
            return path
    rest = path[len(own) :]
    models = [("meter_models", model) for model in _models(path[:2], lines)]
    base = max((own, *models), key=lambda base: _written(base, rest, lines))
    return (*base, *rest)


def _written(base: KeyPath, rest: KeyPath, lines: Lines) -> int:
    """How many steps of `rest` are written below `base`."""
    return next((steps for steps in range(len(rest)) if not lines.has((*base, *rest[: steps + 1]))), len(rest))


def _models(meter: KeyPath, lines: Lines) -> Iterator[str]:
    yield lines.value((*meter, "model"))
    place = 0
    while lines.has((*meter, "instruments", place)):
        yield lines.value((*meter, "instruments", place, "model"))
        place += 1


def _unparsed(file: Path, text: str, error: str, judges: Sequence[Judge]) -> Iterator[Fault]:
    """What is wrong with a text that is no YAML; where only keys are repeated, also every other fault."""
    try:
        repeated = repeated_keys(text)
    except yaml.MarkedYAMLError as syntax:
        mark = syntax.problem_mark
        yield Fault(file, mark.line + 1 if mark else 1, "YAML", "", str(syntax.problem or error))
        return
    except yaml.YAMLError:
        yield Fault(file, 1, "YAML", "", error)
        return
    if not repeated:
        yield Fault(file, 1, "YAML", "", error)
        return
    lines = Lines(text)
    faults = [Fault(file, key.line, lines.name(key.path), "", "is here a second time; keep one") for key in repeated]
    try:
        _parsed(file, without_repeated(text, repeated), judges)
    except ParkFileError as others:
        faults += others.faults
    yield from sorted(faults, key=lambda fault: fault.line)


def explained(error: ValidationError, kind: type[BaseModel]) -> Iterator[Broken]:
    """For each value that the model rejects, what would be right."""
    for problem in error.errors(include_url=False):
        path: KeyPath = problem["loc"]
        match problem["type"]:
            case "extra_forbidden":
                yield Broken(path, _unknown_key(str(path[-1]), path, kind))
            case "missing":
                yield Broken(path, "is missing; add it")
            case "string_pattern_mismatch" if path[-1] in _IDENTIFIER_KEYS:
                yield Broken(path, "a letter first, then letters, digits, _ or -, at most 64 in all")
            case "value_error":
                yield Broken(path, problem["msg"].removeprefix("Value error, "))
            case "tuple_type":
                yield Broken(path, "must be a list")
            case "too_short":
                yield Broken(path, "at least one entry is needed")
            case _:
                yield Broken(path, problem["msg"][0].lower() + problem["msg"][1:])


_SHOWN = 60
_OF_A_BILL = frozenset({"utility", "from", "to", "lines"})
_OF_A_DRIVER = frozenset({"address", "type", "scale"})
_IDENTIFIER_KEYS = frozenset({"id", "tenant", "gateway", "parent"})


def _unknown_key(key: str, path: KeyPath, kind: type[BaseModel]) -> str:
    if kind is Park and key in _OF_A_DRIVER and "registers" in path:
        return (
            "only a driver knows this: write it into the driver's block, such as modbus: {registers: ...};"
            " where the device publishes on its own, give its unit under values of its source"
        )
    names = _names_at(path[:-1], kind)
    close = difflib.get_close_matches(key, names, n=1)
    return f"unknown key; did you mean {close[0]}?" if close else one_of(names, "a key that is known here")


def _names_at(path: KeyPath, kind: type[BaseModel]) -> list[str]:
    """Follow the models down the path and list the keys that the innermost one knows."""
    for step in path:
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        if step in fields:
            inner = _model_in(fields[str(step)].annotation)
            if inner is not None:
                kind = inner
    names = [field.alias or name for name, field in kind.model_fields.items()]
    return names + [short for name in names for short in SHORT_FORMS.get(name, ())]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)

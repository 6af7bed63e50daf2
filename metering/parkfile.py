"""Reads park files and reports every fault at once: file, line, key, value, and what would be right.

The fast path parses and validates; only a file with faults is read a second time, to find their lines.
"""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import ryaml
import yaml
from pydantic import BaseModel, ValidationError

from metering.errors import OperatorError
from metering.meters import Meter
from metering.park import Gateway, Park, Tenant
from metering.parkrules import Parts, broken_rules, one_of, parts_of
from metering.tariffs import Tariffs
from metering.yamllines import KeyPath, Lines, duplicate_keys


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a park file."""

    file: Path
    line: int
    key: str
    value: str
    right: str

    def __str__(self) -> str:
        shown = f" is {self.value}" if self.value else ""
        return f"{self.file}:{self.line}: {self.key}{shown}: {self.right}"


class ParkFileError(OperatorError):
    """A park file that cannot be used, with all its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def load_park(file: Path) -> Park:
    """Read one park file.

    Raises `ParkFileError` with every fault in it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParkFileError([Fault(file, 1, "file", "", f"cannot be read: {error}")]) from error
    try:
        return _parsed(file, text)
    except yaml.YAMLError as error:  # the second reading is stricter than the first, with tabs for instance
        raise ParkFileError(list(_syntax_faults(file, text, str(error)))) from error
    except RecursionError as error:
        right = "is nested too deeply, or an alias (*) stands inside what it refers to; write it out"
        raise ParkFileError([Fault(file, 1, "YAML", "", right)]) from error


def _parsed(file: Path, text: str) -> Park:
    try:
        raw = ryaml.loads(text)
    except (ryaml.InvalidYamlError, ValueError) as error:  # the second for keys that are lists or mappings
        raise ParkFileError(list(_syntax_faults(file, text, str(error)))) from error
    if not isinstance(raw, dict):
        right = "a park file is a mapping with park, tenants, gateways and meters"
        raise ParkFileError([Fault(file, 1, "file", "", right)])
    _put_models_in(raw)
    try:
        park = Park.model_validate(raw)
    except ValidationError as error:
        raise _located(file, text, [*_explained(error), *broken_rules(_sound_parts(raw))]) from error
    broken = list(broken_rules(parts_of(park)))
    if broken:
        raise _located(file, text, broken)
    return park


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


def load_parks(where: Path) -> dict[Path, Park]:
    """Read all park files of a folder (or the one file).

    Raises `ParkFileError` with the faults of all of them.
    """
    parks: dict[Path, Park] = {}
    faults: list[Fault] = []
    for file in park_files(where):
        try:
            park = load_park(file)
        except ParkFileError as error:
            faults.extend(error.faults)
            continue
        if any(other.id == park.id for other in parks.values()):
            faults.append(Fault(file, 1, "park.id", park.id, "another park file has this id already; choose another"))
        parks[file] = park
    if faults:
        raise ParkFileError(faults)
    return parks


def _located(file: Path, text: str, faults: Iterable[tuple[KeyPath, str]]) -> ParkFileError:
    lines = Lines(text)
    found = [Fault(file, lines.of(path), lines.name(path), lines.value(path)[:_SHOWN], right) for path, right in faults]
    return ParkFileError(sorted(found, key=lambda fault: fault.line))


def _syntax_faults(file: Path, text: str, error: str) -> Iterator[Fault]:
    try:
        repeated = duplicate_keys(text)
    except yaml.MarkedYAMLError as syntax:
        mark = syntax.problem_mark
        yield Fault(file, mark.line + 1 if mark else 1, "YAML", "", str(syntax.problem or error))
        return
    except yaml.YAMLError:
        yield Fault(file, 1, "YAML", "", error)
        return
    lines = Lines(text)
    for path, line in repeated:
        yield Fault(file, line, lines.name(path), "", "stands here a second time; keep one")
    if not repeated:
        yield Fault(file, 1, "YAML", "", error)


def _put_models_in(raw: dict[str, Any]) -> None:
    """Give each meter the registers of its model, where both are what they should be; the models judge the rest."""
    models, meters = raw.get("meter_models"), raw.get("meters")
    if not isinstance(models, dict) or not isinstance(meters, list):
        return
    for meter in meters:
        if not isinstance(meter, dict):
            continue
        model, own = models.get(str(meter.get("model"))), meter.get("registers", {})
        shared = model.get("registers") if isinstance(model, dict) else None
        if isinstance(shared, dict) and isinstance(own, dict):
            meter["registers"] = {**shared, **own}


S = TypeVar("S", bound=BaseModel)


def _sound_parts(raw: dict[str, Any]) -> Parts:
    """Keep what is right in itself, so that one fault does not hide those between the other parts."""

    def sound(section: str, kind: type[S]) -> dict[int, S]:
        kept: dict[int, S] = {}
        for index, item in enumerate(_list(raw.get(section))):
            with suppress(ValidationError):
                kept[index] = kind.model_validate(item)
        return kept

    def ids(section: str) -> frozenset[str]:
        return frozenset(str(item["id"]) for item in _list(raw.get(section)) if isinstance(item, dict) and "id" in item)

    tariffs = None
    with suppress(ValidationError):
        tariffs = Tariffs.model_validate(raw.get("tariffs", {}))
    models = raw.get("meter_models")
    return Parts(
        sound("tenants", Tenant),
        sound("gateways", Gateway),
        sound("meters", Meter),
        tariffs,
        ids("tenants"),
        ids("gateways"),
        ids("meters"),
        frozenset(map(str, models)) if isinstance(models, dict) else frozenset(),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _explained(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    for problem in error.errors(include_url=False):
        path: KeyPath = problem["loc"]
        match problem["type"]:
            case "extra_forbidden":
                yield path, _unknown_key(str(path[-1]), path)
            case "missing":
                yield path, "is missing; add it"
            case "string_pattern_mismatch" if path[-1] in _IDENTIFIER_KEYS:
                yield path, "a letter first, then letters, digits, _ or -, at most 64 in all"
            case "value_error":
                yield path, problem["msg"].removeprefix("Value error, ")
            case "tuple_type":
                yield path, "must be a list"
            case "too_short":
                yield path, "at least one entry is needed"
            case _:
                yield path, problem["msg"][0].lower() + problem["msg"][1:]


_SHOWN = 60
_IDENTIFIER_KEYS = frozenset({"id", "tenant", "gateway", "parent"})


def _unknown_key(key: str, path: KeyPath) -> str:
    names = _names_at(path[:-1])
    close = difflib.get_close_matches(key, names, n=1)
    return f"unknown key; did you mean {close[0]}?" if close else one_of(names, "a key that is known here")


def _names_at(path: KeyPath) -> list[str]:
    """Follow the models down the path and list the keys that the innermost one knows."""
    kind: type[BaseModel] = Park
    for step in path:
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        if step in fields:
            inner = _model_in(fields[str(step)].annotation)
            if inner is not None:
                kind = inner
    return [field.alias or name for name, field in kind.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)

"""Reads as much of a faulty mapping as possible, so that one fault does not hide the others.

A value of the right type that is out of bounds counts as read. What cannot be read is left out: a model raises
`AttributeError` when it, or anything missing, is accessed. Rules on such models report what they find until then.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, Union, cast, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, TypeAdapter, ValidationError

from metering.yamllines import KeyPath

M = TypeVar("M", bound=BaseModel)


class Broken(NamedTuple):
    """The place of a fault and what would be right."""

    path: KeyPath
    right: str


class PartlyRead(NamedTuple, Generic[M]):
    """A model as far as it could be read, and what its own checks say of values that faults had hidden."""

    model: M
    hidden: list[Broken]


class UnreadError(AttributeError):
    """A value was accessed that could not be read."""


def as_far_as_read(found: Iterator[Broken]) -> Iterator[Broken]:
    """What a rule finds until it accesses something that could not be read."""
    try:
        yield from found
    except AttributeError:
        return


def was_read(part: BaseModel, name: str) -> bool:
    """Whether a field of a leniently read model can be accessed."""
    return name in part.__dict__


def read_leniently(kind: type[M], raw: Any) -> PartlyRead[M]:
    """Read a model as far as possible."""
    hidden: list[Broken] = []
    return PartlyRead(_model(kind, raw, (), hidden), hidden)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read(kind: Any, raw: Any, path: KeyPath, hidden: list[Broken]) -> Any:
    try:
        return _adapter(kind).validate_python(raw)
    except ValidationError:
        return _parts(kind, raw, path, hidden)


def _parts(kind: Any, raw: Any, path: KeyPath, hidden: list[Broken]) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], raw, path, hidden)
    if origin in {Union, UnionType}:
        return _parts(next(one for one in arguments if one is not type(None)), raw, path, hidden)
    if origin is dict and isinstance(raw, dict):
        return {key: _read(arguments[1], value, (*path, key), hidden) for key, value in raw.items()}
    if origin is tuple and isinstance(raw, list):
        return tuple(_read(arguments[0], value, (*path, index), hidden) for index, value in enumerate(raw))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(kind, raw, path, hidden)
    raise UnreadError


def _annotated(kind: Any, checks: tuple[Any, ...], raw: Any, path: KeyPath, hidden: list[Broken]) -> Any:
    for check in checks:
        if isinstance(check, BeforeValidator):
            try:
                raw = cast(Callable[[Any], Any], check.func)(raw)
            except ValueError:
                raise UnreadError from None
    value = _read(kind, raw, path, hidden)
    for check in checks:
        if isinstance(check, AfterValidator):
            try:
                value = cast(Callable[[Any], Any], check.func)(value)
            except ValueError as error:
                hidden.append(Broken(path, str(error)))
            except AttributeError:  # it accesses something that could not be read
                break
    return value


def _model(kind: type[M], raw: Any, path: KeyPath, hidden: list[Broken]) -> M:
    made = kind.model_construct()
    made.__dict__.clear()
    if isinstance(raw, dict):
        keys = {field.alias or name for name, field in kind.model_fields.items()}
        misspelt = {close for key in raw if key not in keys for close in get_close_matches(str(key), keys, n=1)}
        for name, field in kind.model_fields.items():
            key = field.alias or name
            if key in raw:
                annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
                with suppress(UnreadError):
                    made.__dict__[name] = _read(annotation, raw[key], (*path, key), hidden)
            elif not field.is_required() and key not in misspelt:
                made.__dict__[name] = field.get_default(call_default_factory=True)
    return made

"""The YAML file of what people enter into the yearly forms, because no meter knows it.

    A.4: {land_green_pct: 12.5, recp_firms: 4}
    A.5: {ghg_programme: true}
    B.4: {textile: {product: dyed fabric, capacity: 18000}}
    B.5: {textile: {recp_share_pct: 40}}

All faults are told at once, each with file, line, key and what would be right.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from efficiency.reports.forms import PARK_FORMS, TENANT_FORMS, Field, Given, Kind
from metering.errors import OperatorError
from metering.park import Park
from metering.yamllines import Lines

_RIGHT = {Kind.NUMBER: "a number", Kind.YES_NO: "true or false", Kind.TEXT: "a text"}


def read_entered(file: Path, park: Park) -> dict[tuple[str, str, str], Given]:
    """Read the file.

    Raises `OperatorError` with all its faults.
    """
    try:
        text = file.read_text(encoding="utf-8")
        raw = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{file}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise OperatorError(f"{file}: is not YAML: {' '.join(str(error).split())}") from error
    found: dict[tuple[str, str, str], Given] = {}
    faults: list[tuple[tuple[str, ...], str]] = []
    for path, right in _take(raw if raw is not None else {}, park, found):
        faults.append((path, right))
    if faults:
        lines = Lines(text)
        told = (f"{file}:{lines.of(path)}: {'/'.join(path) or 'file'}: {right}" for path, right in faults)
        raise OperatorError("\n".join(told))
    return found


def _take(raw: Any, park: Park, found: dict[tuple[str, str, str], Given]) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(raw, dict):
        yield (), f"a mapping of the forms {', '.join([*PARK_FORMS, *TENANT_FORMS])}"
        return
    for form, content in raw.items():
        if form in PARK_FORMS:
            yield from _fields((str(form),), "", content, PARK_FORMS[form], found)
        elif form not in TENANT_FORMS:
            yield (str(form),), f"one of the forms {', '.join([*PARK_FORMS, *TENANT_FORMS])}"
        elif not isinstance(content, dict):
            yield (str(form),), "a mapping of tenants"
        else:
            for tenant, fields in content.items():
                if tenant not in park.tenant:
                    yield (str(form), str(tenant)), f"a tenant of the park file: {', '.join(park.tenant)}"
                else:
                    yield from _fields((str(form), tenant), tenant, fields, TENANT_FORMS[form], found)


def _fields(
    path: tuple[str, ...], tenant: str, content: Any, fields: Sequence[Field], found: dict[tuple[str, str, str], Given]
) -> Iterator[tuple[tuple[str, ...], str]]:
    known = {field.code: field for field in fields}
    if not isinstance(content, dict):
        yield path, f"a mapping of fields: {', '.join(known)}"
        return
    for code, value in content.items():
        where = (*path, str(code))
        if code not in known:
            yield where, f"one of the fields {', '.join(known)}"
        elif value is not None and not _fits(value, known[code].kind):
            yield where, _RIGHT[known[code].kind]
        elif value is not None:
            found[path[0], tenant, code] = float(value) if known[code].kind is Kind.NUMBER else value


def _fits(value: Any, kind: Kind) -> bool:
    if kind is Kind.YES_NO:
        return isinstance(value, bool)
    if kind is Kind.TEXT:
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

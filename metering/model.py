"""The base of every model, and the small value types that they share."""

import re
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be printed; leave them out")
    return text


IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

Identifier = Annotated[str, StringConstraints(pattern=rf"^{IDENTIFIER.pattern}$")]
"""A name that is safe in a topic, in a tag and in a Grafana variable (which a leading digit would break)."""

Printable = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_printable)]
"""What a device or a person calls something: letters of any language, digits, spaces; no control characters."""


def known_zone(name: str) -> str:
    """The name itself, of a time zone of the IANA database. Raises `ValueError` for any other."""
    if name not in available_timezones():
        raise ValueError("not a time zone of the IANA database, such as Asia/Ho_Chi_Minh")
    return name


Zone = Annotated[str, AfterValidator(known_zone)]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number; neither a text that looks like one nor a boolean."""

Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Count = Annotated[int, Field(strict=True, ge=0)]


class Model(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _harmless(text: str) -> str:
    """Grafana would read `{{` as a template and `${` as a variable of its environment."""
    if "{{" in text or "${" in text:
        raise ValueError("has {{ or ${, which Grafana would fill in; leave them out")
    return text


_Text = Annotated[Printable, AfterValidator(_harmless)]


class Localized(Model):
    """A text for people, in both languages: printable, and without anything that a template would fill in."""

    en: _Text
    vi: _Text

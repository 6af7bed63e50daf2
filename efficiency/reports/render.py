"""Fills in the templates of this package."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page; a value that the template uses but is not given is an error."""
    environment = Environment(
        loader=PackageLoader("efficiency.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(values)

"""The pictures that the documentation shows are those that `make pictures` draws."""

import re

from metering.parkfile import load_park
from proving.demo.grafana import SHIPPED
from proving.demo.pictures import OWN, pictures
from proving.demo.plan import EXAMPLE

ROOT = SHIPPED.parents[1]


def test_the_documentation_shows_every_picture_and_no_other() -> None:
    drawn = {f"pictures/{picture.name}.png" for picture in (*pictures(load_park(EXAMPLE)), *OWN)}
    text = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((pictures/[\w-]+\.png)\)", text)) == drawn
    assert {str(file.relative_to(ROOT / "docs")) for file in (ROOT / "docs" / "pictures").iterdir()} == drawn

"""The pictures of the documentation, drawn over a real database by a program that only notes how it was called."""

import json
import re
from pathlib import Path

import pytest

from dashboards.generate import contents
from dashboards.setting import Setting
from metering.errors import OperatorError
from metering.park import Park
from metering.parkfile import load_park
from proving.demo.grafana import SHIPPED
from proving.demo.pictures import choices, draw, drawable, pictures
from proving.demo.plan import EXAMPLE
from tests.proving.test_demo_grafana import DAY

ROOT = SHIPPED.parents[1]
NOTES = """#!/bin/sh
for word; do [ "$before" != --out ] || out=$word; before=$word; done
name=$(basename "$1" .json)
echo "$@" > "$out/$name.png"
"""


@pytest.fixture(scope="module")
def park() -> Park:
    return load_park(EXAMPLE)


def program(folder: Path, text: str) -> str:
    file = folder / "draw"
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


async def test_every_page_is_drawn_with_its_database_and_choices(tmp_path: Path, park: Park) -> None:
    await draw(program(tmp_path, NOTES), park, "http://127.0.0.1:1", tmp_path / "out")
    drawn = {file.stem: file.read_text() for file in (tmp_path / "out").iterdir()}
    assert drawn.keys() == {picture.name for picture in pictures(park)}
    assert "--db ecopark --" in drawn["overview"]
    assert "--var park=song-xanh --var tenant=textile" in drawn["tenant"]
    assert "tenant=" not in drawn["overview"]
    assert "--db ecopark_song-xanh_textile --" in drawn["own"]
    assert "--var" not in drawn["own"]


async def test_a_program_that_draws_nothing_is_told_of(tmp_path: Path, park: Park) -> None:
    silent = program(tmp_path, "#!/bin/sh\necho cannot draw >&2\n")
    with pytest.raises(OperatorError, match="cannot draw"):
        await draw(silent, park, "http://127.0.0.1:1", tmp_path / "out")
    with pytest.raises(OperatorError, match="cannot be run"):
        await draw(str(tmp_path / "nothing"), park, "http://127.0.0.1:1", tmp_path / "out")


def test_what_only_grafana_knows_is_taken_out_and_leaves_no_hole(park: Park) -> None:
    made = contents(Setting((park,), DAY))
    board = json.loads(made["en/overview.json"])
    shown = drawable(board)
    assert {panel["type"] for panel in board["panels"]} - {panel["type"] for panel in shown["panels"]} == {"alertlist"}
    tops = sorted({(panel["gridPos"]["y"], panel["gridPos"]["h"]) for panel in shown["panels"]})
    assert all(any(y + h >= below for y, h in tops if y < below) for below, _ in tops[1:])
    assert dict(choices(json.loads(made["en/meter.json"]), park)) == {"park": "song-xanh", "meter": "em-textile"}


def test_the_documents_show_every_picture_and_no_other(park: Park) -> None:
    named = set(re.findall(r"pictures/([\w-]+)\.png", (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")))
    there = {file.stem for file in (ROOT / "docs" / "pictures").glob("*.png")}
    assert named == there == {picture.name for picture in pictures(park)}

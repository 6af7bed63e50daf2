"""Every page as a browser lays it out: nothing runs over its edges, no chart is empty, and the picture has ink."""

import io
import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from efficiency.reports.charts.svg import WIDTH
from metering.words import Language
from tests.efficiency.reports.conftest import KINDS, Reports

PAPER_PX = (794, 700)
"""The width of A4 at 96 dots an inch, and what is left of it between the margins of print."""
MEASURE = """
<script>
addEventListener("load", () => {
  const page = document.documentElement, charts = [], wide = [];
  for (const one of document.querySelectorAll("td, th, p, h1, h2, h3, table, figure, div"))
    if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0) wide.push(one.textContent.slice(0, 60));
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.viewBox.baseVal;
    const drawn = [...svg.querySelectorAll("rect, path")].map(shape => shape.getBBox());
    const outside = [...svg.querySelectorAll("text, rect, path")].filter(shape => {
      const box = shape.getBBox();
      return box.x < -1 || box.y < -1 || box.x + box.width > frame.width + 1 || box.y + box.height > frame.height + 1;
    });
    charts.push({
      title: svg.querySelector("title").textContent,
      described: document.getElementById(svg.getAttribute("aria-labelledby").split(" ")[1]).textContent,
      extent: drawn.filter(box => box.width > 0.3 && box.height > 0.3).length,
      outside: outside.map(shape => shape.outerHTML.slice(0, 120)),
    });
  }
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  const told = {page: [page.scrollWidth, page.clientWidth], height: page.scrollHeight, wide, charts,
                twice: ids.length - new Set(ids).size};
  const out = document.createElement("pre");
  out.id = "measured";
  out.textContent = JSON.stringify(told);
  document.body.append(out);
});
</script>
"""


def chromium(folder: Path, *options: str) -> bytes:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    done = subprocess.run(
        [*command, f"--user-data-dir={folder / 'profile'}", *options], capture_output=True, check=True, timeout=120
    )
    return done.stdout


def measured(file: Path, folder: Path, width: int) -> dict[str, Any]:
    page = folder / "measured.html"
    page.write_text(file.read_text(encoding="utf-8").replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom = chromium(folder, f"--window-size={width},1100", "--dump-dom", page.as_uri()).decode()
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.DOTALL)
    assert found
    result: dict[str, Any] = json.loads(unescape(found[1]))
    return result


EACH = [(kind, language) for kind in KINDS for language in Language]


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_nothing_overflows_and_no_chart_is_empty(
    reports: Reports, tmp_path: Path, kind: str, language: Language
) -> None:
    file = reports.pages[kind, language]
    for width in PAPER_PX:
        found = measured(file, tmp_path, width)
        assert found["page"][0] <= found["page"][1]
        assert not found["wide"]
        assert found["twice"] == 0
        for chart in found["charts"]:
            assert chart["extent"], f"{chart['title']}: nothing is drawn"
            assert not chart["outside"], chart["title"]
            assert chart["title"]
            assert chart["described"]
        assert kind.startswith("empty") or len(found["charts"]) >= 7


@pytest.mark.parametrize("kind", ["tenant-month", "park-year"])
def test_the_picture_of_a_page_has_ink_in_the_colours_of_its_charts(
    reports: Reports, tmp_path: Path, kind: str
) -> None:
    picture = tmp_path / "page.png"
    page = reports.pages[kind, Language.VI].as_uri()
    chromium(tmp_path, f"--screenshot={picture}", f"--window-size={PAPER_PX[0]},1200", page)
    with Image.open(io.BytesIO(picture.read_bytes())) as image:
        assert image.size == (PAPER_PX[0], 1200)
        colours = image.convert("RGB").getcolors(maxcolors=1_000_000)
    assert colours is not None
    ink = {colour: count for count, colour in colours}
    assert ink[255, 255, 255] < 0.97 * PAPER_PX[0] * 1200
    assert ink.get((0xBD, 0x8A, 0x09), 0) > 200  # electricity


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_a_page_needs_nothing_from_outside(reports: Reports, kind: str, language: Language) -> None:
    page = reports.text(kind, language)
    assert not re.search(r"(src|href)\s*=|url\(|@import|<script|<link", page)
    assert f'<html lang="{language.value}">' in page
    assert f'viewBox="0 0 {WIDTH:.0f} ' in page

"""Charts are pure functions: whatever the numbers, they stay inside their frame and say what they show."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficiency.reports.charts.columns import Frame, Layer, lines, stacked_bars
from efficiency.reports.charts.flows import Flow, flows
from efficiency.reports.charts.grids import ColumnLabel, GridText, QualityRow, heat_map, quality_strips
from efficiency.reports.charts.ranking import Bar, ranking
from efficiency.reports.charts.scale import scale
from efficiency.reports.charts.svg import cut
from metering.words import Language

TEXT = GridText("c", "t", "d")
VALUES = st.one_of(st.none(), st.floats(min_value=-1e9, max_value=1e9))
COLUMNS = st.lists(VALUES, min_size=1, max_size=31)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def frame(count: int) -> Frame:
    labels = [str(number) for number in range(count)]
    return Frame("c", "Title & <more>", "described", labels, labels, "kWh", Language.EN)


def checked(svg: str) -> ET.Element:
    root = ET.fromstring(svg)  # noqa: S314 (our own text)
    assert "nan" not in svg
    assert "inf" not in svg
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert -0.1 <= x <= x + w <= width + 0.1
        assert -0.1 <= y <= y + h <= height + 0.1
    return root


@given(st.lists(st.floats(min_value=-1e12, max_value=1e12), max_size=40))
def test_a_scale_holds_all_values_and_zero(values: list[float]) -> None:
    found = scale(values)
    assert all(0 <= round(found.at(value), 9) <= 1 for value in [0.0, *values])
    assert 2 <= len(found.marks) <= 9


@given(COLUMNS, COLUMNS)
def test_bars_and_lines_stay_inside_their_frame(one: list[float | None], other: list[float | None]) -> None:
    count = min(len(one), len(other))
    layers = [Layer("a", "#111111", one[:count]), Layer("b", "#222222", other[:count])]
    checked(stacked_bars(frame(count), layers))
    checked(lines(frame(count), layers, area=True))


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_rankings_stay_inside_their_frame_and_keep_every_row(values: list[float | None]) -> None:
    bars = [Bar(f"row {number}", value, "told", "#111111") for number, value in enumerate(values)]
    root = checked(ranking("c", "t", "d", bars))
    said = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(bar.label in said for bar in bars)


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=20))
def test_flows_stay_inside_their_frame(values: list[float]) -> None:
    sinks = [Flow(f"to {number}", value, "told", "#111111") for number, value in enumerate(values)]
    checked(flows("c", "t", "d", [Flow("from", sum(values), "told", "#111111")], sinks))


@given(st.lists(st.lists(VALUES, min_size=24, max_size=24), min_size=1, max_size=31))
def test_a_heat_map_has_a_cell_for_every_hour(values: list[list[float | None]]) -> None:
    columns = [ColumnLabel(str(number), str(number)) for number in range(len(values))]
    root = checked(heat_map(TEXT, columns, values, missing="missing", unit="kW", language=Language.VI))
    cells = [rect for rect in root.iter("{http://www.w3.org/2000/svg}rect") if len(rect)]
    assert len(cells) == 24 * len(values)


def test_data_quality_has_a_cell_for_every_meter_and_day() -> None:
    rows = [QualityRow("meter", [0.0, 0.3, 0.9, 1.0])]
    columns = [ColumnLabel(str(number), str(number)) for number in range(4)]
    root = checked(quality_strips(TEXT, columns, rows, legend="abcd", language=Language.VI))
    cells = [rect.attrib["fill"] for rect in root.iter("{http://www.w3.org/2000/svg}rect") if len(rect)]
    assert len(set(cells)) == 4


@pytest.mark.parametrize(("text", "room", "shown"), [("short", 100, "short"), ("a long name", 36, "a lon…")])
def test_a_text_is_cut_to_its_room(text: str, room: float, shown: str) -> None:
    assert cut(text, room) == shown

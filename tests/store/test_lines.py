"""Line protocol: what is written reads back, here and in the real database."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.client import Store
from store.lines import point, series
from store.schema import OPERATOR_DATABASE
from tests.store.lineparser import parse

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
tag_words = words.filter(lambda word: not word.endswith("\\"))
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)
fields = st.dictionaries(names, numbers | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts, min_size=1)


@given(names, st.dictionaries(names, tag_words, max_size=4), fields, st.integers(-(2**62), 2**62))
def test_a_point_reads_back(measurement: str, tags: dict[str, str], values: dict[str, Any], ns: int) -> None:
    read = parse(point(series(measurement, tags), values, ns))
    assert tuple(read) == (measurement, tags, values, ns)
    assert [type(value) for value in read.fields.values()] == [type(value) for value in values.values()]


def test_a_tag_without_a_value_is_left_out() -> None:
    assert series("m", {"b": None, "c": "", "d": "\\", "a": "x"}) == "m,a=x"


def test_an_invalid_line_is_reported() -> None:
    with pytest.raises(ValueError, match="not a line"):
        parse("electricity only")


ODD_TAGS = [
    "a b",
    "a,b",
    "a=b",
    'a"b',
    "a'b",
    "a\\b",
    "a\\,b",
    "a\\ b",
    "Dệt may",
    "\N{FACTORY}",
    "=",
    ",",
    "#",
    "$x",
    "x" * 5000,
]
ODD_TEXTS = [
    "",
    " ",
    '"',
    "\\",
    '\\"',
    'a"b\\',
    "two\nlines",
    "\r\n\t",
    "x=1,y=2 3",
    "Nước thải",
    "\N{FACTORY}",
    "x" * 60_000,
]
ODD_TEXTS += ['{"a": "b\\\\"}', "\x00\x01", "\\n", "\\\\"]
ODD_NUMBERS = [0.0, -0.0, 1e15, 1e16, 1.7976931348623157e308, 5e-324, 0.1 + 0.2, -1e-7, 1 / 3, 123456789.123456789]


async def test_the_database_reads_odd_tags(store: Store) -> None:
    await store.write(
        [point(series("odd", {"t": tag}), {"v": i}, i) for i, tag in enumerate(ODD_TAGS)], OPERATOR_DATABASE
    )
    rows = await store.query('SELECT v, t FROM "odd"', OPERATOR_DATABASE)
    assert [row["t"] for row in rows] == ODD_TAGS


async def test_a_tag_that_line_protocol_cannot_express_spoils_no_other(store: Store) -> None:
    line = point(series("odd", {"a": "x\\", "b": "two\nlines", "c": "y"}), {"v": 1}, 1)
    await store.write([line], OPERATOR_DATABASE)
    rows = await store.query('SELECT v, a, b, c FROM "odd"', OPERATOR_DATABASE)
    assert rows == [{"time": 1, "v": 1, "a": "x", "b": "two\\nlines", "c": "y"}]


async def test_the_database_reads_odd_texts(store: Store) -> None:
    await store.write([point("odd", {"v": text, "n": i}, i) for i, text in enumerate(ODD_TEXTS)], OPERATOR_DATABASE)
    rows = await store.query('SELECT v FROM "odd"', OPERATOR_DATABASE)
    assert [row["v"] for row in rows] == ODD_TEXTS


async def test_the_database_reads_numbers_exactly(store: Store) -> None:
    lines = [point("odd", {"v": number, "yes": True}, i) for i, number in enumerate(ODD_NUMBERS)]
    await store.write(lines, OPERATOR_DATABASE)
    rows = await store.query('SELECT v FROM "odd"', OPERATOR_DATABASE)
    assert [row["v"] for row in rows] == ODD_NUMBERS
    assert math.copysign(1, rows[1]["v"]) in {1, -1}


async def test_writing_again_overwrites(store: Store) -> None:
    for value in (1.0, 2.0, 2.0):
        await store.write([point("m", {"v": value}, 7)], OPERATOR_DATABASE)
    assert await store.query('SELECT v FROM "m"', OPERATOR_DATABASE) == [{"time": 7, "v": 2.0}]


async def test_rows_carry_the_tags_they_are_grouped_by(store: Store) -> None:
    await store.write([point(series("m", {"t": tag}), {"v": 1.0}, 1) for tag in "ab"], OPERATOR_DATABASE)
    rows = await store.query('SELECT v FROM "m" GROUP BY t', OPERATOR_DATABASE)
    assert rows == [{"t": "a", "time": 1, "v": 1.0}, {"t": "b", "time": 1, "v": 1.0}]

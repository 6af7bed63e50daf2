"""Columns: the same numbers as rows, whatever the server answers in."""

import json

import pytest

from metering.errors import UnavailableError
from store.answers import RejectedError
from store.client import Store
from store.columns import columns_of, table
from store.schema import OPERATOR_DATABASE
from tests.conftest import FaultyProxy

START = 1_760_000_000_000


async def test_columns_contain_what_was_written_by_group(store: Store) -> None:
    lines = [f"water,meter={name} volume_m3={n / 7} {START + n}000000" for name in "ab" for n in range(30_000)]
    for first in range(0, len(lines), 10_000):
        await store.write(lines[first : first + 10_000], OPERATOR_DATABASE)
    found = await store.tables('SELECT "volume_m3" FROM "water" GROUP BY "meter"', OPERATOR_DATABASE)
    assert [each.tags for each in found] == [{"meter": "a"}, {"meter": "b"}]
    for each in found:
        assert each.times.tolist() == list(range(START, START + 30_000))
        assert each.fields["volume_m3"].tolist() == [n / 7 for n in range(30_000)]


async def test_rows_that_are_not_alike_are_read_too(store: Store) -> None:
    await store.write(["m f=1i 7000000000", "m f=-3i 2000000", f"m f=500i {START}000000"], OPERATOR_DATABASE)
    (found,) = await store.tables("SELECT f FROM m", OPERATOR_DATABASE)
    assert (found.times.tolist(), found.fields["f"].tolist()) == ([2, 7000, START], [-3.0, 1.0, 500.0])


async def test_rows_of_one_length_that_differ_in_a_text_are_not_taken_for_alike(store: Store) -> None:
    """As many bytes, at the same places; also where the first row of a series differs from the last of another."""
    states = ["good", "poor", "poor", "good", "late"]
    lines = [
        f'm,k={group} f={n + 0.5},s="{state}" {START + n}000000' for group in "ab" for n, state in enumerate(states)
    ]
    await store.write(lines, OPERATOR_DATABASE)
    found = await store.tables('SELECT f, s FROM m GROUP BY "k"', OPERATOR_DATABASE)
    assert [each.fields["s"].tolist() for each in found] == [states, states]
    assert [each.fields["f"].tolist() for each in found] == [[0.5, 1.5, 2.5, 3.5, 4.5]] * 2


async def test_no_answer_is_no_column_and_a_faulty_statement_is_rejected(store: Store) -> None:
    assert await store.tables("SELECT f FROM nothing", OPERATOR_DATABASE) == []
    with pytest.raises(RejectedError):
        await store.tables("SELECT f FROM", OPERATOR_DATABASE)


async def test_json_gives_the_same() -> None:
    body = {
        "results": [
            {
                "series": [
                    {
                        "name": "m",
                        "tags": {"meter": "a"},
                        "columns": ["time", "f"],
                        "values": [[START, 1.5], [START + 1, 2]],
                    }
                ]
            }
        ]
    }
    (result,) = columns_of(json.dumps(body).encode(), packed=False)
    found = table(result["series"][0])
    assert (found.times.tolist(), found.fields["f"].tolist()) == ([START, START + 1], [1.5, 2.0])


async def test_a_server_that_is_no_influxdb_is_unavailable(proxy: FaultyProxy) -> None:
    proxy.faults = [200]
    async with Store(proxy.url) as store:
        with pytest.raises(UnavailableError):
            await store.tables("SELECT f FROM m", OPERATOR_DATABASE)

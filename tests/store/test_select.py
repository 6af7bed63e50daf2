"""Statements that the database accepts with any names and instants."""

import pytest

from store.answers import RejectedError
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from store.select import EARLIEST_NS, LATEST_NS, Of, differs, exceeds, ns, select, where


@pytest.mark.parametrize("ms", [0, -1, 946_684_805_000, -(2**60), 2**60, -(2**80), 2**80, 9_223_372_036_854])
async def test_no_instant_is_beyond_what_the_database_can_hold(ms: int, store: Store) -> None:
    await store.write(["m,k=a v=1 1"], OPERATOR_DATABASE)
    for condition in (where({}, ms), where({}, None, ms), where({}, ms, ms + 1)):
        rows = await store.query(select("m", ["v"], condition), OPERATOR_DATABASE)
        assert len(rows) <= 1
    assert EARLIEST_NS <= ns(ms) <= LATEST_NS


async def test_an_unbounded_span_is_everything(store: Store) -> None:
    await store.write(["m v=1 1", f"m v=2 {LATEST_NS - 1}", f"m v=3 {EARLIEST_NS}"], OPERATOR_DATABASE)
    rows = await store.query(select("m", ["v"], where({}, -(2**60), 2**60)), OPERATOR_DATABASE)
    assert [row["v"] for row in rows] == [3, 1, 2]


@pytest.mark.parametrize("value", ["it's", "back\\slash", 'double"quote', "a/b", "a.b", "a|b", "$(x)", "^a"])
async def test_a_value_is_taken_literally(value: str, store: Store) -> None:
    escaped = value.replace("\\", "\\\\")
    await store.write([f"m,k={escaped} v=1 1", "m,k=axb v=2 2", "m,k=other v=3 3"], OPERATOR_DATABASE)
    for tags in ({"k": value}, {"k": [value]}, {"k": [value, "neither"]}):
        rows = await store.query(select("m", ["v"], where(tags)), OPERATOR_DATABASE)
        assert [row["v"] for row in rows] in ([1], []), tags
        if "\\" not in value:  # line protocol and InfluxQL do not agree on what a backslash in a tag is
            assert [row["v"] for row in rows] == [1]


async def test_the_answer_has_what_was_asked_for(store: Store) -> None:
    day = 86_400_000 * NS_PER_MS
    await store.write([f"m,k={k} v={v},w=1 {v * day}" for k, v in (("a", 1), ("b", 2), ("b", 3))], OPERATOR_DATABASE)
    newest = await store.query(select("m", ["v"], by=["k"], newest=1), OPERATOR_DATABASE)
    assert sorted((row["k"], row["v"]) for row in newest) == [("a", 1), ("b", 3)]
    total = [Of("sum", "v"), Of("count", "w", "points")]
    (row,) = await store.query(select("m", total, where({}, also=[differs("k", "a")])), OPERATOR_DATABASE)
    assert (row["v"], row["points"]) == (5, 2)
    rows = await store.query(select("m", [Of("sum", "v")], where({}, 0), every="1d", zone="UTC"), OPERATOR_DATABASE)
    assert [row["v"] for row in rows] == [1, 2, 3]
    rows = await store.query(select("m", ["*"], where({}, also=[exceeds("v", 2.5)])), OPERATOR_DATABASE)
    assert [(row["k"], row["v"], row["w"]) for row in rows] == [("b", 3, 1)]


async def test_what_is_deleted_is_gone_and_a_missing_database_has_nothing_to_delete(store: Store) -> None:
    await store.write(["m,k=a v=1 1000000", "m,k=b v=1 1000000", "m,k=b v=2 2000000"], OPERATOR_DATABASE)
    assert await store.delete("m", where({"k": "b"}, 2, 3), [OPERATOR_DATABASE, "nowhere"])
    rows = await store.query(select("m", ["*"]), OPERATOR_DATABASE)
    assert [(row["k"], row["v"]) for row in rows] == [("a", 1), ("b", 1)]
    with pytest.raises(RejectedError, match="parsing"):
        await store.delete("m", "k = ", [OPERATOR_DATABASE])


@pytest.mark.parametrize("statement", ["SELECT FROM", "SELECT v FROM m WHERE time > 99999999999999999999"])
async def test_a_fault_has_a_message_whatever_form_was_asked_for(statement: str, store: Store) -> None:
    for asked in (store.query, store.tables):
        with pytest.raises(RejectedError) as caught:
            await asked(statement, OPERATOR_DATABASE)
        assert str(caught.value).startswith("error parsing query: ")


@pytest.mark.parametrize(("policy", "ms"), [("36h", 36 * 3_600_000), ("52w", 52 * 7 * 86_400_000), ("INF", None)])
async def test_a_retention_is_read(policy: str, ms: int | None, store: Store) -> None:
    await store.query(f'CREATE DATABASE "kept" WITH DURATION {policy}', "")
    kept = await store.policy("kept")
    assert kept is not None
    assert kept.keeps_ms == ms
    assert await store.policy("nowhere") is None

"""Stored refusals are bounded, and none overwrites another."""

import pytest

from ingest.refusal import RATION_BYTES, Ledger, Refusal, refusal
from tests.store.lineparser import parse
from wire.messages import Reason

NOW = 1_795_000_000_000


def refusals(count: int, size: int = 40) -> list[Refusal]:
    return [refusal(Reason.UNKNOWN_METER, "no such meter", b"%0*d" % (size, n), meter="m") for n in range(count)]


def test_no_two_refusals_overwrite_each_other() -> None:
    """Six thousand readings of one instant: the time's low digits alone were the same for a dozen of them."""
    ledger = Ledger("one")
    kept = [
        *ledger.note("demo", "gw-1", "t", refusals(6_000), NOW),
        *ledger.note("demo", "gw-2", "t", refusals(9), NOW),
    ]
    points = [parse(ledger.line(each)) for each in kept]
    assert len({point.ns for point in points}) == 6_009
    assert len({point.fields["digest"] for point in points}) == 6_000


def test_refusals_of_a_gateway_have_a_ration_and_the_rest_is_counted() -> None:
    ledger = Ledger("one")
    kept = ledger.note("demo", "gw-1", "t", refusals(1_000, 60_000), NOW)
    assert sum(len(each.payload) for each in kept) <= RATION_BYTES < 1_000 * 60_000
    assert len(ledger.note("demo", "gw-2", "t", refusals(10), NOW)) == 10, "another gateway has its own"
    hour_later = ledger.note("demo", "gw-1", "t", refusals(1_000, 60_000), NOW + 3_600_000)
    assert 0 < len(hour_later) <= len(kept)
    counted = [parse(line) for line in ledger.counts()]
    assert sum(int(point.fields["count"]) for point in counted) == 2_010
    assert sum(int(point.fields["kept"]) for point in counted) == len(kept) + 10 + len(hour_later)


@pytest.mark.parametrize("size", [40, 1_000, 25_000, 45_000, 60_000])
def test_a_ration_is_used_up_by_refusals_of_any_size(size: int) -> None:
    """A remaining ration that is too small for a large refusal counts as used up, until it has refilled."""
    ledger = Ledger("one")
    assert not ledger.used_up("demo", "gw-1", NOW)
    for _ in range(RATION_BYTES // (5 * size) + 2):
        ledger.note("demo", "gw-1", "t", refusals(5, size), NOW)
    assert ledger.used_up("demo", "gw-1", NOW)
    ledger.note("demo", "gw-1", "t", refusals(1, size), NOW + 1_000)
    assert ledger.used_up("demo", "gw-1", NOW + 1_000)
    assert not ledger.used_up("demo", "gw-1", NOW + 60_000)


def test_a_point_a_minute_counts_all_of_a_gateway_and_reason() -> None:
    ledger = Ledger("one")
    for second in range(0, 150, 10):
        ledger.note("demo", "gw-1", "t", refusals(7), NOW + 1_000 * second)
        points = {}
        for line in ledger.counts():
            point = parse(line)
            points[point.ns] = point.fields["count"]
            assert point.tags == {"park": "demo", "gateway": "gw-1", "reason": "unknown_meter", "instance": "one"}
        assert len(points) == 1
        assert next(iter(points.values())) == 7 * (second % 60 // 10 + 1)
    assert ledger.counts() == []


def test_topics_that_nobody_knows_share_one_ration_and_one_series() -> None:
    ledger = Ledger("one")
    kept = [
        each
        for stranger in range(500)
        for each in ledger.note("", "", f"ecopark/v1/x/{stranger}/readings", refusals(1, 60_000), NOW)
    ]
    assert sum(len(each.payload) for each in kept) <= RATION_BYTES
    assert len({tuple(parse(ledger.line(each)).tags) for each in kept}) == 1


def test_texts_are_bounded_where_they_are_made() -> None:
    (kept,) = Ledger("one").note("demo", "gw-1", "t" * 60_000, [refusal(Reason.MALFORMED, "d" * 60_000, b"")], NOW)
    assert len(kept.topic) == len(kept.refusal.detail) == 200

"""The accept step: a message for every reason; any bytes become a line or a refusal, never an exception."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.accept import Accepted, accept
from ingest.arrivals import LATE_MS, ArrivalSource, Extent, Late, note_old
from ingest.directory import Directory
from ingest.lookup import GaugeFactors
from ingest.refusal import TEXT, Ledger
from ingest.taken import Lane, lines_of
from metering.instants import DAY_MS
from metering.parkfile import load_park
from tests.store.lineparser import parse
from wire.messages import MAX_BYTES, MAX_READINGS, Reason

NOW = 1_795_000_000_000
TOPIC = "ecopark/v1/demo/gw-1/readings"
GOOD: dict[str, Any] = {"meter": "em-1", "ts": NOW, "values": {"energy_kwh": 1.5}}


def taken(payload: object, known: Directory, topic: str = TOPIC) -> Accepted:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    accepted = accept(topic, content, NOW, known)
    ledger = Ledger("one")
    kept = ledger.note(accepted.park, accepted.gateway, topic, accepted.refusals, NOW)
    assert [each.refusal for each in kept] == accepted.refusals
    for each in kept:
        point = parse(ledger.line(each))
        assert point.tags["reason"] == each.refusal.reason.value
        assert point.fields["detail"] == each.refusal.detail
        assert point.fields["topic"] == topic[:TEXT]
        assert point.ns // 1_000_000 == NOW
        each.refusal.for_sender().model_dump_json()
    for line in lines_of(accepted.taken):
        parse(line)
    return accepted


def reading(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}


NESTED = b'{"readings":' + b"[" * 100_000
REFUSED: dict[str, tuple[object, Reason]] = {
    "empty": (b"", Reason.MALFORMED),
    "binary": (bytes(range(256)), Reason.MALFORMED),
    "text": (b"hello", Reason.MALFORMED),
    "truncated": (json.dumps(GOOD).encode()[:-5], Reason.MALFORMED),
    "nested": (NESTED, Reason.MALFORMED),
    "nested value": (b'{"meter":"em-1","ts":1,"values":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, Reason.MALFORMED),
    "lone surrogate": (b'{"meter":"\\ud800","ts":1,"values":{"energy_kwh":1}}', Reason.MALFORMED),
    "byte order mark": (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), Reason.MALFORMED),
    "array": ([GOOD], Reason.MALFORMED),
    "number": (b"17", Reason.MALFORMED),
    "null": (b"null", Reason.MALFORMED),
    "300 KB": (b" " * 300_000, Reason.TOO_LARGE),
    "300 KB of text": (b'{"readings": "' + b"x" * 300_000 + b'"}', Reason.TOO_LARGE),
    "8 MB": (json.dumps({"readings": [GOOD] * 100_000}).encode(), Reason.TOO_LARGE),
    "one byte too many": (json.dumps(GOOD).encode().ljust(MAX_BYTES + 1), Reason.TOO_LARGE),
    "too many readings": ({"readings": [GOOD] * (MAX_READINGS + 1)}, Reason.TOO_LARGE),
    "readings is an object": ({"readings": GOOD}, Reason.MALFORMED),
    "readings is null": ({"readings": None}, Reason.MALFORMED),
    "a reading is a number": ({"readings": [1]}, Reason.MALFORMED),
    "unknown key": (reading(unit="kWh"), Reason.MALFORMED),
    "unknown key beside readings": ({"readings": [GOOD], "unit": "kWh"}, Reason.MALFORMED),
    "the reading beside itself": ({"readings": [GOOD], **GOOD}, Reason.MALFORMED),
    "id is a number": (reading(id=7), Reason.MALFORMED),
    "id is empty": (reading(id=""), Reason.MALFORMED),
    "id is long": (reading(id="x" * 129), Reason.MALFORMED),
    "meter is missing": (reading(meter=...), Reason.MALFORMED),
    "meter is a number": (reading(meter=1), Reason.MALFORMED),
    "values is missing": (reading(values=...), Reason.NOT_A_NUMBER),
    "values is empty": (reading(values={}), Reason.MALFORMED),
    "values is a list": (reading(values=[1]), Reason.MALFORMED),
    "state is unknown": (reading(state="broken"), Reason.MALFORMED),
    "unknown meter": (reading(meter="em-9"), Reason.UNKNOWN_METER),
    "meter of another gateway": (reading(meter="wm-2", values={"ph": 7}), Reason.WRONG_GATEWAY),
    "unknown quantity": (reading(values={"energy": 1}), Reason.UNKNOWN_QUANTITY),
    "quantity of another utility": (reading(values={"ph": 7}), Reason.UNKNOWN_QUANTITY),
    "quantity that the meter does not serve": (reading(values={"voltage_v": 7}), Reason.UNKNOWN_QUANTITY),
    "a text": (reading(values={"energy_kwh": "1.5"}), Reason.NOT_A_NUMBER),
    "a truth value": (reading(values={"energy_kwh": True}), Reason.NOT_A_NUMBER),
    "NaN": (b'{"meter":"em-1","ts":%d,"values":{"energy_kwh":NaN}}' % NOW, Reason.NOT_A_NUMBER),
    "infinite": (b'{"meter":"em-1","ts":%d,"values":{"energy_kwh":-Infinity}}' % NOW, Reason.NOT_A_NUMBER),
    "1e400": (b'{"meter":"em-1","ts":%d,"values":{"energy_kwh":1e400}}' % NOW, Reason.NOT_A_NUMBER),
    "huge integer": (reading(values={"energy_kwh": 10**400}), Reason.NOT_A_NUMBER),
    "negative counter": (reading(values={"energy_kwh": -1}), Reason.OUT_OF_RANGE),
    "above the roll-over": (reading(values={"energy_kwh": 1_000_001}), Reason.OUT_OF_RANGE),
    "power beyond any meter": (reading(values={"power_kw": 1e9}), Reason.OUT_OF_RANGE),
    "time is missing": (reading(ts=...), Reason.BAD_TIME),
    "time is null": (reading(ts=None), Reason.BAD_TIME),
    "time is a numeric text": (reading(ts=str(NOW)), Reason.BAD_TIME),
    "time is a float": (reading(ts=float(NOW) + 0.5), Reason.BAD_TIME),
    "time is a truth value": (reading(ts=True), Reason.BAD_TIME),
    "time without an offset": (reading(ts="2026-11-23T18:00:00"), Reason.BAD_TIME),
    "time is a day": (reading(ts="2026-11-23"), Reason.BAD_TIME),
    "time in seconds": (reading(ts=NOW // 1000), Reason.BAD_TIME),
    "negative time": (reading(ts=-1), Reason.BAD_TIME),
    "time is a huge integer": (reading(ts=10**300), Reason.FUTURE_TIME),
    "time is minus a huge integer": (reading(ts=-(10**300)), Reason.BAD_TIME),
    "time is 1e400": (b'{"meter":"em-1","ts":1e400,"values":{"energy_kwh":1}}', Reason.BAD_TIME),
    "time of the year one": (reading(ts="0001-01-01T00:00:00+14:00"), Reason.BAD_TIME),
    "time of the last year": (reading(ts="9999-12-31T23:59:59-12:00"), Reason.FUTURE_TIME),
    "five minutes and a bit ahead": (reading(ts=NOW + 300_001), Reason.FUTURE_TIME),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_fault_has_its_reason(case: str, known: Directory) -> None:
    payload, reason = REFUSED[case]
    accepted = taken(payload, known)
    assert accepted.taken == []
    assert {refusal.reason for refusal in accepted.refusals} == {reason}, accepted.refusals[0].detail


@pytest.mark.parametrize("digits", [4_299, 4_300, 4_301, 100_000])
@pytest.mark.parametrize("where", ["ts", "energy_kwh"])
def test_an_integer_that_python_will_not_print_is_refused(where: str, digits: int, known: Directory) -> None:
    for sign in (b"", b"-"):
        number = sign + b"9" * digits
        ts, value = (number, b"1") if where == "ts" else (b"%d" % NOW, number)
        accepted = taken(b'{"meter":"em-1","ts":%b,"values":{"energy_kwh":%b}}' % (ts, value), known)
        assert len(accepted.refusals) == 1


def test_unknown_gateway_and_park(known: Directory) -> None:
    for topic in ("ecopark/v1/demo/gw-9/readings", "ecopark/v1/nowhere/gw-1/readings", "ecopark/v1///readings"):
        accepted = taken({"readings": [GOOD, reading(ts=NOW + 1)]}, known, topic)
        assert [refusal.reason for refusal in accepted.refusals] == [Reason.UNKNOWN_GATEWAY]
        assert accepted.gateway == "", "a tag comes from the park file"
        assert accepted.park == ("demo" if "demo" in topic else "")


def test_each_reason_except_the_databases_own_occurs() -> None:
    earned = {reason for _, reason in REFUSED.values()} | {Reason.UNKNOWN_GATEWAY}
    assert earned == set(Reason) - {Reason.STORE_REJECTED}


def test_a_good_reading_becomes_a_line_tagged_by_the_park_file(known: Directory) -> None:
    accepted = taken(reading(values={"energy_kwh": 7, "power_kw": -0.5}, state="fault", id="b-1"), known)
    assert accepted.id == "b-1"
    assert lines_of(accepted.taken) == [
        f'electricity,meter=em-1,park=demo energy_kwh=7.0,power_kw=-0.5,state="fault" {NOW}000000'
    ]


def test_a_state_is_written_where_it_is_said_so_that_a_correction_can_take_one_back(known: Directory) -> None:
    silent, said = (lines_of(taken(reading(**state), known).taken) for state in ({}, {"state": "measuring"}))
    assert "state" not in silent[0]
    assert ',state="measuring" ' in said[0]


def test_times_in_both_notations_are_one_instant(known: Directory) -> None:
    text = datetime.fromtimestamp(NOW / 1000, UTC).isoformat()
    assert lines_of(taken(reading(ts=text), known).taken) == lines_of(taken(GOOD, known).taken)


def test_the_edges_of_time_and_range_are_taken(known: Directory) -> None:
    for good in (
        reading(ts=NOW + 300_000),
        reading(ts=NOW - 400 * DAY_MS),
        reading(values={"energy_kwh": 0}),
        reading(values={"energy_kwh": 1_000_000}),
    ):
        assert len(taken(good, known).taken) == 1


def test_good_readings_survive_their_neighbours(known: Directory) -> None:
    content = {"id": "b-2", "readings": [GOOD, 5, reading(ts="soon"), reading(ts=NOW + 1), {"meter": "x"}]}
    accepted = taken(content, known)
    assert len(accepted.taken) == 2
    assert [(refusal.meter, refusal.reason) for refusal in accepted.refusals] == [
        (None, Reason.MALFORMED),
        ("em-1", Reason.BAD_TIME),
        ("x", Reason.BAD_TIME),
    ]
    assert accepted.id == "b-2"


def test_repeated_values_are_stored_and_contradicting_ones_refused(known: Directory) -> None:
    same, other = reading(), reading(values={"energy_kwh": 2.5})
    as_text = reading(ts=datetime.fromtimestamp(NOW / 1000, UTC).isoformat(), values={"energy_kwh": 3.5})
    accepted = taken({"readings": [GOOD, same, other, reading(values={"power_kw": 1})]}, known)
    assert len(accepted.taken) == 3
    assert [(refusal.reason, refusal.quantity) for refusal in accepted.refusals] == [(Reason.MALFORMED, "energy_kwh")]
    both = taken({"readings": [GOOD, reading(values={"energy_kwh": 2.5, "power_kw": 7})]}, known)
    assert [dict(each.values) for each in both.taken] == [GOOD["values"], {"power_kw": 7}]
    accepted = taken({"readings": [GOOD, as_text]}, known)
    assert len(accepted.taken) == 1
    assert len(accepted.refusals) == 1


def test_a_refusal_contains_what_was_received(known: Directory) -> None:
    refusal = taken(reading(meter="em-9"), known).refusals[0]
    assert json.loads(refusal.payload) == reading(meter="em-9")
    assert taken(b"\x00\xff", known).refusals[0].payload == b"\x00\xff"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
times = st.integers(NOW - 10**6, NOW + 10**6) | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
readings = st.fixed_dictionaries(
    {},
    optional={
        "meter": st.sampled_from(["em-1", "wm-2", "em-9", 'q"\\', "a\n,b= c"]) | json_values,
        "ts": times | json_values,
        "values": st.dictionaries(
            st.sampled_from(["energy_kwh", "power_kw", "ph", "x y"]), st.floats() | json_values, max_size=3
        )
        | json_values,
        "state": st.sampled_from(["measuring", "fault"]) | json_values,
        "unit": json_values,
    },
)
messages = st.fixed_dictionaries(
    {"readings": st.lists(readings | json_values, max_size=6)},
    optional={"id": st.text() | json_values, "x": json_values},
)
topic_parts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="+#"), max_size=12)


@given(st.binary(max_size=300))
def test_any_bytes_become_a_refusal(known: Directory, payload: bytes) -> None:
    accepted = taken(payload, known)
    assert accepted.refusals or payload.strip().startswith(b"{")


@given(messages | readings)
def test_every_reading_becomes_a_line_or_a_refusal(known: Directory, message: dict[str, Any]) -> None:
    accepted = taken(message, known)
    sent = message.get("readings", [message])
    whole = len(accepted.refusals) == 1 and not accepted.taken
    assert whole or len(sent) >= len(accepted.taken) >= len(sent) - len(accepted.refusals) - nothing(sent)


def nothing(sent: list[Any]) -> int:
    """Readings of which every value is null."""
    values = (each.get("values") for each in sent if isinstance(each, dict))
    return sum(isinstance(each, dict) and not any(value is not None for value in each.values()) for each in values)


@given(messages, st.data())
def test_a_damaged_message_is_accepted_or_refused(
    known: Directory, message: dict[str, Any], data: st.DataObject
) -> None:
    payload = bytearray(json.dumps(message).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    accepted = taken(bytes(payload), known)
    assert isinstance(accepted, Accepted)


@given(topic_parts, topic_parts, readings)
def test_any_topic_is_answered_and_its_refusals_can_be_written(
    known: Directory, park: str, gateway: str, message: dict[str, Any]
) -> None:
    accepted = taken(message, known, f"ecopark/v1/{park}/{gateway}/readings")
    assert len(accepted.refusals) == 1


@pytest.mark.parametrize("topic", ["", "ecopark/v1", "ecopark/v1/demo/gw-1/status", "x" * 65_535, "ecopark/v1/a/b/c/d"])
def test_other_topics_are_malformed(topic: str, known: Directory) -> None:
    assert taken(GOOD, known, topic).refusals[0].reason is Reason.MALFORMED


def test_a_park_written_as_text_is_a_park(park: Path) -> None:
    assert load_park(park).id == "demo"


def test_readings_that_were_old_when_they_came_are_noted_by_meter(known: Directory) -> None:
    readings = [reading(ts=NOW - age) for age in (0, 600_000, 600_001, 86_400_000, 3_600_000)]
    late: Late = {}
    for message in (GOOD, {"readings": readings}):
        assert late == {}
        lane = Lane(taken(message, known).taken)
        lane.settle()
        note_old(lane.meters, lane.instants, NOW - LATE_MS, late)
    assert late == {ArrivalSource("demo", "em-1"): Extent(NOW - 86_400_000, NOW - 600_001)}


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.floats(0, 1_000_000)), min_size=1, max_size=9))
def test_each_line_gives_back_the_reading_it_was_made_of(
    known: Directory, blocks: list[tuple[int, bool, float]]
) -> None:
    """Whatever became lines together, in whichever lane, with transformers or without."""
    came, lanes = [], [Lane(), Lane()]
    for count, state, energy in blocks:
        one = reading(ts=NOW - count, values={"energy_kwh": energy, "power_kw": count}, **STATE[state])
        (good,) = taken(one, known).taken
        behind = good._replace(meter=good.meter._replace(secondary=(GaugeFactors(NOW - 4, {"power_kw": 7.0}),)))
        lane = lanes[count % 2]
        some = [good, behind] * count
        lane.waiting += some
        lane.settle()
        came.append((count % 2, some))
    both = Lane()
    for lane in lanes:
        both.join(lane)
    expected = [each for number in (0, 1) for place, some in came if place == number for each in some]
    assert [both.taken(place) for place in range(len(both.lines))] == expected


STATE: tuple[dict[str, str], ...] = ({}, {"state": "measuring"})

FINITE = st.floats(0, 1_000_000) | st.floats(0, 1e-300) | st.integers(0, 1_000_000)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=5))
def test_numbers_are_written_as_they_came(known: Directory, numbers: list[tuple[float, float]]) -> None:
    readings = [
        reading(ts=NOW - at, values={"energy_kwh": energy, "power_kw": power / 1000})
        for at, (energy, power) in enumerate(numbers)
    ]
    points = [parse(line) for line in lines_of(taken({"readings": readings}, known).taken)]
    assert [(each.ns, each.fields) for each in points] == [
        (each["ts"] * 1_000_000, {name: float(value) for name, value in each["values"].items()}) for each in readings
    ]

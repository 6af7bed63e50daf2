"""Payloads of other makes, as they were published: each preset and each reported payload is a folder of `cases`."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import ryaml
from hypothesis import given
from hypothesis import strategies as st

from ingest.lineprotocol import LineError, read_lines
from ingest.mapping import Decoded, PayloadReader
from metering.quantities import UTILITIES, Utility
from metering.sources import MessageMap, Source, preset, preset_names
from metering.units import conversion, units_of
from wire.messages import Reason

CASES = Path(__file__).parents[1] / "cases" / "payloads"


def read(source: Source, topic: str, payload: bytes) -> list[Decoded]:
    readers = [PayloadReader(message) for message in source.read_as]
    return [one for reader in readers if reader.matches(topic) for one in reader.decode(topic, payload)]


@pytest.mark.parametrize(
    "folder", sorted(file.parent for file in CASES.glob("*/case.yaml")), ids=lambda folder: folder.name
)
def test_a_payload_is_read_as_its_case_says(folder: Path) -> None:
    case: dict[str, Any] = ryaml.loads((folder / "case.yaml").read_text(encoding="utf-8"))
    source = Source.model_validate({"id": "case", "gateway": "gw", **case["source"]})
    found = [one for m in case["messages"] for one in read(source, m["topic"], (folder / m["file"]).read_bytes())]
    said = [
        {"device": one.device, "ms": one.ms, "values": one.values, "bad_reads": one.bad_reads}
        for one in found
        if one.values or one.bad_reads
    ]
    assert not [fault for one in found for fault in one.faults]
    assert said == [{"ms": None, "bad_reads": 0} | expected for expected in case["expect"]]


def test_every_preset_has_a_case_and_names_its_source() -> None:
    used = {ryaml.loads(file.read_text(encoding="utf-8"))["source"].get("preset") for file in CASES.glob("*/case.yaml")}
    assert set(preset_names()) <= used | {"sparkplug-b"}
    for name in preset_names():
        assert preset(name).source
        assert preset(name).unverified


def test_a_preset_whose_topics_are_read_alike_takes_any_number_of_others() -> None:
    payload = (CASES / "neuron-errors" / "input.json").read_bytes()
    for topics in (["plant/a"], ["plant/a", "b", "c", "d"]):
        source = Source.model_validate({"id": "n", "gateway": "gw", "preset": "neuron-values", "topics": topics})
        assert [message.topic for message in source.read_as] == topics
        assert [one.device for one in read(source, topics[-1], payload)] == ["em-a"]
    with pytest.raises(ValueError, match="the preset has 3 topics"):
        Source.model_validate({"id": "s", "gateway": "gw", "preset": "shelly-3em", "topics": ["plant/a"]})


def message(**changes: Any) -> MessageMap:
    return MessageMap.model_validate({"topic": "x/+", "device": {"level": 1}, "values": {"energy_kwh": "e"}} | changes)


def faults(mapped: MessageMap, content: Any, topic: str = "x/a") -> list[tuple[Reason, str, str]]:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [
        (f.reason, f.quantity, f.detail) for one in PayloadReader(mapped).decode(topic, payload) for f in one.faults
    ]


def test_a_missing_value_is_absent_and_the_others_stay() -> None:
    mapped = message(values={"energy_kwh": "e", "power_kw": {"path": "p", "sum": True}, "voltage_v": "u"})
    (one,) = PayloadReader(mapped).decode("x/a", b'{"e": 5.5, "u": null}')
    assert (one.values, one.faults) == ({"energy_kwh": 5.5}, [])


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (b"\xff\x00", Reason.MALFORMED, "not JSON"),
        ({"e": "12,5"}, Reason.NOT_A_NUMBER, "decimal mark"),
        ({"e": True}, Reason.NOT_A_NUMBER, "not a number"),
        ({"e": {"v": 1}}, Reason.NOT_A_NUMBER, "not a number"),
        ({"e": "12 m3"}, Reason.NOT_A_NUMBER, "cannot become kWh"),
        ({"e": [1, 2]}, Reason.NOT_A_NUMBER, "is a list; choose one"),
        ({"e": 1e400}, Reason.NOT_A_NUMBER, "finite"),
        ({"e": "ERR"}, Reason.NOT_A_NUMBER, "is not a number"),
    ],
)
def test_an_unreadable_value_is_one_fault_with_a_reason(content: Any, reason: Reason, said: str) -> None:
    ((found, _, detail),) = faults(message(), content)
    assert found is reason
    assert said in detail


def test_devices_of_several_makes_come_through_one_source() -> None:
    reader = PayloadReader(message(values={"volume_m3": [{"path": "litres", "unit": "L"}, "m3"]}))
    assert reader.decode("x/a", b'{"litres": 1500}')[0].values == {"volume_m3": 1.5}
    assert reader.decode("x/b", b'{"m3": 2.5}')[0].values == {"volume_m3": 2.5}


@pytest.mark.parametrize(
    ("time", "sent", "said"),
    [
        ({"path": "t", "unit": "ms"}, {}, "nothing at t"),
        ({"path": "t", "unit": "s"}, {"t": "soon"}, "not a number of s"),
        ({"path": "t", "unit": "rfc3339"}, {"t": "2026-11-20T10:15:00"}, "no zone"),
        ({"path": "t", "unit": "rfc3339"}, {"t": "20.11.2026"}, "cannot be read"),
        ({"path": "t", "unit": "ns"}, {"t": 1795150800000}, "looks like milliseconds; the mapping says ns"),
        ({"path": "t", "unit": "ms"}, {"t": "1795150800"}, "looks like seconds; the mapping says ms"),
    ],
)
def test_an_unreadable_time_is_reported_and_not_guessed(time: Any, sent: Any, said: str) -> None:
    ((reason, _, detail),) = faults(message(time=time), {"e": 1.0} | sent)
    assert reason is Reason.BAD_TIME
    assert said in detail


def test_a_record_without_a_time_counts_at_arrival_only_where_the_mapping_says_so() -> None:
    time = {"path": "t", "unit": "ms", "or_arrival": True}
    (one,) = PayloadReader(message(time=time)).decode("x/a", b'{"e": 1}')
    assert (one.ms, one.values, one.faults) == (None, {"energy_kwh": 1.0}, [])
    ((reason, _, _),) = faults(message(time=time), {"e": 1, "t": "soon"})
    assert reason is Reason.BAD_TIME


def test_a_marker_for_no_value_is_a_bad_read() -> None:
    mapped = message(unavailable=["unavailable", 9999.9999], values={"energy_kwh": "e", "power_kw": "p"}, named="@")
    content = {"e": 5, "p": 9999.9999, "voltage_v": "unavailable", "current_a": 2}
    (one,) = PayloadReader(mapped).decode("x/a", json.dumps(content).encode())
    assert (one.values, one.bad_reads, one.faults) == ({"energy_kwh": 5.0, "current_a": 2.0}, 2, [])


def test_true_and_false_are_no_numbers_even_as_markers() -> None:
    ((_, _, detail),) = faults(message(unavailable=[1.0]), {"e": True})
    assert "not a number" in detail


@pytest.mark.parametrize(("sent", "said"), [("[48213]", 48213.0), (" [ 1.5 ] ", 1.5)])
def test_a_list_of_one_number_in_a_text_is_that_number(sent: str, said: float) -> None:
    assert PayloadReader(message()).decode("x/a", json.dumps({"e": sent}).encode())[0].values == {"energy_kwh": said}
    assert faults(message(values={"energy_kwh": {"path": "e", "decimal": ","}}), {"e": "[1,2]"})


@pytest.mark.parametrize(
    ("unit", "sent"),
    [("s", 1795150800.37), ("ms", 1795150800370), ("us", 1795150800370999), ("ns", 1795150800370999999)],
)
def test_a_time_is_read_in_its_unit(unit: str, sent: float) -> None:
    (one,) = PayloadReader(message(time={"path": "t", "unit": unit})).decode(
        "x/a", json.dumps({"e": 1, "t": sent}).encode()
    )
    assert one.ms == 1795150800370


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"values": {"energy_kwh": "e["}}, "JMESPath"),
        ({"values": {"energy": "e"}}, "is not a quantity"),
        ({"values": {"energy_kwh": {"path": "e", "unit": "L"}}}, "cannot become kWh; known are kWh"),
        ({"values": {}}, "say which quantity is where"),
        ({"time": {"path": "t", "unit": "local"}}, "say in which zone"),
        ({"time": {"path": "t"}}, "or neither for the time of arrival"),
        ({"topic": "x/+a"}, "one whole level"),
        ({"topic": "ecopark/v1/#"}, "not for other devices"),
        ({"device": {}}, "one of path, level, fixed"),
        ({"values": {"energy_kwh": {"base": "e"}}}, "base and increments together"),
        ({"values": {"energy_kwh": {"base": "e", "increments": "d"}}}, "step_s"),
    ],
)
def test_an_impossible_mapping_is_refused_with_a_reason(changes: dict[str, Any], said: str) -> None:
    mapped = {"topic": "x/+", "device": {"level": 1}, "values": {"energy_kwh": "e"}} | changes
    with pytest.raises(ValueError, match=said):
        Source.model_validate({"id": "s", "gateway": "gw", "messages": [mapped]})


def test_a_filter_matches_as_a_broker_would() -> None:
    for pattern, topic, right in [
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/c/d", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "b/a", False),
        ("+/+", "/x", True),
    ]:
        assert PayloadReader(message(topic=pattern)).matches(topic) is right


@given(st.binary(max_size=300))
def test_no_payload_breaks_a_reader(payload: bytes) -> None:
    for kind in ("json", "number", "influx"):
        PayloadReader(message(payload=kind)).decode("x/a", payload)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda c: st.lists(c, max_size=4) | st.dictionaries(st.sampled_from("etpdv"), c, max_size=5),
        max_leaves=20,
    )
)
def test_no_json_breaks_a_reader(content: Any) -> None:
    mapped = message(
        time={"path": "t", "unit": "s"},
        values={"energy_kwh": {"path": "e", "sum": True}, "power_kw": "p"},
        named="v",
        errors="d",
        step_s=60,
    )
    for one in PayloadReader(mapped).decode("x/a", json.dumps(content).encode()):
        assert all(isinstance(value, float) for value in one.values.values())


@given(st.text(max_size=80))
def test_no_text_breaks_the_line_protocol(text: str) -> None:
    with suppress(LineError):
        assert all(record["fields"] for record in read_lines(text.encode(errors="replace")))


def test_units_convert_exactly_where_decimals_can() -> None:
    volume = UTILITIES[Utility.WATER].quantities["volume_m3"]
    litres = conversion("L", volume)
    assert litres is not None
    assert litres.of(811532) == 811.532
    for utility in UTILITIES.values():
        for quantity in utility.quantities.values():
            assert conversion(units_of(quantity)[0], quantity) is not None

"""Sparkplug B, with payloads of an independent encoder."""

from pathlib import Path
from typing import Any

import pysparkplug as other
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mapping import PayloadReader
from ingest.sparkplug import ASK_AGAIN_MS, Sparkplug, SparkplugError
from metering.sources import Source

CASE = Path(__file__).parents[1] / "cases" / "payloads" / "sparkplug-b"
NOW = 1_795_150_800_000
NODE, DEVICE = "spBv1.0/park/{}/gw-a", "spBv1.0/park/{}/gw-a/em-a"


class Ear:
    """Reads messages and remembers the requests to nodes."""

    def __init__(self, *, ordered: bool = True) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.reader = Sparkplug()
        self.reader.ask = lambda topic, payload: self.asked.append((topic, payload))
        self.reader.ordered = lambda: ordered

    def hear(self, topic: str, payload: Any, now_ms: int = NOW) -> list[dict[str, Any]]:
        return self.reader.read(topic, payload if isinstance(payload, bytes) else payload.encode(), now_ms)


def metric(name: str | None, value: Any, alias: int | None = None, **more: Any) -> Any:
    datatype = more.pop("datatype", other.DataType.DOUBLE)
    return other.Metric(
        timestamp=more.pop("timestamp", NOW), name=name, datatype=datatype, value=value, alias=alias, **more
    )


def nbirth(seq: int = 0, bd_seq: int = 0, *metrics: Any) -> Any:
    born = metric("bdSeq", bd_seq, datatype=other.DataType.UINT64)
    return other.NBirth(timestamp=NOW, seq=seq, metrics=(born, *metrics))


def test_the_reported_birth_and_data_are_read_and_mapped() -> None:
    ear = Ear()
    values = {"energy_kwh": 'metrics."energy/import_kWh"', "power_kw": 'metrics."power_kW"'}
    source = Source.model_validate({"id": "s", "gateway": "gw", "preset": "sparkplug-b", "values": values})
    (message,) = source.read_as
    reader = PayloadReader(message)
    found = []
    for kind, file in [("DBIRTH", "dbirth.bin"), ("DDATA", "ddata.bin")]:
        for record in ear.hear(DEVICE.format(kind), (CASE / file).read_bytes()):
            found += reader.read_content(DEVICE.format(kind), record)
    assert [(one.device, one.values.get("energy_kwh")) for one in found] == [
        ("gw-a/em-a", 48211.25),
        ("gw-a/em-a", 48214.8),
        ("gw-a/em-a", 47900.5),
    ]
    assert [one.ms for one in found] == [NOW, NOW + 60_000, NOW - 3_600_000]
    assert found[0].values["power_kw"] == 212.4


def test_the_reported_data_alone_is_not_guessed_and_asks_for_a_rebirth() -> None:
    ear = Ear()
    with pytest.raises(SparkplugError, match="alias 1 of gw-a/em-a was never born"):
        ear.hear(DEVICE.format("DDATA"), (CASE / "ddata.bin").read_bytes())
    assert [topic for topic, _ in ear.asked] == ["spBv1.0/park/NCMD/gw-a"]


def test_an_alias_that_was_never_born_is_not_guessed_and_asks_for_a_rebirth_once_in_a_while() -> None:
    ear = Ear()
    data = other.DData(timestamp=NOW, seq=1, metrics=(metric(None, 5.0, alias=7),))
    for _ in range(3):
        with pytest.raises(SparkplugError, match="alias 7 of gw-a/em-a was never born"):
            ear.hear(DEVICE.format("DDATA"), data)
    assert [topic for topic, _ in ear.asked] == ["spBv1.0/park/NCMD/gw-a"]
    command = other.NCmd.decode(ear.asked[0][1])
    assert [(m.name, m.value) for m in command.metrics] == [("Node Control/Rebirth", True)]
    with pytest.raises(SparkplugError):
        ear.hear(DEVICE.format("DDATA"), data, NOW + ASK_AGAIN_MS)
    assert len(ear.asked) == 2


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (other.DataType.INT8, -5),
        (other.DataType.INT16, -500),
        (other.DataType.INT32, -70_000),
        (other.DataType.INT64, -(2**40)),
        (other.DataType.UINT32, 2**32 - 1),
        (other.DataType.UINT64, 2**63),
        (other.DataType.DOUBLE, 48211.25),
        (other.DataType.BOOLEAN, True),
        (other.DataType.STRING, "48211.25"),
    ],
)
def test_every_type_is_read_by_name_and_by_alias(datatype: Any, value: Any) -> None:
    ear = Ear()
    (record,) = ear.hear(NODE.format("NBIRTH"), nbirth(0, 0, metric("x", value, 3, datatype=datatype)))
    assert record["metrics"] == {"x": value}
    data = other.NData(timestamp=NOW, seq=1, metrics=(metric(None, value, 3, datatype=datatype),))
    (record,) = ear.hear(NODE.format("NDATA"), data)
    assert record["metrics"] == {"x": value}
    assert not ear.asked


def test_null_is_no_value_and_historical_values_keep_their_time() -> None:
    ear = Ear()
    ear.hear(NODE.format("NBIRTH"), nbirth(0, 0, metric("e", 1.0, 1), metric("p", 2.0, 2)))
    old = metric(None, 0.5, 1, timestamp=NOW - 60_000, is_historical=True)
    data = other.NData(timestamp=NOW, seq=1, metrics=(metric(None, None, 2), old))
    (record,) = ear.hear(NODE.format("NDATA"), data)
    assert (record["time"], record["historical"], record["metrics"]) == (NOW - 60_000, True, {"e": 0.5})


def test_a_skipped_sequence_number_asks_for_a_rebirth_but_the_values_count() -> None:
    ear = Ear()
    ear.hear(NODE.format("NBIRTH"), nbirth(0, 0, metric("e", 1.0, 1)))
    for seq, asked in [(1, 0), (2, 0), (4, 1)]:
        data = other.NData(timestamp=NOW, seq=seq, metrics=(metric(None, float(seq), 1),))
        assert ear.hear(NODE.format("NDATA"), data)[0]["metrics"] == {"e": float(seq)}
        assert len(ear.asked) == asked
    shared = Ear(ordered=False)
    shared.hear(NODE.format("NBIRTH"), nbirth(0, 0, metric("e", 1.0, 1)))
    shared.hear(NODE.format("NDATA"), other.NData(timestamp=NOW, seq=9, metrics=(metric(None, 1.0, 1),)))
    assert not shared.asked


def test_a_death_of_an_earlier_session_is_ignored_and_that_of_this_one_ends_its_aliases() -> None:
    ear = Ear()
    data = other.NData(timestamp=NOW, seq=1, metrics=(metric(None, 1.0, 1),))
    ear.hear(NODE.format("NBIRTH"), nbirth(0, 5, metric("e", 1.0, 1)))
    for bd_seq in (4, 5):
        death = metric("bdSeq", bd_seq, datatype=other.DataType.UINT64)
        ear.hear(NODE.format("NDEATH"), other.NDeath(timestamp=NOW, bd_seq_metric=death))
        if bd_seq == 4:
            assert ear.hear(NODE.format("NDATA"), data)
    with pytest.raises(SparkplugError, match="never born"):
        ear.hear(NODE.format("NDATA"), data)


def test_the_sequence_wraps_at_256() -> None:
    ear = Ear()
    ear.hear(NODE.format("NBIRTH"), nbirth(254, 0, metric("e", 1.0, 1)))
    for seq in (255, 0, 1):
        ear.hear(NODE.format("NDATA"), other.NData(timestamp=NOW, seq=seq, metrics=(metric(None, 1.0, 1),)))
    assert not ear.asked


@given(st.binary(max_size=200), st.sampled_from(["NBIRTH", "NDATA", "DDATA", "NDEATH", "NCMD", "STATE"]))
def test_no_bytes_break_it(payload: bytes, kind: str) -> None:
    ear = Ear()
    try:
        records = ear.hear(DEVICE.format(kind) if kind[0] == "D" else NODE.format(kind), payload)
    except SparkplugError:
        return
    assert all(isinstance(record["metrics"], dict) for record in records)

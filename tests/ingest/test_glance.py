"""A glance says that a message has no good reading only where that is true, and counts the reasons."""

import json
from typing import Any

import pytest

from ingest.directory import Directory
from ingest.glance import glance
from ingest.lookup import Carrier
from metering.instants import ALWAYS_BEFORE, FUTURE_MS
from wire.messages import MAX_BYTES, Reason

NOW = 1_795_000_000_000
SINCE = NOW - 3_600_000


@pytest.fixture
def carrier(known: Directory) -> Carrier:
    """A gateway with one meter, which was not there before an hour ago."""
    found = known.carriers["ecopark/v1/demo/gw-1/readings"]
    return found._replace(meters={"em-1": found.meters["em-1"]._replace(since_ms=SINCE)}, horizon_ms=2 * (NOW - SINCE))


def message(**others: Any) -> bytes:
    return json.dumps(
        {"id": "x-1", "readings": [{"meter": "em-1", "ts": NOW, "values": {"energy_kwh": 1}} | others]}
    ).encode()


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"meter": "em-9"}, Reason.UNKNOWN_METER),
        ({"meter": "em-9\n"}, Reason.UNKNOWN_METER),
        ({"meter": "wm-2"}, Reason.WRONG_GATEWAY),
        ({"meter": 1}, Reason.MALFORMED),
        ({"ts": NOW + FUTURE_MS + 1}, Reason.FUTURE_TIME),
        ({"ts": SINCE - 1}, Reason.BAD_TIME),
        ({"ts": NOW - 2 * (NOW - SINCE) - 1}, Reason.BAD_TIME),
        ({"values": {"energy_kwh": -5}}, Reason.OUT_OF_RANGE),
        ({"values": {"ph": 7}}, Reason.UNKNOWN_QUANTITY),
    ],
)
def test_messages_without_a_good_reading(carrier: Carrier, others: dict[str, Any], reason: Reason) -> None:
    found = glance(message(**others), carrier, NOW)
    assert found is not None
    assert found.counts == {reason: 1}
    assert found.id == "x-1"


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"ts": NOW + FUTURE_MS},
        {"ts": SINCE},
        {"ts": "2026-11-18T00:00:00Z"},
        {"values": {"energy_kwh": 1, "ph": 7}},
        {"values": {"energy_kwh": "1"}},
        {"values": {"energy_kwh": None}},
        {"values": {}},
        {"values": 1},
    ],
)
def test_messages_that_may_have_a_good_reading(carrier: Carrier, others: dict[str, Any]) -> None:
    assert glance(message(**others), carrier, NOW) is None


def test_what_a_meter_had_to_send_before_its_horizon_is_as_late_as_its_beginning(carrier: Carrier) -> None:
    """Each bound applies alone: a meter without a first day has the horizon, and the other way round."""
    always = carrier._replace(meters={"em-1": carrier.meters["em-1"]._replace(since_ms=ALWAYS_BEFORE)})
    assert glance(message(ts=NOW - carrier.horizon_ms), always, NOW) is None
    assert glance(message(ts=NOW - carrier.horizon_ms - 1), always, NOW) is not None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"x" * (MAX_BYTES + 1), Reason.TOO_LARGE),
        (b"\xff", Reason.MALFORMED),
        (b"no JSON", Reason.MALFORMED),
        (b'{"readings":[]}', Reason.MALFORMED),
    ],
)
def test_bytes_that_are_no_message(carrier: Carrier, payload: bytes, reason: Reason) -> None:
    found = glance(payload, carrier, NOW)
    assert found is not None
    assert found.counts == {reason: 1}

"""The demo's devices of other makes say what the plant shows: read back by the ingester's own accept step."""

from datetime import datetime, timedelta

import pytest

from ingest.accept import accept
from ingest.directory import directory
from metering.instants import milliseconds
from metering.parkfile import load_park
from proving.demo.foreign import dialect_of, source_of
from proving.demo.plan import EXAMPLE
from proving.plant.history import history
from proving.plant.plant import Plant

START = datetime.fromisoformat("2026-11-02T00:00:00+07:00")


@pytest.mark.parametrize("gateway", ["gw-lora", "gw-pharma"])
def test_what_is_published_is_accepted_as_what_the_plant_showed(gateway: str) -> None:
    park = load_park(EXAMPLE)
    plant = Plant(park, seed=7, start=START)
    known = directory(park)
    dialect = dialect_of(source_of(park, gateway), park.meters_of(gateway))
    end = START + timedelta(hours=6)
    now_ms = milliseconds(end)
    for born in dialect.births():
        assert not accept(born.topic, born.payload, now_ms, known).refusals
    compared = 0
    for readings in history(plant, gateway, START, end):
        shown = {(reading["meter"], reading["ts"]): reading["values"] for reading in readings}
        for publication in dialect.of(readings, now_ms):
            accepted = accept(publication.topic, publication.payload, now_ms, known)
            assert not accepted.refusals
            assert len(accepted.taken) == publication.readings
            for taken in accepted.taken:
                right = shown[taken.meter.meter, taken.ms]
                assert taken.values == pytest.approx({name: right[name] for name in taken.values}, abs=1e-3)
                compared += 1
    assert compared == sum(6 * 3600 // meter.interval_s for meter in park.meters_of(gateway))

"""The chaos run: a short one on every change, and tests that its verdict finds faults."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from metering.park import Park
from metering.parkfile import load_park
from proving.chaos.hostile import Hostile
from proving.chaos.schedule import schedule
from proving.chaos.trial import Trial
from proving.chaos.verdict import Verdict, judge, logged
from proving.demo.plan import EXAMPLE
from proving.servers import Mosquitto
from tests.conftest import ECOPARK

METER, COUNTER = "wm-brewery", "volume_m3"


def test_a_short_run_loses_nothing() -> None:
    command = [str(ECOPARK), "chaos", "run", "--seconds", "15", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    result = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert (result["lost"], result["wrong"]) == (0, 0)
    example = load_park(EXAMPLE)
    carriers = {source.gateway for source in example.sources}
    polled = [meter for meter in example.meters if meter.gateway not in carriers]
    assert result["read"] == result["stored"] > 2 * len(polled), "each second of each meter, but for what was struck"
    assert result["foreign"] > 0
    assert sum(result["kills"].values()) >= 4
    assert {"flood", "old", "noise", "odd"} <= result["hostile"].keys()


def test_a_short_outage_of_the_database_loses_nothing() -> None:
    command = [str(ECOPARK), "chaos", "outage", "--seconds", "12", "--meters", "200"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["lost"], result["wrong"]) == (0, 0)
    assert result["read"] == result["stored"] >= 2 * 201, "of each meter one from before, and one from meanwhile"
    assert result["ingest_mb"]["most"] >= result["ingest_mb"]["first"] > 0
    assert result["live_s"] <= result["caught_up_s"]


async def test_what_gateways_still_hold_in_the_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every ingester gone nothing is confirmed any more; that is missing, but not lost."""
    monkeypatch.setattr("proving.chaos.trial.RECOVER_S", 2)
    trial = Trial(tmp_path, re.sub(r"interval_s: \d+", "interval_s: 1", EXAMPLE.read_text()), 7)

    async def without_ingesters() -> None:
        for ingester in trial.crew.ingesters:
            ingester.kill()

    found = await trial.run(without_ingesters)
    carriers = {source.gateway for source in trial.park.sources}  # they hold nothing
    reading = {gateway.id for gateway in trial.park.gateways if trial.park.meters_of(gateway.id)} - carriers
    waiting = [fault for fault in found.faults if fault.startswith("after 2 s ")]
    assert {fault.split()[3] for fault in waiting} == reading


class FailsWhenLeft(Hostile):
    """Its connection fails just when its task is cancelled, so an MQTT error hides the cancellation."""

    async def _harm(self, client: aiomqtt.Client) -> None:  # noqa: ARG002 (as the one that it replaces)
        self.sent["odd"] += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise aiomqtt.MqttError("lost") from None


async def test_a_hostile_gateway_ends_when_cancelled_though_its_connection_fails(broker: Mosquitto, park: Park) -> None:
    hostile = FailsWhenLeft(broker.address, park, 7)
    async with asyncio.timeout(60):
        harming = asyncio.create_task(hostile.run())
        while not hostile.sent:  # noqa: ASYNC110 (it sets no event)
            await asyncio.sleep(0.01)
        harming.cancel()
        await asyncio.wait([harming])


@pytest.mark.parametrize("seed", range(20))
def test_every_part_is_killed_within_a_minute(seed: int) -> None:
    blows = schedule(60, seed)
    assert blows == schedule(60, seed)
    assert {blow.part for blow in blows if blow.deed == "kill"} == {"gateway", "broker", "ingest", "database"}
    assert any(blow.deed == "pause" for blow in blows)
    assert max(blow.at + blow.lasting for blow in blows) < 60


@pytest.fixture(scope="module")
def park() -> Park:
    return load_park(EXAMPLE)


def verdict(tmp_path: Path, park: Park, rows: list[dict[str, Any]]) -> Verdict:
    """Three reads on one connection, of which the last is uncertain."""
    log = tmp_path / "reads.jsonl"
    reads = [
        {
            "epoch": 1,
            "gateway": "gw-water",
            "meter": METER,
            "ts": 1_000 * n,
            "values": {COUNTER: float(n), "flow_m3h": 3.5},
        }
        for n in (1, 2, 3)
    ]
    log.write_text("".join(json.dumps(read) + "\n" for read in reads))
    return judge(logged(log, park), rows, park)


def row(count: float, ms: int, flow: float = 3.5) -> dict[str, Any]:
    return {"meter": METER, "time": ms * 1_000_000, COUNTER: count, "flow_m3h": flow}


def test_what_was_certainly_read_must_be_in_the_database(tmp_path: Path, park: Park) -> None:
    assert verdict(tmp_path, park, [row(1, 1_010), row(2, 2_010)]).lost == 0
    assert verdict(tmp_path, park, [row(2, 2_010), row(3, 3_010)]).lost == 1


@pytest.mark.parametrize(
    "extra",
    [row(2, 2_011), row(9, 2_010), row(3, 93_010), row(3, 3_010, flow=4.0)],
    ids=["twice", "never shown", "wrong time", "wrong value"],
)
def test_faults_are_found(tmp_path: Path, park: Park, extra: dict[str, Any]) -> None:
    found = verdict(tmp_path, park, [row(1, 1_010), row(2, 2_010), extra])
    assert (found.lost, found.wrong) == (0, 1)


def test_points_of_other_makes_are_counted_and_not_judged(tmp_path: Path, park: Park) -> None:
    foreign = {"meter": "wm-plastics", "time": 1_000_000_000, COUNTER: 12.0, "flow_m3h": 1.0}
    found = verdict(tmp_path, park, [row(1, 1_010), row(2, 2_010), foreign])
    assert (found.read, found.lost, found.wrong, found.foreign) == (2, 0, 0, 1)

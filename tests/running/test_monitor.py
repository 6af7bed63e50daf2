"""What a service answers about itself: values for Prometheus, whether it hangs, and whether it does its work."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ecopark.alive import main
from efficiency.service.service import service_faults
from ingest.health import faults
from metering.errors import OperatorError
from proving.processes import free_port
from running.monitor import SILENT_S, Monitor, served

GOOD = {"connected": True, "unacknowledged": 3, "waiting_s": 0.5}


async def asked(port: int, path: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    return await asyncio.to_thread(ask)


async def test_it_serves_the_values_of_the_last_report() -> None:
    now = [0.0]
    monitor, port = Monitor("ingest", faults, lambda: now[0]), free_port()
    async with served(monitor, f"127.0.0.1:{port}"):
        assert await asked(port, "/readyz") == (503, "no report yet\n")
        monitor.report(GOOD)
        status, text = await asked(port, "/metrics")
        assert status == 200
        values = {family.name: family.samples[0].value for family in text_string_to_metric_families(text)}
        assert values == {f"ecopark_ingest_{name}": float(value) for name, value in GOOD.items()}
        assert await asked(port, "/readyz") == (200, "ok\n")
        assert await asyncio.to_thread(main, [f"http://127.0.0.1:{port}/readyz"]) == 0
        monitor.report(GOOD | {"connected": False})
        assert await asked(port, "/readyz") == (503, "no connection to the broker\n")
        assert await asyncio.to_thread(main, [f"http://127.0.0.1:{port}/readyz"]) == 1
        assert await asked(port, "/healthz") == (200, "ok\n")
        now[0] += SILENT_S + 1
        assert (await asked(port, "/healthz"))[0] == 503
        assert (await asked(port, "/elsewhere"))[0] == 404
    assert await asyncio.to_thread(main, [f"http://127.0.0.1:{port}/healthz"]) == 1


async def test_a_client_that_sends_garbage_disturbs_nobody() -> None:
    monitor, port = Monitor("ingest", faults, lambda: 0.0), free_port()
    monitor.report(GOOD)
    async with served(monitor, f"127.0.0.1:{port}"):
        silent = await asyncio.open_connection("127.0.0.1", port)
        for noise in (b"\xff\r\n\r\n", b"GET\r\n\r\n", b"x" * 100_000, b"POST /metrics HTTP/1.1\r\n\r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(noise)
            writer.close()
        assert (await asked(port, "/healthz"))[0] == 200
        silent[1].close()


@pytest.mark.parametrize("address", ["9100", "127.0.0.1", "127.0.0.1:x", "192.0.2.1:9100"])
async def test_an_invalid_address_is_reported_to_the_operator(address: str) -> None:
    with pytest.raises(OperatorError, match="ECOPARK_METRICS"):
        async with served(Monitor("ingest", faults, lambda: 0.0), address):
            pass


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"connected": False}, "no connection"),
        ({"unacknowledged": 20_000}, "the broker sends no more"),
        ({"waiting_s": 61.0}, "has taken none"),
    ],
)
def test_an_ingester_is_not_ready_when_it_cannot_work(values: Mapping[str, float], said: str) -> None:
    assert faults(GOOD) == []
    assert said in " ".join(faults({**GOOD, **values}))


def test_a_usage_service_whose_cursor_stands_still_is_not_ready() -> None:
    assert service_faults({"cycles": 0}) == ["no cycle has ended yet"]
    assert service_faults({"cycles": 3, "lag_s": 5.0}) == []
    assert "last computed 601 s ago" in service_faults({"cycles": 3, "lag_s": 601.0})[0]

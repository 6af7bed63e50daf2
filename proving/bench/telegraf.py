"""The same loads through Telegraf, where it is installed, set up to promise as much as it can.

QoS 1, a persistent session, and an acknowledgement only after the write: Telegraf tracks its messages, and takes no
more than `max_undelivered_messages` that are not written. It checks less than the ingester and sends no receipts.
"""

import shutil

from proving.bench.load import Shape
from proving.bench.loading import generator
from proving.bench.processtime import cpu_s, resident_mb
from proving.bench.station import Station
from proving.processes import Child
from proving.servers import Mosquitto
from wire.topics import Channel, topic

DATABASE = "telegraf"
PATHS = {"single": "@this", "batch": "readings"}
"""Where the readings stand in a message, in the words of Telegraf's JSON parser."""
BATCH = 10_000
PER_MESSAGE = {"single": 1, "batch": 100}


def configuration(mqtt_port: int, influx_url: str, shape: Shape) -> str:
    """Telegraf's configuration for one shape of messages."""
    return f"""\
[agent]
  flush_interval = "100ms"
  flush_jitter = "0s"
  metric_batch_size = {BATCH}
  metric_buffer_limit = {10 * BATCH}
  omit_hostname = true

[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{mqtt_port}"]
  topics = ["$share/telegraf-{shape}/{topic("+", "+", Channel.READINGS)}"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "telegraf-{shape}"
  max_undelivered_messages = {2 * BATCH // PER_MESSAGE[shape]}
  data_format = "json_v2"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "electricity"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "{PATHS[shape]}"
      timestamp_key = "ts"
      timestamp_format = "unix_ms"
      tags = ["meter"]
      disable_prepend_keys = true
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "+/+/+/+/+"
    tags = "_/_/park/_/_"

[[outputs.influxdb]]
  urls = ["{influx_url}"]
  database = "{DATABASE}"
  skip_database_creation = true
  content_encoding = "identity"
"""


async def telegraf(
    station: Station, loads: dict[Shape, int], first_ms: dict[Shape, int], meters: int
) -> dict[str, dict[str, float]] | None:
    """Figures by shape, as `throughput` has them; None where there is no Telegraf. The ingesters must be gone.

    It has a broker of its own: in the other one the last ingester's session would keep a copy of everything.
    """
    binary = shutil.which("telegraf")
    if binary is None:
        return None
    await station.store.create_database(DATABASE)
    broker = Mosquitto(station.folder / "broker-telegraf")
    await broker.start()
    try:
        return {
            shape: await _flow(station, broker.port, binary, shape, readings, first_ms[shape], meters)
            for shape, readings in loads.items()
        }
    finally:
        broker.process.stop()


def _child(station: Station, port: int, binary: str, shape: Shape) -> Child:
    file = station.folder / f"telegraf-{shape}.conf"
    file.write_text(configuration(port, station.database.url, shape), encoding="utf-8")
    return Child("telegraf", [binary, "--config", str(file)], station.folder / f"telegraf-{shape}.log")


async def _flow(
    station: Station, port: int, binary: str, shape: Shape, readings: int, first_ms: int, meters: int
) -> dict[str, float]:
    child = _child(station, port, binary, shape)
    async with generator(port, shape, readings, first_ms, meters) as load:
        child.start()
        try:
            await station.until_said(child, "Connected [tcp://")
            before = cpu_s(child.pid)
            load.start()
            sent = await load.sent()
            stored = await station.until_stored(load.made, DATABASE)
            used = cpu_s(child.pid) - before
            resident = resident_mb(child.pid)
        finally:
            child.stop()
    made = load.made
    return {
        "readings_per_s": round(made.readings / (stored - sent.began)),
        "cpu_us_per_reading": round(used / made.readings * 1e6, 2),
        "rss_mb": round(resident, 1),
    }

"""The same loads through Telegraf, where it is installed, set up to promise as much as it can.

QoS 1, a persistent session, and an acknowledgement only after the write: Telegraf tracks its messages, and takes no
more than `max_undelivered_messages` that are not written. It checks less than the ingester and sends no receipts.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proving.bench.load import Shape
from proving.bench.station import Station
from proving.bench.throughput import Takers
from proving.processes import Child
from proving.servers import Mosquitto
from wire.topics import Channel, topic

DATABASE = "telegraf"
PATHS = {"single": "@this", "batch": "readings"}
"""Where the readings are in a message, in terms of Telegraf's JSON parser."""
BATCH = 10_000
PER_MESSAGE = {"single": 1, "batch": 100}


def configuration(mqtt_port: int, influx_url: str, shape: Shape, client_id: str) -> str:
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
  client_id = "{client_id}"
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


@asynccontextmanager
async def telegrafs(station: Station, shape: Shape, number: int, place: str) -> AsyncIterator[Takers]:
    """Telegrafs on one shared subscription; the binary must be installed (`binary`).

    They have a broker of their own: in the other one the last ingester's session would keep a copy of everything.
    `place` names their files: those of an earlier use would say that these are ready.
    """
    await station.store.create_database(DATABASE)
    access = "allow_anonymous true\nlog_type subscribe"
    broker = Mosquitto(station.folder / f"broker-telegraf-{place}", access=access)
    children = []
    await broker.start()
    try:
        for index in range(number):
            name = f"telegraf-{place}-{index}"
            file = station.folder / f"{name}.conf"
            file.write_text(configuration(broker.port, station.database.url, shape, name), encoding="utf-8")
            child = Child(name, [binary() or "telegraf", "--config", str(file)], station.folder / f"{name}.log")
            child.start()
            children.append(child)
        for child in children:
            await station.until_said(child, "Connected [tcp://")
        for child in children:  # Telegraf does not say when it has subscribed
            await station.until_said(broker.process, f"{child.name} 1 $share/")
        yield Takers(broker.port, DATABASE, tuple(child.pid for child in children))
    finally:
        for child in children:
            child.stop()
        broker.process.stop()


def binary() -> str | None:
    """Where Telegraf is installed; None where it is not."""
    return shutil.which("telegraf")

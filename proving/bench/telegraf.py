"""The same loads through Telegraf, where it is installed, set up to promise as much as it can.

QoS 1, a persistent session, and an acknowledgement only after the write: Telegraf tracks its messages, and takes no
more than `max_undelivered_messages` that are not written. It checks less than the ingester and sends no receipts.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mqtt5

from proving.bench.load import Shape
from proving.bench.station import Station
from proving.bench.throughput import Takers
from proving.processes import Child
from proving.servers import Mosquitto
from wire.topics import Channel, topic

DATABASE = "telegraf"
PATHS = {"single": "@this", "batch": "readings"}
"""Where the readings stand in a message, in the words of Telegraf's JSON parser."""
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
async def telegrafs(station: Station, shape: Shape, number: int) -> AsyncIterator[Takers]:
    """So many Telegrafs on one shared subscription; the binary must be there (`binary`).

    They have a broker of their own: in the other one the last ingester's session would keep a copy of everything.
    """
    await station.store.create_database(DATABASE)
    broker = Mosquitto(station.folder / f"broker-telegraf-{shape}-{number}")
    children = []
    await broker.start()
    try:
        for index in range(number):
            name = f"telegraf-{shape}-{number}-{index}"
            file = station.folder / f"{name}.conf"
            file.write_text(configuration(broker.port, station.database.url, shape, name), encoding="utf-8")
            child = Child(name, [binary() or "telegraf", "--config", str(file)], station.folder / f"{name}.log")
            child.start()
            children.append(child)
        for child in children:
            await station.until_said(child, "Connected [tcp://")
        await _until_subscribed(broker.port)  # which Telegraf does not say
        yield Takers(broker.port, DATABASE, tuple(child.pid for child in children))
    finally:
        for child in children:
            child.stop()
        broker.process.stop()


async def _until_subscribed(port: int) -> None:
    """Publish a message that is no reading until the broker says that somebody receives it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(mqtt5.ConnectPacket("bench-look", clean_start=True, keep_alive=0).write())
    await reader.read(4096)
    where = topic("bench-look", "bench-look", Channel.READINGS)
    look = mqtt5.PublishPacket(where, b"{}", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1).write()
    answer: object = None
    while not (isinstance(answer, mqtt5.PubAckPacket) and answer.reason_code == mqtt5.PubAckReasonCode.SUCCESS):
        await asyncio.sleep(0.05)
        writer.write(look)
        answer, _ = mqtt5.read(memoryview(await reader.read(4096)))
    writer.close()


def binary() -> str | None:
    """Where Telegraf is installed; None where it is not."""
    return shutil.which("telegraf")

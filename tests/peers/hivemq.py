"""HiveMQ CE, which comes as jars; who may do what is the affair of an extension in its folder, not of our rules."""

import shutil
from pathlib import Path

import mqtt5

from ecopark.broker.accounts import OPERATOR, wanted
from ecopark.broker.files import account_file
from ecopark.secretfiles import generate, write_secrets
from metering.park import Park
from proving.processes import Child, free_port, program
from proving.servers import until_ready
from wire.address import BrokerAddress

_CONFIGURATION = """\
<?xml version="1.0"?>
<hivemq>
  <listeners><tcp-listener><port>{port}</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
  <mqtt>
    <queued-messages><max-queue-size>1000000</max-queue-size></queued-messages>
    <receive-maximum><server-receive-maximum>1000</server-receive-maximum></receive-maximum>
  </mqtt>
  <restrictions><max-client-id-length>65535</max-client-id-length></restrictions>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
"""


class HiveMQ:
    """One node with file persistence, which survives a kill."""

    def __init__(self, place: Path, folder: Path, parks: list[Park]) -> None:
        self.port = free_port()
        self._folder = folder.absolute()
        (self._folder / "conf").mkdir(parents=True, exist_ok=True)
        (self._folder / "conf" / "config.xml").write_text(_CONFIGURATION.format(port=self.port))
        shutil.copytree(place / "extensions", self._folder / "extensions", dirs_exist_ok=True)
        for name in wanted(parks):
            url = f"mqtt://{name}:{generate()}@127.0.0.1:{self.port}"
            write_secrets(self.account(name), {"ECOPARK_MQTT_URL": url})
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.address = BrokerAddress.parse(f"mqtt://{OPERATOR}:x@127.0.0.1:{self.port}")
        command = [program("java", "default-jre-headless"), "-Xmx1g", f"-Dhivemq.home={self._folder}", "-cp"]
        command += [f"{place.absolute()}/lib/*", "com.hivemq.HiveMQServer"]
        self.process = Child("hivemq", command, self._folder / "hivemq.log")

    async def start(self) -> None:
        self.process.start()
        await until_ready(self.process, self.port, mqtt5.ConnectPacket("", clean_start=True, keep_alive=5).write())

    def account(self, name: str) -> Path:
        return account_file(self._folder, name)

    def forget(self) -> None:
        """It forgets nothing when it is killed."""

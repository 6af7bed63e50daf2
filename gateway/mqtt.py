"""The gateway's connection to the broker: aiomqtt, plus what its `publish` lacks.

aiomqtt waits for each acknowledgement separately, drops the broker's reason code, and ignores the broker's receive
maximum. Sending a window of messages needs all three, so this client reports them to the owner of the window.
"""

import contextlib
import socket
from collections.abc import Callable
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, ConnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from wire.address import BrokerAddress
from wire.tls import context

CONNECT_TIMEOUT_S = 3.0
_SESSION_EXPIRY_S = 3_600  # receipts wait this long at the broker for a gateway that is away


class MqttConnection(aiomqtt.Client):
    """One connection; `acknowledged` is called with the packet id and, where the broker refused, its reason."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        identifier: str,
        will: aiomqtt.Will,
        keepalive_s: int,
        acknowledged: Callable[[int, str | None], None],
    ) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        super().__init__(
            address.host,
            address.port,
            username=address.user,
            password=address.secret,
            identifier=identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=will,
            timeout=CONNECT_TIMEOUT_S,
            keepalive=keepalive_s,
            clean_start=False,
            max_inflight_messages=0,  # the window is ours; a second one inside would hide what is in flight
            properties=properties,
            tls_context=context(address),
        )
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._acknowledged = acknowledged
        self.receive_maximum = 65_535
        self.session_present = False

    def post(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send at QoS 1 without waiting; returns the packet id that `acknowledged` will be called with."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(info.rc, "Could not publish message")
        return info.mid

    def abort(self) -> None:
        """Cut the connection, so that leaving it does not wait for a silent broker."""
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _on_connect(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.session_present = flags.session_present
        self.receive_maximum = getattr(properties, "ReceiveMaximum", 65_535)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self, client: Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        self._acknowledged(mid, str(reason_code) if reason_code.is_failure else None)
        super()._on_publish(client, userdata, mid, reason_code, properties)

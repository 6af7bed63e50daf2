"""One MQTT 5 connection on the `mqtt5` codec: receives, acknowledges on request, and notices when it is dead.

It guarantees order (PUBACKs leave in the order of receipt, whatever was written first), a keep-alive that holds while
the database is slow (nothing here ever waits), and bounded memory (the socket is not read while paused). Where packets
come often, they gather in the socket for some milliseconds. Once announced, its `presence` topic holds a retained
message, which the last will removes. An object is one connection; its owner makes the next one.
"""

import asyncio
import ssl
import struct
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import mqtt5

from ingest.pace import Pace
from metering.errors import OperatorError, UnavailableError
from wire.address import BrokerAddress
from wire.tls import context

CONNECT_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 15
SESSION_EXPIRY_S = 7 * 24 * 3600
"""How long the broker keeps the session, with what is unacknowledged, of an ingester that is gone."""

RECEIVE_MAXIMUM = 20_000
"""How many unacknowledged messages the broker may have in flight to us."""

MAX_PACKET_BYTES = 8 * 1024 * 1024

WILL_DELAY_S = 10
"""An ingester that has not come back for so long is gone; whoever takes over its session can see who had it."""

PLENTY = 64 * 1024
"""So many bytes at once are read at once, however fast they come."""

_OPERATORS = (
    mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD,
    mqtt5.ConnAckReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnAckReasonCode.BANNED,
    mqtt5.ConnAckReasonCode.CLIENT_ID_NOT_VALID,
    mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
)

_GRANTED = (
    mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE,
    mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE,
    mqtt5.SubAckReasonCode.GRANTED_QOS_EXACTLY_ONCE,
)
_Answer = mqtt5.SubAckPacket | mqtt5.UnsubAckPacket


class SessionTakenOverError(OperatorError):
    """Another ingester connected under the same name; two would take the session from each other for ever."""

    def __init__(self, client_id: str) -> None:
        super().__init__(f"another ingester is called {client_id} too; give each its own ECOPARK_INSTANCE")


class Delivery(NamedTuple):
    """A message as it came, with the `connection` to acknowledge it on.

    `retained`: the broker had kept it from before we subscribed. `again`: the broker marks it as sent before.
    """

    topic: str
    payload: bytes
    packet_id: int | None
    connection: "Connection"
    retained: bool = False
    again: bool = False


class Connection(asyncio.Protocol):
    """Receives publications and hands those that come together to `receive` within the event loop's turn."""

    def __init__(
        self,
        client_id: str,
        address: BrokerAddress,
        receive: Callable[[list[Delivery]], None],
        *,
        presence: str,
        pace: Pace,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._client_id = client_id
        self._address = address
        self._receive = receive
        self._presence = presence
        self._pace = pace
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._connected: asyncio.Future[mqtt5.ConnAckPacket] = self._loop.create_future()
        self._lost: asyncio.Future[Exception] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[_Answer]] = {}
        self._last_packet_id = 0
        self._heard = self._loop.time()
        self._keep_alive = KEEP_ALIVE_S
        self._heartbeat: asyncio.TimerHandle | None = None
        self._paused = False
        self.session_present = False
        self.window = 0
        """Most messages seen unacknowledged at once; it stays small where the broker's own limit is small."""
        self._received: deque[int] = deque()
        self._done: set[int] = set()
        self._drained: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Connect and wait for the CONNACK.

        Raises `UnavailableError` where none comes, `OperatorError` where it turns us away.
        """
        where = f"MQTT broker at {self._address}"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._loop.create_connection(
                    lambda: self,
                    self._address.host,
                    self._address.port,
                    ssl=context(self._address),
                )
                answer = await self._connected
        except ssl.SSLCertVerificationError as error:
            raise OperatorError(
                f"{where}: its certificate is not trusted ({error.verify_message}); "
                "install its authority's certificate or name it in SSL_CERT_FILE"
            ) from error
        except (OSError, TimeoutError) as error:
            self.abort()
            raise UnavailableError(f"{where}: {str(error) or 'no answer'}") from error
        if (refused := _refusal_of(answer, where)) is not None:
            self.abort()
            raise refused
        self.session_present = answer.session_present
        self._keep_alive = answer.server_keep_alive or KEEP_ALIVE_S
        self._beat()

    def announce(self, said: bytes) -> None:
        """Publish a retained message on the presence topic; the last will clears it."""
        self.publish(self._presence, said, retain=True)

    async def subscribe(self, patterns: Iterable[str], qos: mqtt5.QoS) -> None:
        """Subscribe to topics and wait for the SUBACK.

        Raises `OperatorError` where a filter is refused.
        """
        # Only so does `retain` mean that the broker had kept a message; many devices set it on all that they publish.
        wanted = [mqtt5.TopicFilter(pattern, max_qos=qos, retain_as_published=False) for pattern in patterns]
        answer = await self._ask(lambda packet_id: mqtt5.SubscribePacket(packet_id, wanted))
        if isinstance(answer, mqtt5.SubAckPacket):
            for wish, code in zip(wanted, answer.reason_codes, strict=True):
                if code not in _GRANTED:
                    raise OperatorError(
                        f"the broker refuses the subscription to {wish.pattern}: {code.name}; grant it to the ingester"
                    )

    async def unsubscribe(self, patterns: list[str]) -> None:
        """Unsubscribe; what the broker sent before the UNSUBSCRIBE still comes."""
        await self._ask(lambda packet_id: mqtt5.UnsubscribePacket(packet_id, patterns))

    async def lost(self) -> Exception:
        """Wait until the connection has ended; returns the reason."""
        return await asyncio.shield(self._lost)

    @property
    def is_open(self) -> bool:
        """Whether anything can still be sent."""
        return self._transport is not None and not self._lost.done()

    @property
    def unacknowledged(self) -> int:
        """Messages that were received and not yet acknowledged."""
        return len(self._received)

    async def drained(self) -> None:
        """Wait until everything that was received is acknowledged, or can no longer be."""
        self._drained = self._loop.create_future()
        if self._received and self.is_open:
            either: list[asyncio.Future[Any]] = [self._drained, self._lost]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Mark messages of this connection as done; PUBACKs leave in order of receipt, as MQTT demands."""
        received, done = self._received, self._done
        done.update(packet_ids)
        pubacks: list[int] = []
        while received and received[0] in done:
            packet_id = received.popleft()
            done.remove(packet_id)
            pubacks.append(_PUBACK | packet_id)
        self._send(struct.pack(f">{len(pubacks)}I", *pubacks))
        if self._drained is not None and not received and not self._drained.done():
            self._drained.set_result(None)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 0: what is lost is sent again later, or was only advice."""
        self._send(mqtt5.PublishPacket(topic, payload, retain=retain).write())

    def pause(self) -> None:
        """Stop reading the socket until `resume`."""
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read the socket again."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._heard = self._loop.time()
            self._transport.resume_reading()

    async def close(self) -> None:
        """Say goodbye; the session stays with the broker."""
        if self.is_open and self._transport is not None:
            self.publish(self._presence, b"", retain=True)
            self._send(mqtt5.DisconnectPacket(session_expiry_interval=SESSION_EXPIRY_S).write())
            self._transport.close()
            await self.lost()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the CONNECT."""
        self._transport = cast("asyncio.Transport", transport)
        self._send(_connect(self._client_id, self._address, self._presence))

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake everybody who waits."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        error = exc or UnavailableError("the broker closed the connection")
        if not self._lost.done():
            self._lost.set_result(error)
        waiting: list[asyncio.Future[Any]] = [self._connected, *self._answers.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(ConnectionError(str(error)))
                future.exception()  # retrieved here, so asyncio does not warn where nobody waits

    def data_received(self, data: bytes) -> None:
        """Take whole packets off the stream."""
        self._heard = self._loop.time()
        came: list[Delivery] = []
        if self._buffer:
            self._buffer += data
            with memoryview(self._buffer) as view:
                done = self._read(view, came)
            del self._buffer[:done]
        else:
            with memoryview(data) as view:
                done = self._read(view, came)
                self._buffer += view[done:]
        if came:
            self._receive(came)
        self.window = max(self.window, len(self._received))
        self._pace.note(len(came), len(data), self._heard)
        if len(data) < PLENTY and self._transport is not None and (gather_s := self._pace.gather_s):
            self._transport.pause_reading()
            self._loop.call_later(gather_s, self._read_on)

    def _read_on(self) -> None:
        if not self._paused and self._transport is not None:
            self._transport.resume_reading()

    def _read(self, view: memoryview, came: list[Delivery]) -> int:
        """Read whole packets and add those that are messages to `came`; returns where the rest begins."""
        read, received = mqtt5.read, self._received
        done = 0
        while True:
            try:
                packet, size = read(view[done:])
            except IndexError:
                return done
            except ValueError as error:
                self._end(UnavailableError(f"the broker sent what is not MQTT 5: {error}"))
                return done
            done += size
            if type(packet) is not mqtt5.PublishPacket:
                self._take(packet)
                continue
            packet_id = packet.packet_id
            if packet_id is not None:
                received.append(packet_id)
            message = (packet.topic, packet.payload, packet_id, self, packet.retain, packet.duplicate)
            came.append(_new(Delivery, message))

    def _take(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket():
                if not self._connected.done():
                    self._connected.set_result(packet)
            case mqtt5.SubAckPacket() | mqtt5.UnsubAckPacket():
                if (waiting := self._answers.pop(packet.packet_id, None)) is not None and not waiting.done():
                    waiting.set_result(packet)
            case mqtt5.DisconnectPacket():
                self._end(UnavailableError(f"the broker closed the connection: {packet.reason_code.name}"))
            case _:
                pass

    async def _ask(self, packet: Callable[[int], mqtt5.SubscribePacket | mqtt5.UnsubscribePacket]) -> _Answer:
        self._last_packet_id += 1
        answer: asyncio.Future[_Answer] = self._loop.create_future()
        self._answers[self._last_packet_id] = answer
        self._send(packet(self._last_packet_id).write())
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await answer
        except (ConnectionError, TimeoutError) as error:
            self.abort()
            raise UnavailableError("the broker did not answer a subscription") from error

    def _beat(self) -> None:
        """Ping halfway through the keep-alive; treat the connection as dead after one and a half."""
        patience = 1.5 * self._keep_alive
        silent = 0.0 if self._paused else self._loop.time() - self._heard
        if silent >= patience:
            self._end(UnavailableError(f"nothing heard of the broker for {silent:.0f} s"))
            return
        self._send(_PING)
        self._heartbeat = self._loop.call_later(min(self._keep_alive / 2, patience - silent), self._beat)

    def _end(self, error: Exception) -> None:
        if not self._lost.done():
            self._lost.set_result(error)
        self.abort()

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


_new = tuple.__new__  # as NamedTuple's own __new__ does, without a Python call
_PING = mqtt5.PingReqPacket().write()
_PUBACK = 0x40020000
"""A whole PUBACK but for the packet identifier, its last two bytes."""


def _connect(client_id: str, address: BrokerAddress, presence: str) -> bytes:
    """CONNECT: persistent session, receive maximum, keep-alive, and a last will that clears the presence."""
    return mqtt5.ConnectPacket(
        client_id,
        username=address.user,
        password=address.secret.encode() if address.secret is not None else None,
        clean_start=False,
        keep_alive=KEEP_ALIVE_S,
        session_expiry_interval=SESSION_EXPIRY_S,
        receive_max=RECEIVE_MAXIMUM,
        max_packet_size=MAX_PACKET_BYTES,
        will=mqtt5.Will(presence, payload=b"", retain=True, will_delay_interval=WILL_DELAY_S),
    ).write()


def _refusal_of(answer: mqtt5.ConnAckPacket, where: str) -> OperatorError | UnavailableError | None:
    """The error that a CONNACK means; None where it accepts us."""
    if answer.reason_code == mqtt5.ConnAckReasonCode.SUCCESS:
        return None
    if answer.reason_code in _OPERATORS:
        return OperatorError(
            f"{where} refuses the connection: {answer.reason_code.name}; correct the user and password in "
            "ECOPARK_MQTT_URL, or the broker's accounts"
        )
    return UnavailableError(f"{where} refuses the connection: {answer.reason_code.name}")

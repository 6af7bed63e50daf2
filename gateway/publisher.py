"""From the spool to the broker and back: publishes, takes receipts, and deletes from the spool what was confirmed.

It never waits for single messages, reconnects by itself, and notices within the keep-alive that a broker has fallen
silent. Nothing here is durable: whatever dies, the spool is the truth.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from gateway.mqtt import MqttConnection
from gateway.outbox import Outbox
from gateway.sendqueue import SendQueue
from gateway.spool import SpoolThread
from metering.errors import UnavailableError, first_error
from running.patience import Patience
from running.trouble import Trouble
from wire.address import BrokerAddress
from wire.messages import Receipt, Refusals, Status
from wire.topics import Channel, topic

_LOG = logging.getLogger(__name__)
_TICK_S = 0.5  # timers and silence are checked this often
_BATCH_S = 0.2  # receipts are collected this long before they are written
_DISK_RETRY_S = 5.0
_FINISH_S = 1.5  # a clean stop waits this long for the broker's acknowledgements


@dataclass(frozen=True, slots=True)
class Link:
    """The broker to talk to, and how often to publish the status."""

    address: BrokerAddress
    park: str
    gateway: str
    keepalive_s: int = 15
    status_every_s: float = 10.0


class _FinishedError(Exception):
    """The clean stop is complete; ends the tasks of a connection."""


class Publisher:
    """Runs until `stopping` is set. `status` makes the status message; its `online` is false for the last one."""

    def __init__(
        self,
        link: Link,
        thread: SpoolThread,
        outbox: Outbox,
        *,
        now: Callable[[], float],
        status: Callable[[bool], Awaitable[Status]],
        will: Status,
        stopping: asyncio.Event,
    ) -> None:
        self._link = link
        self._thread = thread
        self._spool = thread.spool
        self._outbox = outbox
        self._now = now
        self._status = status
        self._will = will
        self._stopping = stopping
        self._queue = SendQueue(thread, outbox, now)
        self._work = asyncio.Event()
        self._receipts = asyncio.Event()
        self._tell = asyncio.Event()
        self._unknown: set[str] = set()
        self._packets: dict[int, int | None] = {}
        self._heard = 0.0
        self._connection = Patience(f"broker {link.address}", _LOG, now)
        self._answer = Trouble(_LOG, f"broker {link.address} refuses", now)
        self._refused = Trouble(_LOG, "refused by the ingester", now)
        self._garbled = Trouble(_LOG, "unreadable answer", now)
        self._disk = Trouble(_LOG, "spool", now)
        self.confirmed = 0
        self._forgot = asyncio.Event()

    def appended(self) -> None:
        """Note that there is more in the spool."""
        self._work.set()

    async def forgot_some(self) -> None:
        """Wait until the spool holds less, or a moment has passed."""
        self._forgot.clear()
        await _wait(self._forgot, _TICK_S)

    def tell(self) -> None:
        """Publish the status now."""
        self._tell.set()

    async def run(self) -> None:
        """Publish until `stopping`; then finish what is in flight, publish a last status, and return."""
        async with asyncio.TaskGroup() as group:
            forgetting = group.create_task(self._forget())
            staying = group.create_task(self._stay_connected())
            await self._stopping.wait()
            await asyncio.wait((staying,), timeout=_FINISH_S + 1)  # it may be in the middle of connecting
            staying.cancel()
            forgetting.cancel()
        await self._forget_confirmed()

    async def _stay_connected(self) -> None:
        while not self._stopping.is_set():
            pause = 0.0
            try:
                await self._connected()
            except* _FinishedError:
                _LOG.info("finished; %d messages stay in the spool", self._spool.depth.messages)
            except* aiomqtt.MqttError as group:
                pause = self._connection.failed(self._explain(group.exceptions[0]))
            except* UnavailableError as group:
                self._disk.happened(str(first_error(group)))
                pause = _DISK_RETRY_S
            await _wait(self._stopping, pause)

    async def _connected(self) -> None:
        """Serve one connection until it is lost."""
        client = MqttConnection(
            self._link.address,
            identifier=f"{self._link.park}.{self._link.gateway}",
            will=aiomqtt.Will(self._topic(Channel.STATUS), _json(self._will), qos=1, retain=True),
            keepalive_s=self._link.keepalive_s,
            acknowledged=self._acknowledged,
        )
        try:
            async with client:
                try:
                    await self._converse(client)
                except BaseException as error:
                    if not _finished(error):
                        client.abort()
                    raise
        finally:
            client.abort()
            self._packets.clear()
            self._outbox.disconnected()

    async def _converse(self, client: MqttConnection) -> None:
        for channel in (Channel.RECEIPTS, Channel.REFUSALS):
            codes = await client.subscribe(self._topic(channel), qos=1)
            if any(isinstance(code, ReasonCode) and code.is_failure for code in codes):
                self._answer.happened(f"{codes[0]}: let this user subscribe to {self._topic(channel)}")
        self._heard = self._now()
        self._outbox.receive_maximum = max(1, client.receive_maximum - 1)  # one is kept for the status
        if not client.session_present:
            self._outbox.broker_forgot()
        self._queue.connected()
        self._connection.succeeded()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(client))
            group.create_task(self._send(client))
            group.create_task(self._report(client))
            group.create_task(self._finish(client))

    async def _send(self, client: MqttConnection) -> None:
        readings = self._topic(Channel.READINGS)
        look_at = 0.0
        while True:
            self._work.clear()
            while (message := await self._queue.next()) is not None:
                self._packets[client.post(readings, message.payload)] = message.seq
                self._outbox.leaves(message)
            if self._now() >= look_at:
                self._check_silence()
                look_at = self._now() + _TICK_S
            await _wait(self._work, _TICK_S)

    def _check_silence(self) -> None:
        left = self._outbox.oldest_in_flight
        silent = 0.0 if left is None else self._now() - max(left, self._heard)
        if silent > self._link.keepalive_s:
            raise aiomqtt.MqttError(f"silent for {silent:.0f} s although the connection is open; reconnecting")

    async def _listen(self, client: MqttConnection) -> None:
        async for message in client.messages:
            self._heard = self._now()
            payload = message.payload
            try:
                if message.topic.value == self._topic(Channel.RECEIPTS):
                    self._unknown.update(self._outbox.confirm(Receipt.model_validate_json(payload).stored))
                    self._receipts.set()
                else:
                    refusals = Refusals.model_validate_json(payload).refused
                    reasons = ", ".join(sorted({one.reason for one in refusals}))
                    self._refused.happened(f"{reasons}. See them with: ecopark refused list")
            except ValidationError as error:
                self._garbled.happened(f"on {message.topic}: {error.errors()[0]['msg']}")

    async def _report(self, client: MqttConnection) -> None:
        while True:
            self._tell.clear()
            self._post_status(client, await self._status(True))  # noqa: FBT003 (online)
            await _wait(self._tell, self._link.status_every_s)

    async def _finish(self, client: MqttConnection) -> None:
        await self._stopping.wait()
        until = self._now() + _FINISH_S
        while (self._queue.live_waits or self._outbox.in_flight) and self._now() < until:
            await _wait(self._work, _TICK_S / 50)
        await self._forget_confirmed()
        packet = self._post_status(client, await self._status(False))  # noqa: FBT003 (offline: the last one)
        while packet in self._packets and self._now() < until + _FINISH_S / 2:
            await _wait(self._work, _TICK_S / 50)
        raise _FinishedError

    def _post_status(self, client: MqttConnection, status: Status) -> int:
        packet = client.post(self._topic(Channel.STATUS), _json(status), retain=True)
        self._packets[packet] = None
        return packet

    def _acknowledged(self, packet: int, refusal: str | None) -> None:
        self._heard = self._now()
        seq = self._packets.pop(packet, None)
        if seq is None:
            return
        if refusal is None:
            self._outbox.acknowledged(seq)
            self._answer.over()
            if self._outbox.waiting_to_be_forgotten:
                self._receipts.set()
        else:
            self._outbox.refused(seq)
            right = f"Let this user publish to {self._topic(Channel.READINGS)}"
            self._answer.happened(f"{refusal}: readings stay in the spool. {right}")
        self._work.set()

    async def _forget(self) -> None:
        while True:
            await self._receipts.wait()
            await asyncio.sleep(_BATCH_S)
            self._receipts.clear()
            if not await self._forget_confirmed():
                await asyncio.sleep(_DISK_RETRY_S)
                self._receipts.set()

    async def _forget_confirmed(self) -> bool:
        """Delete confirmed messages from the spool; False when the disk fails."""
        known = self._outbox.confirmed()
        unknown, self._unknown = self._unknown, set()
        try:
            self.confirmed += await self._thread.call(self._spool.forget, [*known, *unknown])
        except UnavailableError as error:
            self._unknown |= unknown
            self._disk.happened(str(error))
            return False
        self._disk.over()
        self._outbox.forgotten(known)
        self._work.set()
        self._forgot.set()
        return True

    def _topic(self, channel: Channel) -> str:
        return topic(self._link.park, self._link.gateway, channel)

    def _explain(self, error: BaseException) -> str:
        error = first_error(error)
        if isinstance(error, aiomqtt.exceptions.MqttConnectError):
            return f"refuses this gateway: {error.rc}. Check user and password in the broker's URL"
        return str(error.__cause__ or error) or type(error).__name__


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but no longer than that."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _finished(error: BaseException) -> bool:
    return isinstance(error, BaseExceptionGroup) and error.subgroup(_FinishedError) is not None


def _json(status: Status) -> bytes:
    return status.model_dump_json(exclude_none=True).encode()

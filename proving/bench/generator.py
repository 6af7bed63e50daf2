"""The load generator, a separate process: makes all packets, reports that, and sends them on request.

`python -m proving.bench.generator --help`. It speaks JSON lines: on standard output what it has made, after a line on
standard input what it has sent. It sends as fast as the broker acknowledges, or at a steady rate.
"""

import argparse
import json
import socket
import sys
import time
from dataclasses import asdict

import mqtt5

from proving.bench.load import IDS, MessageLoad, make

WINDOW = 20_000
"""Messages on their way to the broker at most, where it allows as many."""
CHUNK = 250
"""Messages that are sent with one system call."""
TICK_S = 0.002
_ACK_BYTES = 4


class LoadPublisher:
    """One connection that publishes at QoS 1 and counts what was acknowledged. Times out after 30 s of silence."""

    def __init__(self, port: int, client_id: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(mqtt5.ConnectPacket(client_id, clean_start=True, keep_alive=0).write())
        greeting = self._socket.recv(4096)
        answer, size = mqtt5.read(memoryview(greeting))
        if not isinstance(answer, mqtt5.ConnAckPacket) or answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise ConnectionError(f"the broker does not welcome the load generator: {answer}")
        self._tail = greeting[size:]
        self._window = min(WINDOW, answer.receive_max, IDS)
        self.sent = 0
        self.acknowledged = 0

    def send(self, packets: list[bytes]) -> None:
        """Send in portions, each once the broker has acknowledged enough of the ones before."""
        for start in range(0, len(packets), CHUNK):
            some = packets[start : start + CHUNK]
            while self.sent + len(some) - self.acknowledged > self._window:
                self._take()
            self._socket.sendall(b"".join(some))
            self.sent += len(some)

    def finish(self) -> None:
        """Wait until everything is acknowledged."""
        while self.acknowledged < self.sent:
            self._take()
        self._socket.close()

    def _take(self) -> None:
        """Count acknowledgements; anything but a bare PUBACK means that the load does not reach a subscriber."""
        received = self._socket.recv(1 << 16)
        if not received:
            raise ConnectionError("the broker has closed the connection of the load generator")
        data = self._tail + received
        whole = len(data) // _ACK_BYTES
        if data[0 : whole * _ACK_BYTES : _ACK_BYTES] != b"\x40" * whole or data[
            1 : whole * _ACK_BYTES : _ACK_BYTES
        ] != (b"\x02" * whole):
            raise ConnectionError(
                f"the broker answers the load with something else than acknowledgements: {data[:32].hex(' ')}"
            )
        self.acknowledged += whole
        self._tail = data[whole * _ACK_BYTES :]


def send_fast(publisher: LoadPublisher, load: MessageLoad) -> None:
    """Send everything as fast as it is acknowledged."""
    publisher.send(load.packets)
    publisher.finish()


def send_steadily(publisher: LoadPublisher, load: MessageLoad, rate: float) -> None:
    """Send a number of messages a second, evenly; what was missed while the process did not run is sent afterwards."""
    began = time.monotonic()
    done = 0
    while done < len(load.packets):
        due = min(int((time.monotonic() - began) * rate) + 1, len(load.packets))
        if due > done:
            publisher.send(load.packets[done:due])
            done = due
        # A load with a given rate is sent tick by tick.
        time.sleep(max(TICK_S, began + done / rate - time.monotonic()))
    publisher.finish()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m proving.bench.generator",
        description="Publish a load of readings at QoS 1; begins when it gets a line on standard input.",
        epilog="example: python -m proving.bench.generator --port 1883 --shape single --readings 1000 "
        "--first 1763900000000 --meters 100",
    )
    parser.add_argument("--port", type=int, required=True, help="of the broker on this machine")
    parser.add_argument("--shape", choices=("single", "batch", "mix"), required=True, help="of the messages")
    parser.add_argument("--readings", type=int, required=True, help="how many, at least")
    parser.add_argument("--first", type=int, required=True, metavar="MS", help="instant of the first reading")
    parser.add_argument("--meters", type=int, required=True, help="of the large park")
    parser.add_argument("--rate", type=float, help="messages a second; as fast as possible without it")
    options = parser.parse_args()
    load = make(options.shape, options.readings, options.first, options.meters)
    publisher = LoadPublisher(options.port, f"bench-{options.shape}")
    made = asdict(load) | {"packets": len(load.packets)}
    _say(made)
    if not sys.stdin.readline():
        return
    began = time.monotonic()
    if options.rate is None:
        send_fast(publisher, load)
    else:
        send_steadily(publisher, load, options.rate)
    _say({"began": began, "ended": time.monotonic()})


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

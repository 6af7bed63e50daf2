"""Whether a service does its work, asked from outside: `python -m ecopark.alive said|written ...`, exit 0 or 1.

`said TOPIC`: the broker holds a word on this topic, and it does not say that who said it is offline.
`written MEASUREMENT`: the database has a point of the last minutes. For health checks of containers.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import aiomqtt

from ecopark.settings import Settings, read_settings
from metering.errors import OperatorError, UnavailableError
from store.client import RejectedError
from store.schema import NS_PER_MS, OPERATOR_DATABASE
from wire.tls import context

WAIT_S = 5.0
RECENT_S = 300


async def said(settings: Settings, topic: str) -> bool:
    """Whether a retained word stands there that is not a farewell."""
    address = settings.broker()
    try:
        async with (
            asyncio.timeout(WAIT_S),
            aiomqtt.Client(
                address.host,
                address.port,
                username=address.user,
                password=address.secret,
                protocol=aiomqtt.ProtocolVersion.V5,
                tls_context=context(address),
            ) as client,
        ):
            await client.subscribe(topic, qos=1)
            async for message in client.messages:
                return len(message.payload) > 0 and b'"online":false' not in message.payload
    except (TimeoutError, aiomqtt.MqttError):
        pass
    return False


async def written(settings: Settings, measurement: str, now_s: float) -> bool:
    """Whether there is a recent point."""
    since = int(now_s - RECENT_S) * 1000 * NS_PER_MS
    async with settings.store() as store:
        try:
            statement = f'SELECT * FROM "{measurement}" WHERE time > {since} LIMIT 1'
            return bool(await store.query(statement, OPERATOR_DATABASE))
        except (OperatorError, RejectedError, UnavailableError):
            return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m ecopark.alive",
        description="Ask from outside whether a service does its work.",
        epilog="Example: python -m ecopark.alive said ecopark/v1/ingesters/ingest-1",
    )
    parser.add_argument("how", choices=["said", "written"])
    parser.add_argument("what", help="a topic, or a measurement")
    options = parser.parse_args(arguments)
    settings = read_settings()
    if options.how == "said":
        return 0 if asyncio.run(said(settings, options.what)) else 1
    return 0 if asyncio.run(written(settings, options.what, time.time())) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A client of the broker for tools; the ingester and gateways have connections of their own, which count each byte."""

import aiomqtt

from wire.address import BrokerAddress
from wire.tls import context


def client_of(address: BrokerAddress, identifier: str | None = None, timeout_s: float | None = None) -> aiomqtt.Client:
    """A client that connects when it is entered; the broker names it where it has no `identifier`."""
    return aiomqtt.Client(
        address.host,
        address.port,
        username=address.user,
        password=address.secret,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=timeout_s,
        tls_context=context(address),
    )

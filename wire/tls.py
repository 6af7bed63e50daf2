"""TLS of a client of the broker: whom it trusts, and its own certificate, if it has one."""

import ssl

from metering.errors import OperatorError
from wire.address import BrokerAddress


def context(address: BrokerAddress) -> ssl.SSLContext | None:
    """The TLS context for an address; None where it has no TLS. `SSL_CERT_FILE` names another authority to trust.

    Raises `OperatorError` where the client's certificate cannot be used.
    """
    if not address.tls:
        return None
    made = ssl.create_default_context()
    if address.certificate is not None:
        try:
            made.load_cert_chain(address.certificate)
        except OSError as error:  # ssl.SSLError is one
            raise OperatorError(
                f"{address.certificate}: no certificate with its key ({error.strerror or error}); "
                "ECOPARK_MQTT_CERTIFICATE names one PEM file that holds both"
            ) from error
    return made

"""How a connection begins: CONNECT asks for a persistent session; whose fault it is where CONNACK says no."""

import mqtt5

from metering.errors import OperatorError, UnavailableError
from wire.address import BrokerAddress

KEEP_ALIVE_S = 15
SESSION_EXPIRY_S = 7 * 24 * 3600
"""How long the broker holds what an ingester that is gone has not acknowledged."""

RECEIVE_MAXIMUM = 20_000
"""Unacknowledged messages that the broker may have under way to us."""

MAX_PACKET_BYTES = 8 * 1024 * 1024

WILL_DELAY_S = 10
"""An ingester is gone when it has not come back for so long; whoever takes its session finds who had it."""

_OPERATORS = (
    mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD,
    mqtt5.ConnAckReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnAckReasonCode.BANNED,
    mqtt5.ConnAckReasonCode.CLIENT_ID_NOT_VALID,
    mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
)


def connect(client_id: str, address: BrokerAddress, presence: str) -> bytes:
    """CONNECT: persistent session, receive maximum, keep-alive, and a last will that takes back the presence."""
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


def refusal(answer: mqtt5.ConnAckPacket, where: str) -> OperatorError | UnavailableError | None:
    """What a CONNACK means; None where it welcomes us."""
    if answer.reason_code == mqtt5.ConnAckReasonCode.SUCCESS:
        return None
    if answer.reason_code in _OPERATORS:
        return OperatorError(
            f"{where} refuses the connection: {answer.reason_code.name}; correct the user and password in "
            "ECOPARK_MQTT_URL, or the broker's accounts"
        )
    return UnavailableError(f"{where} refuses the connection: {answer.reason_code.name}")

"""The broker's URL: what is understood, what is refused, and that the password never shows."""

import pytest

from metering.errors import OperatorError
from wire.address import BrokerAddress


def test_a_url_is_taken_apart_and_unescaped() -> None:
    address = BrokerAddress.parse("mqtts://gw%401:p%2Fa%3Ass@broker.example:8884")
    assert (address.host, address.port, address.tls, address.user) == ("broker.example", 8884, True, "gw@1")
    assert address.password is not None
    assert address.password.get_secret_value() == "p/a:ss"


@pytest.mark.parametrize(("url", "port"), [("mqtt://h", 1883), ("mqtts://h/", 8883), (" mqtt://[::1]:1 ", 1)])
def test_ports_have_defaults(url: str, port: int) -> None:
    assert BrokerAddress.parse(url).port == port


def test_the_password_shows_nowhere() -> None:
    address = BrokerAddress.parse("mqtt://u:s3cret@h")
    assert "s3cret" not in f"{address} {address!r} {address.model_dump()}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h:1883",
        "http://u:s3cret@h",
        "mqtt://",
        "mqtt://u:s3cret@",
        "mqtt://h:0",
        "mqtt://h:99999",
        "mqtt://u:s3cret@h:x",
        "mqtt://u:s3cret/more@h",
        "mqtt://u:s3cret#more@h",
        "mqtt://:s3cret@h",
        "mqtt://h?ca=x",
        "mqtt://[::1",
    ],
)
def test_a_malformed_url_is_refused_with_what_would_be_right_and_without_the_password(url: str) -> None:
    with pytest.raises(OperatorError, match="mqtt://user:password@host:1883") as raised:
        BrokerAddress.parse(url)
    assert "s3cret" not in str(raised.value)
